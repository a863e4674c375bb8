// SPDX-License-Identifier: Apache-2.0
//
// DtlsPair: a QDtls of a server and one of a client, connected by two queues: for tests of the TLS
// backend under QDtls.
#pragma once

#include <QByteArray>
#include <QDtls>
#include <QHostAddress>
#include <QUdpSocket>

#include <deque>

namespace dtlsd::test {

/// Keeps what is written to it.
class DatagramQueue : public QUdpSocket
{
    Q_OBJECT

public:
    DatagramQueue();
    QVariant socketOption(SocketOption) override { return {}; }

    /// The oldest datagram; empty if there is none.
    QByteArray take();
    std::deque<QByteArray> datagrams;

protected:
    qint64 writeData(const char *data, qint64 size) override;
};

class DtlsPair
{
public:
    static inline const QHostAddress clientAddress{QStringLiteral("192.0.2.17")};
    static constexpr quint16 clientPort = 40'000;
    static inline const QByteArray identity = "sensor-17";
    static inline const QByteArray key = "sixteen bytes it is";
    static inline const QDtls::GeneratorParameters cookie{QCryptographicHash::Sha256,
                                                          QByteArray(32, 'c')};

    /// The key of the server, and of the client.
    explicit DtlsPair(const QByteArray &serverKey = key, const QByteArray &clientKey = key);

    /// The client's hello with its cookie; empty: it was not verified.
    QByteArray helloWithCookie();
    /// The server handles @p datagram in its present state. Returns plaintext, if any.
    QByteArray arrive(const QByteArray &datagram);
    /// The client handles @p datagram in its present state. Returns plaintext, if any.
    QByteArray answer(const QByteArray &datagram);
    /// Lets both talk until they are silent. false: either is not encrypted then.
    bool handshake();

    DatagramQueue toServer;
    DatagramQueue toClient;
    QDtlsClientVerifier verifier;
    QDtls server{QSslSocket::SslServerMode};
    QDtls client{QSslSocket::SslClientMode};
};

} // namespace dtlsd::test
