// SPDX-License-Identifier: Apache-2.0
#include "core/SocketAddress.h"

#include <QHashFunctions>
#include <QStringList>
#include <QtEndian>

#include <algorithm>
#include <cstring>
#include <span>
#include <type_traits>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

namespace dtlsd {

namespace {

// Equal objects have equal bytes, so it is enough to hash the bytes.
static_assert(std::has_unique_object_representations_v<SocketAddress>);
static_assert(std::has_unique_object_representations_v<Path>);

constexpr std::size_t mappedPrefix = 12; // ::ffff:0:0/96 (RFC 4291 §2.5.5.2)

constexpr std::array<std::uint8_t, 12> nat64Prefix{0, 0x64, 0xff, 0x9b}; // RFC 6052 §2.1

std::array<std::uint8_t, 16> mapped(std::uint32_t ipv4)
{
    std::array<std::uint8_t, 16> bytes{};
    bytes[10] = bytes[11] = 0xff;
    qToBigEndian(ipv4, bytes.data() + mappedPrefix);
    return bytes;
}

/// A scope is written as the name of an interface or as its number (RFC 4007 §11.2).
std::uint32_t scopeIndex(const QString &scope)
{
    const std::uint32_t index = scope.isEmpty() ? 0 : if_nametoindex(scope.toUtf8().constData());
    return index != 0 ? index : scope.toUInt();
}

} // namespace

SocketAddress::SocketAddress(const QHostAddress &address, std::uint16_t port)
    : m_port(port)
{
    if (address.protocol() == QAbstractSocket::IPv4Protocol) {
        m_bytes = mapped(address.toIPv4Address());
        return;
    }
    const Q_IPV6ADDR ipv6 = address.toIPv6Address();
    std::copy(std::begin(ipv6.c), std::end(ipv6.c), m_bytes.begin());
    m_scope = scopeIndex(address.scopeId());
}

SocketAddress SocketAddress::fromSockaddr(const sockaddr *address)
{
    SocketAddress result;
    if (address->sa_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, address, sizeof in);
        result.m_bytes = mapped(ntohl(in.sin_addr.s_addr));
        result.m_port = ntohs(in.sin_port);
    } else if (address->sa_family == AF_INET6) {
        sockaddr_in6 in6{};
        std::memcpy(&in6, address, sizeof in6);
        std::copy(std::begin(in6.sin6_addr.s6_addr), std::end(in6.sin6_addr.s6_addr),
                  result.m_bytes.begin());
        result.m_port = ntohs(in6.sin6_port);
        result.m_scope = in6.sin6_scope_id;
    }
    return result;
}

std::optional<SocketAddress> SocketAddress::parse(QStringView text)
{
    const qsizetype colon = text.lastIndexOf(u':');
    if (colon <= 0)
        return std::nullopt;

    QStringView host = text.first(colon);
    const bool bracketed = host.startsWith(u'[') && host.endsWith(u']');
    if (bracketed)
        host = host.sliced(1, host.size() - 2);
    // QHostAddress also accepts "127.1" and "0x7f.1", which are probably typing errors.
    QHostAddress address;
    if (!address.setAddress(host.toString()) || bracketed != host.contains(u':') ||
        (!bracketed && address.toString() != host))
        return std::nullopt;

    const QStringView portText = text.sliced(colon + 1);
    const bool digits = std::all_of(portText.begin(), portText.end(),
                                    [](QChar c) { return c >= u'0' && c <= u'9'; });
    bool ok = false;
    const uint port = portText.toUInt(&ok);
    if (!ok || !digits || port > 65535 || portText.size() > 5)
        return std::nullopt;
    return SocketAddress(address, static_cast<std::uint16_t>(port));
}

socklen_t SocketAddress::toSockaddr(sockaddr_storage &storage, int family) const
{
    if (family == AF_INET) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(port());
        std::memcpy(&in.sin_addr, m_bytes.data() + mappedPrefix, sizeof in.sin_addr);
        std::memcpy(&storage, &in, sizeof in);
        return sizeof in;
    }
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port());
    in6.sin6_scope_id = m_scope;
    std::copy(m_bytes.begin(), m_bytes.end(), std::begin(in6.sin6_addr.s6_addr));
    std::memcpy(&storage, &in6, sizeof in6);
    return sizeof in6;
}

QHostAddress SocketAddress::address() const
{
    if (isIPv4())
        return QHostAddress(qFromBigEndian<std::uint32_t>(m_bytes.data() + mappedPrefix));
    QHostAddress result(m_bytes.data());
    if (m_scope != 0)
        result.setScopeId(QString::number(m_scope));
    return result;
}

bool SocketAddress::isIPv4() const
{
    return std::equal(m_bytes.begin(), m_bytes.begin() + mappedPrefix, mapped(0).begin());
}

SocketAddress SocketAddress::withPort(std::uint16_t port) const
{
    SocketAddress result = *this;
    result.m_port = port;
    return result;
}

SocketAddress SocketAddress::prefix(std::ptrdiff_t bytes) const
{
    SocketAddress result = withPort(0);
    std::fill(result.m_bytes.begin() + bytes, result.m_bytes.end(), std::uint8_t{0});
    return result;
}

SocketAddress SocketAddress::network() const
{
    if (std::ranges::equal(nat64Prefix, std::span(m_bytes).first<nat64Prefix.size()>())) {
        SocketAddress embedded = *this;
        std::ranges::copy_n(mapped(0).begin(), mappedPrefix, embedded.m_bytes.begin());
        return embedded.prefix(15);
    }
    return prefix(isIPv4() ? 15 : 6);
}

QString SocketAddress::toString() const
{
    return QString::fromUtf8(toUtf8());
}

QByteArray SocketAddress::addressUtf8() const
{
    if (!isIPv4())
        return address().toString().toUtf8();
    std::array<char, INET_ADDRSTRLEN> text{};
    return inet_ntop(AF_INET, m_bytes.data() + mappedPrefix, text.data(), text.size());
}

QByteArray SocketAddress::toUtf8() const
{
    const QByteArray port = QByteArray::number(m_port);
    return isIPv4() ? addressUtf8() + ':' + port : '[' + addressUtf8() + "]:" + port;
}

QString toString(const QList<SocketAddress> &addresses)
{
    QStringList texts;
    for (const SocketAddress &address : addresses)
        texts += address.toString();
    return texts.join(u", ");
}

std::size_t SocketAddress::hash(std::size_t seed) const
{
    return qHashBits(this, sizeof *this, seed);
}

} // namespace dtlsd

std::size_t
std::hash<dtlsd::SocketAddress>::operator()(const dtlsd::SocketAddress &address) const noexcept
{
    return address.hash(QHashSeed::globalSeed());
}

std::size_t std::hash<dtlsd::Path>::operator()(const dtlsd::Path &path) const noexcept
{
    return qHashBits(&path, sizeof path, QHashSeed::globalSeed());
}
