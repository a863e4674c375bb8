// SPDX-License-Identifier: Apache-2.0
#include "tls/ServerAssociation.h"

#include "core/ErrorQueue.h"
#include "tls/Send.h"
#include "wire/Alert.h"
#include "wire/ClientHello.h"
#include "wire/HandshakeFragment.h"

#include <QtEndian>

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/err.h>

namespace dtlsd {

namespace {

// RFC 5246 §7.2
constexpr QByteArrayView closeNotify("\x01\x00", 2);
constexpr QByteArrayView noRenegotiation("\x01\x64", 2);

/// @p what, followed by OpenSSL's reason.
QString withReason(const QString &what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? what + QStringLiteral(": ") + QLatin1StringView(reason) : what;
}

} // namespace

ServerAssociation::ServerAssociation(QDtls &dtls, Contexts &contexts,
                                     const QByteArray &cookieSecret)
    : DtlsState(cookieSecret)
    , m_dtls(dtls)
    , m_contexts(contexts)
    , m_ownState(std::make_unique<AssociationState>())
    , m_state(m_ownState.get())
{
}

ServerAssociation::~ServerAssociation()
{
    end();
}

void ServerAssociation::setPeer(const QHostAddress &address, quint16 port, const QString &name)
{
    m_peer = SocketAddress(address, port);
    m_peerName = name;
}

QDtls::HandshakeState ServerAssociation::state() const
{
    if (m_handshake)
        return QDtls::HandshakeInProgress;
    return isConnectionEncrypted() ? QDtls::HandshakeComplete : QDtls::HandshakeNotStarted;
}

QSsl::SslProtocol ServerAssociation::dtlsSessionProtocol() const
{
    return isConnectionEncrypted() ? QSsl::DtlsV1_2 : QSsl::UnknownProtocol;
}

void ServerAssociation::send(QUdpSocket &socket, QByteArrayView datagram) const
{
    dtlsd::send(socket, datagram, m_peer.address(), m_peer.port());
}

bool ServerAssociation::startHandshake(QUdpSocket *socket, const QByteArray &datagram)
{
    clearDtlsError();
    if (begin(datagram))
        return continueHandshake(socket, datagram);
    end();
    emptyErrorQueue();
    return false;
}

bool ServerAssociation::begin(const QByteArray &datagram)
{
    const QSslConfiguration configured = configuration();
    const auto options = configured.backendConfiguration();
    if (auto *given = static_cast<AssociationState *>(
            options.value(AssociationState::option).value<void *>())) {
        m_ownState.reset();
        m_state = given;
    }
    if (isConnectionEncrypted())
        return takeOver();
    ThreadContexts &thread = m_contexts.ofThisThread();
    const auto context = thread.contextFor({options.value("CipherString").toByteArray(),
                                            options.value("Groups").toByteArray(),
                                            configured.preSharedKeyIdentityHint()});
    if (!context) {
        setDtlsError(QDtlsError::TlsInitializationError,
                     QStringLiteral("OpenSSL refuses the ciphers, groups or identity hint"));
        return false;
    }
    const QByteArray cookie =
        thread.cookiesWith(cookieSecret())->of(m_peer.address(), m_peer.port());
    m_handshake = std::make_unique<ServerHandshake>(ServerHandshake::Setup{
        m_dtls, thread, context, cookie, m_mtu, !m_peer.isIPv4(), *m_state, m_place});
    const auto hello = RecordReader(datagram).next();
    if (hello && m_handshake->begin(*hello))
        return true;
    setDtlsError(QDtlsError::TlsFatalError, QStringLiteral("a verified ClientHello is expected"));
    return false;
}

bool ServerAssociation::takeOver()
{
    m_protection = m_contexts.ofThisThread().protectionOf(CipherSuite{m_state->suite});
    forgetConfiguration();
    if (m_protection)
        return true;
    setDtlsError(QDtlsError::TlsInitializationError, QStringLiteral("OpenSSL lacks the suite"));
    return false;
}

bool ServerAssociation::continueHandshake(QUdpSocket *socket, const QByteArray &datagram)
{
    clearDtlsError();
    RecordReader reader(datagram);
    while (m_handshake) {
        const auto record = reader.next();
        if (!record)
            break;
        shakeHands(*socket, *record);
    }
    emptyErrorQueue();
    return state() != QDtls::HandshakeNotStarted;
}

void ServerAssociation::shakeHands(QUdpSocket &socket, const Record &record)
{
    const ServerHandshake::Step step = m_handshake->advance(record);
    sendOutput(socket);
    if (step == ServerHandshake::Step::Failed) {
        setDtlsError(QDtlsError::TlsFatalError,
                     withReason(QStringLiteral("the handshake has failed")));
        end();
    } else if (step == ServerHandshake::Step::Complete) {
        m_protection = &m_handshake->protection();
        m_cipher = m_handshake->cipher();
        m_handshake.reset();
        forgetConfiguration();
    }
}

void ServerAssociation::sendOutput(QUdpSocket &socket)
{
    for (const QByteArray &datagram : m_handshake->takeOutput())
        send(socket, datagram);
}

bool ServerAssociation::handleTimeout(QUdpSocket *socket)
{
    clearDtlsError();
    if (!m_handshake) {
        setDtlsError(QDtlsError::InvalidOperation, QStringLiteral("no handshake is in progress"));
        return false;
    }
    m_handshake->repeat();
    sendOutput(*socket);
    return true;
}

bool ServerAssociation::resumeHandshake(QUdpSocket *)
{
    setDtlsError(QDtlsError::InvalidOperation, QStringLiteral("no handshake waits to be resumed"));
    return false;
}

void ServerAssociation::abortHandshake(QUdpSocket *)
{
    clearDtlsError();
    end();
}

void ServerAssociation::sendShutdownAlert(QUdpSocket *socket)
{
    clearDtlsError();
    if (isConnectionEncrypted())
        endWith(*socket, closeNotify);
}

bool ServerAssociation::sendRecord(QUdpSocket &socket, ContentType type, QByteArrayView content)
{
    const QByteArrayView record = m_protection->seal(*m_state, m_place, type, content);
    if (record.isEmpty())
        return false;
    send(socket, record);
    return true;
}

qint64 ServerAssociation::writeDatagramEncrypted(QUdpSocket *socket, const QByteArray &plaintext)
{
    clearDtlsError();
    if (plaintext.size() > m_state->maximumPlaintext) {
        setDtlsError(
            QDtlsError::TlsNonFatalError,
            QStringLiteral("a record holds at most %1 bytes").arg(m_state->maximumPlaintext));
        return -1;
    }
    if (plaintext.isEmpty())
        return 0;
    if (isConnectionEncrypted() && sendRecord(*socket, m_state->sends, plaintext))
        return plaintext.size();
    setDtlsError(QDtlsError::TlsFatalError, QStringLiteral("the session's keys are used up"));
    end();
    return -1;
}

QByteArray ServerAssociation::decryptDatagram(QUdpSocket *socket, const QByteArray &datagram)
{
    clearDtlsError();
    QByteArray plaintext;
    RecordReader reader(datagram);
    while (isConnectionEncrypted()) {
        const auto record = reader.next();
        if (!record)
            break;
        read(*socket, *record, plaintext);
    }
    return plaintext;
}

void ServerAssociation::read(QUdpSocket &socket, const Record &record, QByteArray &plaintext)
{
    const auto [type, content] = m_protection->open(*m_state, m_place, record);
    if (m_state->verdict != AssociationState::Verdict::Authentic) {
        emptyErrorQueue();
        return;
    }
    switch (type) {
    case ContentType::ApplicationData:
        plaintext += content;
        return;
    case ContentType::Alert:
        takeAlert(socket, content);
        return;
    case ContentType::Handshake:
        takeHandshake(socket, content);
        return;
    case ContentType::ReturnRoutability:
        if (!m_state->checksPaths)
            break;
        m_state->verdict = AssociationState::Verdict::Routability;
        plaintext += content;
        return;
    case ContentType::ChangeCipherSpec:
    case ContentType::WithId:
        break;
    }
    m_state->verdict = AssociationState::Verdict::Refused;
}

void ServerAssociation::takeAlert(QUdpSocket &socket, QByteArrayView content)
{
    const auto alert = Alert::in(content);
    if (!alert) {
        m_state->verdict = AssociationState::Verdict::Refused;
    } else if (alert->description == AlertDescription::CloseNotify) {
        m_state->verdict = AssociationState::Verdict::Closed;
        endWith(socket, closeNotify); // RFC 5246 §7.2.1
        setDtlsError(QDtlsError::RemoteClosedConnectionError,
                     QStringLiteral("the peer has closed the session"));
    } else if (alert->level == Alert::Level::Fatal) {
        m_state->verdict = AssociationState::Verdict::Alerted;
        m_state->alert = *alert;
        setDtlsError(QDtlsError::TlsFatalError,
                     QStringLiteral("the peer has ended the session by an alert"));
        end();
    }
}

void ServerAssociation::takeHandshake(QUdpSocket &socket, QByteArrayView message)
{
    const auto fragment = HandshakeFragment::in(message);
    const bool isWhole = fragment && fragment->isWhole();
    if (isWhole && fragment->type == HandshakeFragment::finished &&
        std::ranges::equal(message.sliced(HandshakeFragment::headerSize), m_state->peerVerifyData,
                           {}, [](char byte) { return static_cast<unsigned char>(byte); }))
        repeatLastFlight(socket);
    else if (isWhole && fragment->type == HandshakeFragment::clientHello &&
             fragment->length <= ClientHello::maximumSize)
        sendRecord(socket, ContentType::Alert, noRenegotiation);
    else
        m_state->verdict = AssociationState::Verdict::Refused;
}

void ServerAssociation::repeatLastFlight(QUdpSocket &socket)
{
    if (m_state->nextClearSequence > AssociationState::lastSequence)
        return; // one more would be of epoch 1
    // RFC 6347 §4.2.4: in new records.
    QByteArray flight("\x14\xfe\xfd\0\0\0\0\0\0\0\0\0\x01\x01", 14); // change_cipher_spec, epoch 0
    qToBigEndian(m_state->nextClearSequence++, flight.data() + 3);
    const QByteArrayView record =
        m_protection->seal(*m_state, m_place, ContentType::Handshake, m_state->finishedView());
    if (record.isEmpty())
        return;
    send(socket, flight += record);
}

void ServerAssociation::endWith(QUdpSocket &socket, QByteArrayView alert)
{
    // Before it leaves: a session that may outlive the process does not after its end.
    m_state->phase = AssociationState::Phase::Closed;
    sendRecord(socket, ContentType::Alert, alert);
    end();
}

void ServerAssociation::end()
{
    m_handshake.reset();
    if (m_protection)
        m_protection->forget(*m_state, m_place);
    OPENSSL_cleanse(&m_state->read, sizeof m_state->read);
    OPENSSL_cleanse(&m_state->write, sizeof m_state->write);
    if (isConnectionEncrypted())
        m_state->phase = AssociationState::Phase::Closed;
    m_cipher = {};
}

} // namespace dtlsd
