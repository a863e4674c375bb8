// SPDX-License-Identifier: Apache-2.0
#include "config/ValueCodec.h"

#include "config/Diagnostics.h"
#include "config/IniValue.h"
#include "config/ListenCheck.h"
#include "core/Escape.h"
#include "core/Quantity.h"

#include <QStringList>

#include <algorithm>
#include <optional>

namespace dtlsd {

namespace {

constexpr int mappedBits = 96; // bits before the IPv4 address in ::ffff:0:0/96

/// `"text" is wrong`, or for an empty text, that the value is missing.
Error wrong(const QString &text, const QString &what)
{
    return {text.isEmpty() ? QStringLiteral("the value is missing") : shown(text) + u' ' + what};
}

/// @p parsed if it is within the bounds.
template <class T>
Result<T> bounded(const QString &text, const std::optional<T> &parsed, T minimum, T maximum,
                  const QString &kind)
{
    if (!parsed)
        return wrong(text, QStringLiteral("is not ") + kind);
    if (*parsed < minimum || *parsed > maximum)
        return wrong(text, QStringLiteral("is out of range"));
    return *parsed;
}

QString formatNumber(std::int64_t number)
{
    return QString::number(number);
}

template <class T>
QString joined(const QList<T> &values, QString (*format)(const T &))
{
    QStringList texts;
    for (const T &value : values)
        texts += format(value);
    return texts.join(QStringLiteral(", "));
}

QString formatSubnet(const Subnet &subnet)
{
    return QStringLiteral("%1/%2").arg(subnet.first.toString()).arg(subnet.second);
}

bool isLinkLocalIPv6(const SocketAddress &address)
{
    return !address.isIPv4() && address.address().isLinkLocal();
}

/// fe80::/10 exists on every interface (RFC 4007 §6).
Error withoutScope(const QString &element)
{
    const qsizetype end = element.indexOf(u']');
    const QString example =
        element.first(end).remove(u'%') + QStringLiteral("%eth0") + element.sliced(end);
    return wrong(element,
                 QStringLiteral("is link-local and names no interface, as %1 does").arg(example));
}

QString formatAddress(const SocketAddress &address)
{
    return address.toString();
}

bool isIPv4(const QHostAddress &address)
{
    return address.protocol() == QAbstractSocket::IPv4Protocol;
}

/// Accepts IPv4 only as QHostAddress writes it: "10.1" and "0x0a.0.0.1" are likely typing errors.
/// Rejects scopes, since peers are compared without them.
std::optional<QHostAddress> parseHost(const QString &text)
{
    QHostAddress address;
    if (!address.setAddress(text) || !address.scopeId().isEmpty())
        return std::nullopt;
    if (isIPv4(address) && address.toString() != text)
        return std::nullopt;
    return address;
}

/// The network as written; IPv4 may still be in its IPv6 form.
Result<Subnet> parseWrittenSubnet(const QString &text)
{
    const qsizetype slash = text.indexOf(u'/');
    const auto address = parseHost(slash < 0 ? text : text.first(slash));
    if (!address)
        return wrong(text, QStringLiteral("is not a network"));
    const int width = isIPv4(*address) ? 32 : 128;
    const auto bits =
        slash < 0 ? width : parseWholeNumber(QStringView(text).sliced(slash + 1)).value_or(-1);
    if (bits < 0 || bits > width)
        return wrong(text, QStringLiteral("has no prefix length from 0 to %1").arg(width));
    return Subnet(*address, static_cast<int>(bits));
}

Result<Subnet> parseSubnet(const QString &text)
{
    Result<Subnet> written = parseWrittenSubnet(text);
    if (!written)
        return written;
    Subnet subnet = written.value();
    // Peers in ::ffff:0:0/96 (RFC 4291 §2.5.5.2) are IPv4 peers everywhere in dtlsd.
    const SocketAddress address(subnet.first, 0);
    if (address.isIPv4() && !isIPv4(subnet.first)) {
        if (subnet.second < mappedBits)
            return wrong(text, QStringLiteral("is IPv4 in its IPv6 form, which has a prefix "
                                              "length from %1 to 128")
                                   .arg(mappedBits));
        subnet = {address.address(), subnet.second - mappedBits};
    }

    // With bits set after the prefix, the host or its network may be meant.
    const Subnet network = QHostAddress::parseSubnet(formatSubnet(subnet));
    if (network.first != subnet.first)
        return wrong(text, QStringLiteral("is not the first address of its network, which is %1")
                               .arg(formatSubnet(network)));
    return subnet;
}

/// Of a type that reads its text itself, and keeps it.
template <class T>
ValueCodec<T> ownText(const QString &accepted)
{
    return {[](const QString &text) -> Result<T> {
                auto value = T::parse(text);
                if (!value)
                    return wrong(text, escaped(value.error().message.toUtf8()));
                return value;
            },
            [](const T &value) { return value.text(); }, accepted};
}

} // namespace

ValueCodec<std::int64_t> wholeNumber(std::int64_t minimum, std::int64_t maximum)
{
    return {[minimum, maximum](const QString &text) {
                return bounded(text, parseWholeNumber(text), minimum, maximum,
                               QStringLiteral("a number"));
            },
            formatNumber,
            QStringLiteral("a whole number from %1 to %2 is accepted").arg(minimum).arg(maximum)};
}

ValueCodec<std::int64_t> wholeNumberOrZero(std::int64_t maximum, const QString &meaning)
{
    auto codec = wholeNumber(0, maximum);
    codec.accepted = QStringLiteral("a whole number from 1 to %1, or 0 for %2, is accepted")
                         .arg(maximum)
                         .arg(meaning);
    return codec;
}

ValueCodec<std::int64_t> wholeNumberOrAuto(std::int64_t maximum)
{
    const auto number = wholeNumber(1, maximum);
    return {[number](const QString &text) -> Result<std::int64_t> {
                return text == u"auto" ? std::int64_t{0} : number.parse(text);
            },
            [](const std::int64_t &value) {
                return value == 0 ? QStringLiteral("auto") : QString::number(value);
            },
            QStringLiteral("auto or a whole number from 1 to %1 is accepted").arg(maximum)};
}

ValueCodec<std::int64_t> byteSize(std::int64_t minimum, std::int64_t maximum)
{
    return {[minimum, maximum](const QString &text) {
                return bounded(text, parseByteSize(text), minimum, maximum,
                               QStringLiteral("a size"));
            },
            formatByteSize,
            QStringLiteral("%1 to %2, in bytes or with K, M or G, is accepted")
                .arg(formatByteSize(minimum), formatByteSize(maximum))};
}

ValueCodec<Milliseconds> duration(Milliseconds minimum, Milliseconds maximum)
{
    return {[minimum, maximum](const QString &text) {
                return bounded(text, parseDuration(text), minimum, maximum,
                               QStringLiteral("a duration"));
            },
            formatDuration,
            QStringLiteral("%1 to %2, a whole number with ms, s, min, h or d, is accepted")
                .arg(formatDuration(minimum), formatDuration(maximum))};
}

ValueCodec<Milliseconds> durationOrZero(Milliseconds minimum, Milliseconds maximum,
                                        const QString &meaning)
{
    auto codec = duration(minimum, maximum);
    codec.accepted = QStringLiteral("0 for %1 or %2").arg(meaning, codec.accepted);
    codec.parse = [parse = codec.parse](const QString &text) -> Result<Milliseconds> {
        return text == u"0" ? Milliseconds(0) : parse(text);
    };
    return codec;
}

ValueCodec<QByteArray> shortText(qsizetype maximumSize)
{
    return {[maximumSize](const QString &text) -> Result<QByteArray> {
                const QByteArray bytes = text.toUtf8();
                if (bytes.size() > maximumSize)
                    return wrong(text, QStringLiteral("has %1 bytes").arg(bytes.size()));
                return bytes;
            },
            [](const QByteArray &bytes) { return QString::fromUtf8(bytes); },
            QStringLiteral("nothing or a text of up to %1 bytes is accepted").arg(maximumSize)};
}

ValueCodec<QString> absolutePath(qsizetype maximumSize)
{
    return {[maximumSize](const QString &text) -> Result<QString> {
                if (!text.isEmpty() && !text.startsWith(u'/'))
                    return wrong(text, QStringLiteral("does not begin with /"));
                if (text.toUtf8().size() > maximumSize)
                    return wrong(text, QStringLiteral("is too long"));
                return text;
            },
            [](const QString &path) { return path; },
            QStringLiteral("nothing or an absolute path of up to %1 bytes is accepted")
                .arg(maximumSize)};
}

ValueCodec<QString> filePath()
{
    return {[](const QString &text) -> Result<QString> { return text; },
            [](const QString &path) { return path; },
            QStringLiteral("nothing or a path is accepted")};
}

ValueCodec<ReplyTemplate> replyTemplate()
{
    return ownText<ReplyTemplate>(QStringLiteral(
        "ack, none, echo or a text with {peer}, {identity}, {size} and {sequence} is accepted"));
}

ValueCodec<CipherPolicy> cipherPolicy()
{
    return ownText<CipherPolicy>(QStringLiteral(
        "strict, modern, iot or an OpenSSL cipher string of PSK suites with AEAD is accepted"));
}

ValueCodec<QList<SocketAddress>> listenAddresses()
{
    return {[](const QString &text) -> Result<QList<SocketAddress>> {
                QList<SocketAddress> addresses;
                for (const QString &element : listElements(text)) {
                    const auto address = SocketAddress::parse(element);
                    if (!address)
                        return wrong(element, QStringLiteral("is not an address with a port"));
                    if (isLinkLocalIPv6(*address) && scopeOf(element).isEmpty())
                        return withoutScope(element);
                    if (addresses.contains(*address))
                        return wrong(element, QStringLiteral("is there twice"));
                    addresses += *address;
                }
                return addresses;
            },
            [](const QList<SocketAddress> &addresses) { return joined(addresses, formatAddress); },
            QStringLiteral("one or more of the form 192.0.2.1:22334 or [2001:db8::1]:22334, with "
                           "commas between, are accepted")};
}

ValueCodec<SocketAddress> serviceAddress()
{
    const QString none = QStringLiteral("none");
    return {[none](const QString &text) -> Result<SocketAddress> {
                if (text == none)
                    return SocketAddress();
                const auto address = SocketAddress::parse(text);
                if (!address)
                    return wrong(text, QStringLiteral("is not an address with a port"));
                if (!address->address().isLoopback())
                    return wrong(text, QStringLiteral("is not on this machine's loopback"));
                if (address->address() == QHostAddress(QStringLiteral("127.255.255.255")))
                    return wrong(text, QStringLiteral("is a broadcast address"));
                if (address->port() == 0)
                    return wrong(text, QStringLiteral("has port 0, at which nothing listens"));
                return *address;
            },
            [none](const SocketAddress &address) {
                return address == SocketAddress() ? none : address.toString();
            },
            QStringLiteral("none or an address such as 127.0.0.1:5683 or [::1]:5683 is accepted")};
}

ValueCodec<QList<Subnet>> subnets()
{
    return {[](const QString &text) -> Result<QList<Subnet>> {
                QList<Subnet> result;
                if (text.isEmpty())
                    return result;
                for (const QString &element : listElements(text)) {
                    auto subnet = parseSubnet(element);
                    if (!subnet)
                        return subnet.error();
                    result += std::move(subnet).value();
                }
                return result;
            },
            [](const QList<Subnet> &networks) { return joined(networks, formatSubnet); },
            QStringLiteral("nothing or networks such as 10.0.0.0/8 and fd00::/8, with commas "
                           "between, are accepted")};
}

QStringList listElements(const QString &text)
{
    QStringList elements;
    const auto parts = QStringView(text).split(u',');
    for (const QStringView part : parts)
        elements += trimBlanks(part).toString();
    return elements;
}

Error unknownWord(const QString &text, const QStringList &words)
{
    return wrong(text, QStringLiteral("is unknown") + suggestion(text, words));
}

QString acceptedWords(const QStringList &words)
{
    return enumeration(words, QStringLiteral("or")) + QStringLiteral(" is accepted");
}

} // namespace dtlsd
