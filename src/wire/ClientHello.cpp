// SPDX-License-Identifier: Apache-2.0
#include "wire/ClientHello.h"

namespace dtlsd {

namespace {

constexpr char clientHello = 1; // HandshakeType (RFC 6347 §4.2.2)
constexpr qsizetype randomSize = 32;
constexpr quint32 supportedGroups = 10; // ExtensionType (RFC 8422 §5.1.1)

/// Takes bytes from the front; once too few are left, every further result is empty.
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
    [[nodiscard]] bool isAtEnd() const { return !m_isWhole || m_rest.isEmpty(); }

private:
    QByteArrayView m_rest;
    bool m_isWhole = true;
};

std::vector<std::uint16_t> numbers(Reader list)
{
    std::vector<std::uint16_t> found;
    while (!list.isAtEnd())
        found.push_back(static_cast<std::uint16_t>(list.number(2)));
    return found;
}

} // namespace

std::optional<ClientHello> ClientHello::in(const Record &record)
{
    if (record.type != ContentType::Handshake || record.epoch != 0)
        return std::nullopt;
    Reader message(record.fragment());
    const QByteArrayView type = message.take(1);
    ClientHello hello;
    hello.record = record;
    hello.length = message.number(3);
    const quint32 sequence = message.number(2);
    hello.fragmentOffset = message.number(3);
    const quint32 fragmentLength = message.number(3);
    if (!message.isWhole() || type[0] != clientHello)
        return std::nullopt;
    if (!hello.isFirstFragment())
        return hello;
    Reader start = message;
    start.take(2); // the handshake checks the version
    hello.random = start.take(randomSize);
    if (!start.isWhole())
        return std::nullopt;
    const QByteArrayView bytes = message.take(fragmentLength);
    Reader body(bytes);
    body.take(2 + randomSize);
    body.take(body.number(1)); // session_id
    const QByteArrayView cookie = body.take(body.number(1));
    hello.isAnswerable =
        message.isWhole() && body.isWhole() && fragmentLength <= hello.length && sequence <= 2;
    if (hello.isAnswerable) {
        hello.cookie = cookie;
        hello.body = bytes;
    }
    return hello;
}

std::optional<HelloOffer> HelloOffer::in(QByteArrayView body)
{
    HelloOffer offer;
    Reader hello(body);
    hello.take(2 + randomSize);
    hello.take(hello.number(1)); // session_id
    hello.take(hello.number(1)); // cookie
    for (const std::uint16_t number : numbers(Reader(hello.take(hello.number(2))))) {
        if (const CipherSuite suite{number}; !suite.isSignal())
            offer.suites.push_back(suite);
    }
    hello.take(hello.number(1)); // compression_methods
    if (hello.isAtEnd())
        return hello.isWhole() ? std::optional(offer) : std::nullopt;
    Reader extensions(hello.take(hello.number(2)));
    while (!extensions.isAtEnd()) {
        const quint32 type = extensions.number(2);
        Reader content(extensions.take(extensions.number(2)));
        if (type == supportedGroups)
            offer.groups = numbers(Reader(content.take(content.number(2))));
    }
    return hello.isWhole() && extensions.isWhole() ? std::optional(offer) : std::nullopt;
}

} // namespace dtlsd
