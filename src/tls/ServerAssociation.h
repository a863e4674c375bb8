// SPDX-License-Identifier: Apache-2.0
//
// ServerAssociation: the backend of a QDtls in server mode. OpenSSL makes the handshake; from its
// end on there is an AssociationState, and records are sealed and opened here.
//
//   state()               kept in        a record of the peer
//   HandshakeNotStarted   -              a verified hello begins a handshake
//   HandshakeInProgress   m_handshake    goes to OpenSSL; by the peer's Finished: Complete, on
//                                        failure: NotStarted
//   HandshakeComplete     m_state Open   as below; at the end NotStarted, and m_state Closed
//
// A state that is Open already is that of a session which a former process has left: it is complete
// at once, whatever the datagram is.
//
// When complete, of a record that is authentic and new (all others are dropped, and counted):
//
//   application data     plaintext, perhaps empty
//   close_notify         answered, and the end
//   fatal alert          the end
//   other alert          nothing
//   Finished             repeated, as ours was lost: the last flight again, in new records
//   ClientHello          answered by the warning no_renegotiation
//   else                 refused
#pragma once

#include "core/SocketAddress.h"
#include "tls/DtlsState.h"
#include "tls/RecordProtection.h"
#include "tls/ServerHandshake.h"
#include "tls/ThreadContexts.h"
#include "wire/AssociationState.h"
#include "wire/Record.h"

#include <QDtls>
#include <QSslSocket>

#include <memory>

namespace dtlsd {

class ServerAssociation final : public QTlsPrivate::DtlsCryptograph, public DtlsState
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
    [[nodiscard]] QHostAddress peerAddress() const override { return m_peer.address(); }
    [[nodiscard]] quint16 peerPort() const override { return m_peer.port(); }
    void setPeerVerificationName(const QString &name) override { m_peerName = name; }
    [[nodiscard]] QString peerVerificationName() const override { return m_peerName; }
    void setDtlsMtuHint(quint16 mtu) override { m_mtu = mtu; }
    [[nodiscard]] quint16 dtlsMtuHint() const override { return m_mtu; }

    [[nodiscard]] QDtls::HandshakeState state() const override;
    [[nodiscard]] bool isConnectionEncrypted() const override
    {
        return m_state->phase == AssociationState::Phase::Open;
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
    bool begin(const QByteArray &datagram);
    bool takeOver();
    void shakeHands(QUdpSocket &socket, const Record &record);
    void fail(const QString &what);
    void read(QUdpSocket &socket, const Record &record, QByteArray &plaintext);
    void takeAlert(QUdpSocket &socket, QByteArrayView content);
    void takeHandshake(QUdpSocket &socket, QByteArrayView message);
    void repeatLastFlight(QUdpSocket &socket);
    /// false: it could not be sealed.
    bool sendRecord(QUdpSocket &socket, ContentType type, QByteArrayView content);
    void sendOutput(QUdpSocket &socket);
    void send(QUdpSocket &socket, QByteArrayView datagram) const;
    void endWith(QUdpSocket &socket, QByteArrayView alert);
    void end();

    QDtls &m_dtls;
    Contexts &m_contexts;
    SocketAddress m_peer;
    QString m_peerName;
    quint16 m_mtu = 0;
    std::unique_ptr<AssociationState> m_ownState; // if the configuration names none
    AssociationState *m_state;
    std::unique_ptr<ServerHandshake> m_handshake;
    RecordProtection *m_protection = nullptr; // its suite's; set once Complete
    RecordProtection::Place m_place = 0;
    QSslCipher m_cipher;
};

} // namespace dtlsd
