// SPDX-License-Identifier: Apache-2.0
#include "core/ClientHello.h"

#include "core/Record.h"

namespace dtlsd {

namespace {

constexpr char clientHello = 1; // HandshakeType (RFC 6347 §4.2.2)
constexpr qsizetype randomSize = 32;

/// Takes bytes from the front; once too few are left, whatever it takes is empty.
class Reader
{
public:
    explicit Reader(QByteArrayView bytes)
        : m_rest(bytes)
    {
    }

    QByteArrayView take(qsizetype size)
    {
        m_isWhole = m_isWhole && size <= m_rest.size();
        if (!m_isWhole)
            return {};
        const QByteArrayView taken = m_rest.first(size);
        m_rest = m_rest.sliced(size);
        return taken;
    }

    quint32 number(qsizetype size)
    {
        quint32 result = 0;
        for (const char byte : take(size))
            result = result << 8 | static_cast<unsigned char>(byte);
        return result;
    }

    [[nodiscard]] bool isWhole() const { return m_isWhole; }

private:
    QByteArrayView m_rest;
    bool m_isWhole = true;
};

} // namespace

std::optional<ClientHello> ClientHello::in(QByteArrayView datagram)
{
    const auto record = RecordReader(datagram).next();
    if (!record || record->type != ContentType::Handshake || record->epoch != 0)
        return std::nullopt;
    ClientHello hello;
    hello.recordSequence = record->bytes.sliced(5, 6); // behind type, version and epoch
    Reader message(record->fragment());
    const QByteArrayView type = message.take(1);
    const quint32 length = message.number(3);
    const quint32 sequence = message.number(2);
    const quint32 offset = message.number(3);
    const quint32 fragmentLength = message.number(3);
    Reader body(message.take(fragmentLength));
    body.take(2 + randomSize); // its version is for the handshake to judge
    body.take(body.number(1)); // session_id
    hello.cookie = body.take(body.number(1));
    const bool isOne = message.isWhole() && body.isWhole() && type[0] == clientHello &&
                       offset == 0 && fragmentLength <= length && sequence <= 2;
    return isOne ? std::optional(hello) : std::nullopt;
}

} // namespace dtlsd
