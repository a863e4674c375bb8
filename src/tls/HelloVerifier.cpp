// SPDX-License-Identifier: Apache-2.0
#include "tls/HelloVerifier.h"

#include "tls/Send.h"
#include "wire/Packet.h"

#include <openssl/crypto.h>

namespace dtlsd {

namespace {

bool isSame(QByteArrayView a, QByteArrayView b)
{
    return a.size() == b.size() &&
           CRYPTO_memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size())) == 0;
}

/// Both versions in it are DTLS 1.0, whatever is negotiated later (RFC 6347 §4.2.1).
QByteArray helloVerifyRequest(QByteArrayView recordSequence, QByteArrayView cookie)
{
    constexpr char cookieSize = HmacSha256::size;
    constexpr char bodySize = 2 + 1 + cookieSize;
    constexpr char messageSize = 12 + bodySize;
    QByteArray datagram;
    datagram.reserve(13 + messageSize);
    datagram += QByteArrayView("\x16\xfe\xff\0\0", 5); // handshake, epoch 0
    datagram += recordSequence;
    datagram += '\0';
    datagram += messageSize;
    datagram += QByteArrayView("\x03\0\0", 3); // hello_verify_request
    datagram += bodySize;
    datagram += QByteArrayView("\0\0\0\0\0\0\0", 7); // message_seq, fragment_offset
    datagram += bodySize;
    datagram += QByteArrayView("\xfe\xff", 2);
    datagram += cookieSize;
    datagram += cookie;
    return datagram;
}

} // namespace

HelloVerifier::HelloVerifier(Contexts &contexts, const QByteArray &cookieSecret)
    : DtlsState(cookieSecret)
    , m_contexts(contexts)
{
}

bool HelloVerifier::verifyClient(QUdpSocket *socket, const QByteArray &datagram,
                                 const QHostAddress &address, quint16 port)
{
    clearDtlsError();
    m_verified.clear();
    const Packet packet(datagram);
    const ClientHello *hello = packet.newHello();
    if (!hello || !hello->isAnswerable)
        return false;
    if (!m_cookies || m_cookies->secret() != cookieSecret())
        m_cookies = m_contexts.ofThisThread().cookiesWith(cookieSecret());
    const QByteArray cookie = m_cookies->of(address, port);
    if (cookie.isEmpty()) {
        setDtlsError(QDtlsError::TlsInitializationError, QStringLiteral("no HMAC-SHA256"));
        return false;
    }
    if (isSame(hello->cookie, cookie)) {
        m_verified = datagram;
        return true;
    }
    send(*socket, helloVerifyRequest(hello->record.bytes.sliced(5, 6), cookie), address, port);
    return false;
}

} // namespace dtlsd
