// SPDX-License-Identifier: Apache-2.0
#include "forward/ProxyHeader.h"

#include <QtEndian>

#include <netinet/in.h>

namespace dtlsd {

namespace {

// PP2_ in proxy-protocol.txt
enum class Type : unsigned char {
    UniqueId = 0x05,
    Ssl = 0x20,
    SslVersion = 0x21,
    SslCn = 0x22,
    SslCipher = 0x23,
    Identity = 0xE0 // the first of those for use of one's own
};

constexpr char signature[] = "\r\n\r\n\0\r\nQUIT\n";
constexpr char versionAndCommand = 0x21; // 2, PROXY
constexpr char ipv4Datagram = 0x12;
constexpr char ipv6Datagram = 0x22;
constexpr char overSsl = 0x01;    // PP2_CLIENT_SSL
constexpr quint32 isVerified = 0; // as of a certificate: the key is proved

void appendNumber(QByteArray &to, auto number)
{
    char bytes[sizeof number];
    qToBigEndian(number, bytes);
    to.append(bytes, sizeof bytes);
}

void appendValue(QByteArray &to, Type type, QByteArrayView value)
{
    to += static_cast<char>(type);
    appendNumber(to, static_cast<quint16>(value.size()));
    to += value;
}

void appendAddresses(QByteArray &to, const Path &path)
{
    const bool isIPv4 = path.peer.isIPv4() && path.local.isIPv4();
    for (const SocketAddress *address : {&path.peer, &path.local}) {
        sockaddr_storage storage{};
        address->toSockaddr(storage, isIPv4 ? AF_INET : AF_INET6);
        if (isIPv4)
            to.append(reinterpret_cast<const char *>(
                          &reinterpret_cast<const sockaddr_in &>(storage).sin_addr),
                      sizeof(in_addr));
        else
            to.append(reinterpret_cast<const char *>(
                          &reinterpret_cast<const sockaddr_in6 &>(storage).sin6_addr),
                      sizeof(in6_addr));
    }
    appendNumber(to, path.peer.port());
    appendNumber(to, path.local.port());
}

} // namespace

QByteArray proxyHeader(const SessionInfo &session)
{
    const bool isText = session.identity.isValidUtf8();
    QByteArray ssl(1, overSsl);
    appendNumber(ssl, isVerified);
    appendValue(ssl, Type::SslVersion, SessionInfo::protocol);
    if (isText)
        appendValue(ssl, Type::SslCn, session.identity);
    appendValue(ssl, Type::SslCipher, session.cipher.opensslName());

    QByteArray rest;
    appendAddresses(rest, session.path);
    appendValue(rest, Type::Ssl, ssl);
    appendValue(rest, Type::UniqueId, session.idText());
    if (!isText)
        appendValue(rest, Type::Identity, session.identity);

    QByteArray header(signature, sizeof signature - 1);
    header += versionAndCommand;
    header +=
        session.path.peer.isIPv4() && session.path.local.isIPv4() ? ipv4Datagram : ipv6Datagram;
    appendNumber(header, static_cast<quint16>(rest.size()));
    return header + rest;
}

} // namespace dtlsd
