// SPDX-License-Identifier: Apache-2.0
#include "support/CraftedHello.h"

#include "wire/Record.h"

namespace dtlsd::test {

namespace {

constexpr qsizetype handshakeHeaderSize = 12;

/// Big-endian, in @p size bytes.
QByteArray number(qsizetype value, int size)
{
    QByteArray bytes;
    for (int i = size - 1; i >= 0; --i)
        bytes += static_cast<char>((value >> (8 * i)) & 0xff);
    return bytes;
}

QByteArray sized(const QByteArray &content, int lengthSize)
{
    return number(content.size(), lengthSize) + content;
}

} // namespace

QByteArray CraftedHello::body() const
{
    QByteArray body = QByteArray::fromHex("fefd") + random + sized({}, 1) + sized(cookie, 1) +
                      sized(cipherSuites, 2) + sized(QByteArray(1, '\0'), 1);
    if (padding > 0)
        body += sized(number(21, 2) + sized(QByteArray(padding, '\0'), 2), 2);
    return body;
}

QByteArray CraftedHello::fragment(qsizetype from, qsizetype size) const
{
    const QByteArray whole = body();
    const int flight = cookie.isEmpty() ? 0 : 1;
    const QByteArray message = number(1, 1) + number(whole.size(), 3) + number(flight, 2) +
                               number(from, 3) + number(size, 3) + whole.mid(from, size);
    return QByteArray::fromHex("16fefd0000") + number(2 * flight + (from > 0 ? 1 : 0), 6) +
           sized(message, 2);
}

QByteArray CraftedHello::datagram() const
{
    return fragment(0, body().size());
}

QByteArray CraftedHello::firstFragment(qsizetype size) const
{
    return fragment(0, size);
}

QByteArray CraftedHello::lastFragment(qsizetype from) const
{
    return fragment(from, body().size() - from);
}

std::optional<QByteArray> cookieOf(QByteArrayView datagram)
{
    constexpr char helloVerifyRequest = 3;
    constexpr qsizetype lengthAt = handshakeHeaderSize + 2; // behind server_version

    const auto record = RecordReader(datagram).next();
    if (!record || record->type != ContentType::Handshake || record->epoch != 0)
        return std::nullopt;
    const QByteArrayView message = record->fragment();
    if (message.size() <= lengthAt || message[0] != helloVerifyRequest)
        return std::nullopt;
    const QByteArrayView rest = message.sliced(lengthAt + 1);
    const qsizetype length = static_cast<uchar>(message[lengthAt]);
    return length <= rest.size() ? std::optional(rest.first(length).toByteArray()) : std::nullopt;
}

} // namespace dtlsd::test
