// SPDX-License-Identifier: Apache-2.0
//
// ServerAssociation: the backend of a QDtls in server mode: one SSL, which begins with a verified
// ClientHello.
//
//   HandshakeNotStarted --startHandshake--> HandshakeInProgress --> HandshakeComplete
//            ^                                      | abortHandshake        | sendShutdownAlert,
//            |______________________________________| fatal alert          | until then encrypted
//            |______________________________________________________________|
//
// A handshake's timer exists from its first flight to its end, and never fires afterwards.
// OpenSSL's error queue must be empty when a call begins, as for Qt's own backend, and is empty
// when the call ends.
#pragma once

#include "tls/DtlsState.h"
#include "tls/ThreadContexts.h"
#include "wire/Record.h"
#include "wire/SuiteLimits.h"

#include <QDtls>
#include <QHostAddress>
#include <QSslSocket>

#include <chrono>
#include <memory>
#include <optional>
#include <span>

namespace dtlsd {

class ServerAssociation final : public QTlsPrivate::DtlsCryptograph,
                                public DtlsState,
                                private ServerContext::Session,
                                private HandshakeTimers::Client
{
public:
    /// @p dtls owns this.
    ServerAssociation(QDtls &dtls, Contexts &contexts, const QByteArray &cookieSecret);
    ~ServerAssociation() override;

    [[nodiscard]] QSslSocket::SslMode cryptographMode() const override
    {
        return QSslSocket::SslServerMode;
    }
    void setPeer(const QHostAddress &address, quint16 port, const QString &name) override;
    [[nodiscard]] QHostAddress peerAddress() const override { return m_peer; }
    [[nodiscard]] quint16 peerPort() const override { return m_port; }
    void setPeerVerificationName(const QString &name) override { m_peerName = name; }
    [[nodiscard]] QString peerVerificationName() const override { return m_peerName; }
    void setDtlsMtuHint(quint16 mtu) override { m_mtu = mtu; }
    [[nodiscard]] quint16 dtlsMtuHint() const override { return m_mtu; }

    [[nodiscard]] QDtls::HandshakeState state() const override { return m_state; }
    [[nodiscard]] bool isConnectionEncrypted() const override
    {
        return m_state == QDtls::HandshakeComplete;
    }

    bool startHandshake(QUdpSocket *socket, const QByteArray &datagram) override;
    bool handleTimeout(QUdpSocket *socket) override;
    bool continueHandshake(QUdpSocket *socket, const QByteArray &datagram) override;
    /// Always fails: there are no certificate errors that a handshake could wait for.
    bool resumeHandshake(QUdpSocket *socket) override;
    void abortHandshake(QUdpSocket *socket) override;
    void sendShutdownAlert(QUdpSocket *socket) override;

    [[nodiscard]] QList<QSslError> peerVerificationErrors() const override { return {}; }
    void ignoreVerificationErrors(const QList<QSslError> &) override {}

    [[nodiscard]] QSslCipher dtlsSessionCipher() const override { return m_cipher; }
    [[nodiscard]] QSsl::SslProtocol dtlsSessionProtocol() const override;

    /// Sends @p plaintext as one record.
    qint64 writeDatagramEncrypted(QUdpSocket *socket, const QByteArray &plaintext) override;
    /// The plaintext of all records of @p datagram, concatenated.
    QByteArray decryptDatagram(QUdpSocket *socket, const QByteArray &datagram) override;

private:
    std::size_t provideKey(const char *identity, std::span<unsigned char> room) override;
    [[nodiscard]] bool isItsCookie(std::span<const unsigned char> cookie) const override;
    void onTimeout() override { Q_EMIT m_dtls.handshakeTimeout(); }

    bool open(QUdpSocket &socket, const QByteArray &datagram);
    /// Whether OpenSSL may see @p record: it ends a session on some that anybody can forge.
    bool admits(const Record &record);
    void shakeHands(QUdpSocket &socket, QByteArrayView record);
    void complete();
    void read(QUdpSocket &socket, QByteArrayView record, QByteArray &plaintext);
    /// Whether a call that returned @p result, 0 or less, failed for good.
    [[nodiscard]] bool isFatal(int result) const;
    void endAfterReading();
    void reset();
    [[nodiscard]] DatagramBio::Loan lend(QUdpSocket &socket, QByteArrayView record = {});
    bool getBuffers() { return m_context->recent().note(m_ssl.get(), m_place); }

    QDtls &m_dtls;
    Contexts &m_contexts;
    QHostAddress m_peer;
    quint16 m_port = 0;
    QString m_peerName;
    quint16 m_mtu = 0;
    QDtls::HandshakeState m_state = QDtls::HandshakeNotStarted;
    std::shared_ptr<ServerContext> m_context;
    std::shared_ptr<HandshakeTimers> m_timers;
    QByteArray m_cookie;
    ServerContext::UniqueSsl m_ssl;
    RecentSessions::Place m_place = 0;
    std::optional<SuiteLimits> m_suite; // set once it is negotiated
    QSslCipher m_cipher;
    QByteArray m_early;                     // records after the Finished in its datagram
    std::chrono::milliseconds m_timeout{0}; // of the current flight; 0: none sent yet
};

} // namespace dtlsd
