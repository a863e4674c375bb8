// SPDX-License-Identifier: Apache-2.0
//
// DtlsClient: the device's side, on QDtls in client mode, for tools and tests. One client is one
// association, on a port of its own.
#pragma once

#include "core/Result.h"
#include "dtls/CipherPolicy.h"
#include "dtls/Psk.h"
#include "net/DatagramSocket.h"

#include <QByteArray>
#include <QDtls>
#include <QObject>
#include <QTimer>

#include <chrono>
#include <memory>

namespace dtlsd {

struct Record;

class DtlsClient : public QObject
{
    Q_OBJECT

public:
    struct Options
    {
        QByteArray identity;
        PskKey key;
        CipherPolicy ciphers;
        std::uint16_t mtu = 1280; ///< bytes; for handshake flights
        std::chrono::milliseconds handshakeTimeout = std::chrono::seconds(10);
    };

    enum class Failure {
        Timeout, ///< no answer, or the server does not accept the key
        Refused, ///< the server sent a fatal alert
        Error    ///< the TLS stack refuses; see errorString()
    };
    Q_ENUM(Failure)

    explicit DtlsClient(Options options);
    ~DtlsClient() override;

    /// Starts the handshake. It ends with connected() or failed().
    Result<> connectTo(const SocketAddress &server);
    /// Starts the handshake on an existing socket.
    void connectTo(const SocketAddress &server, std::unique_ptr<DatagramSocket> socket);

    [[nodiscard]] bool isConnected() const { return m_connected; }
    [[nodiscard]] SocketAddress localAddress() const { return m_path.local; }
    /// OpenSSL's name of the cipher suite.
    [[nodiscard]] QByteArray cipher() const;
    [[nodiscard]] QString errorString() const { return m_errorString; }

    /// Encrypts and sends one datagram of 1 to 16384 bytes. false: not connected, or too large.
    bool send(const QByteArray &plaintext);
    /// Sends close_notify, if connected.
    void close();

Q_SIGNALS:
    void connected();
    void failed(dtlsd::DtlsClient::Failure failure);
    void received(const QByteArray &plaintext);
    /// The server sent close_notify, or the association died.
    void closed();

private:
    void readPendingDatagrams();
    void handleRecord(const dtlsd::Record &record);
    void advanceHandshake(const QByteArray &bytes);
    void retransmit();
    void fail(Failure failure, const QString &reason);

    const Options m_options;
    Path m_path;
    ReceiveBuffer m_buffer{4};
    std::unique_ptr<DatagramSocket> m_socket;
    bool m_connected = false;
    bool m_over = false;
    QString m_errorString;
    QTimer m_deadline;
    QDtls m_dtls;
};

} // namespace dtlsd
