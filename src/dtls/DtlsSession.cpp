// SPDX-License-Identifier: Apache-2.0
#include "dtls/DtlsSession.h"

#include "core/ErrorQueue.h"
#include "dtls/DtlsConfiguration.h"

#include <QSslCipher>
#include <QSslPreSharedKeyAuthenticator>

#include <utility>

namespace dtlsd {

namespace {

// After 12 timeouts OpenSSL stops sending and only leaves errors behind.
constexpr int maximumRetransmissions = 8;

constexpr std::chrono::minutes badRecordInterval{1};

} // namespace

DtlsSession::DtlsSession(const Setup &setup)
    : m_socket(setup.socket)
    , m_time(setup.time)
    , m_credentials(setup.credentials)
    , m_info(setup.id, setup.path)
    , m_dtls(QSslSocket::SslServerMode)
{
    m_dtls.setDtlsConfiguration(setup.configuration);
    m_dtls.setMtuHint(setup.mtu);
    // Works, although Qt 6.4 returns false.
    m_dtls.setCookieGeneratorParameters(setup.cookie);
    m_dtls.setPeer(setup.path.peer.address(), setup.path.peer.port());
    // Direct: the authenticator lives only during the call.
    QObject::connect(
        &m_dtls, &QDtls::pskRequired, &m_dtls,
        [this](QSslPreSharedKeyAuthenticator *authenticator) { provideKey(*authenticator); },
        Qt::DirectConnection);
    QObject::connect(&m_dtls, &QDtls::handshakeTimeout, &m_dtls, [this] { retransmit(); });
}

void DtlsSession::setState(State state)
{
    m_state = state;
    if (state == State::Established)
        m_established = m_time.now();
}

std::chrono::microseconds DtlsSession::lasted() const
{
    const Clock::time_point now = m_time.now();
    return std::chrono::duration_cast<std::chrono::microseconds>(now - m_established.value_or(now));
}

bool DtlsSession::isFrom(QByteArrayView clientRandom) const
{
    return QByteArrayView(m_clientRandom) == clientRandom;
}

bool DtlsSession::renewCredential(const PskStore &before)
{
    if (m_credential.verdict != Credential::Verdict::Known)
        return true; // it never was
    m_credential = m_credentials.renewed(m_credential, m_info.identity, m_info.path.peer, before);
    return m_credential.verdict == Credential::Verdict::Known;
}

void DtlsSession::start(QByteArrayView hello)
{
    RecordReader reader(hello);
    const auto first = reader.next();
    if (m_state != State::Handshaking || !first)
        return;
    m_filter.begin(*first);
    m_clientRandom = clientHelloRandom(hello).value_or(QByteArrayView()).toByteArray();
    advance(first->bytes);
    while (const auto fragment = reader.next())
        handshake(*fragment);
}

void DtlsSession::handshake(const Record &record)
{
    if (m_state != State::Handshaking || !m_filter.admits(record))
        return;
    advance(record.bytes);

    const bool isFinished = record.epoch == 1 && record.type == ContentType::Handshake &&
                            m_filter.sawChangeCipherSpec() && !m_info.identity.isEmpty();
    if (isFinished && m_state != State::Ended)
        m_credentials.learn(m_credential, m_info.identity, m_info.path.peer,
                            m_state == State::Established);
}

void DtlsSession::advance(QByteArrayView bytes)
{
    emptyErrorQueue();
    m_dtls.doHandshake(output(), bytes.toByteArray());
    if (m_dtls.handshakeState() == QDtls::HandshakeInProgress)
        return;
    // A handshake that succeeds with a decoy key can only be a mistake of ours.
    const bool complete = m_dtls.handshakeState() == QDtls::HandshakeComplete &&
                          m_credential.verdict == Credential::Verdict::Known;
    if (!complete) {
        if (const auto record = RecordReader(m_socket.lastOutput()).next())
            m_alert = record->clearAlert();
        setState(State::Ended);
        return;
    }
    m_info.cipher = m_dtls.sessionCipher().name().toLatin1();
    m_info.protocol = m_dtls.sessionProtocol() == QSsl::DtlsV1_2 ? "DTLSv1.2" : "unknown";
    m_keyUsage = KeyUsage(SuiteLimits::of(m_info.cipher));
    setState(State::Established);
}

void DtlsSession::provideKey(QSslPreSharedKeyAuthenticator &authenticator)
{
    m_info.identity = authenticator.identity();
    m_credential = m_credentials.find(m_info.identity, m_info.path.peer);
    if (!m_credential.key.isEmpty())
        authenticator.setPreSharedKey(m_credential.key.bytes());
    m_credential.key = PskKey();
}

void DtlsSession::retransmit()
{
    // In any other state handleTimeout() crashes or starts a timer that nobody stops.
    if (m_dtls.handshakeState() != QDtls::HandshakeInProgress ||
        ++m_retransmissions > maximumRetransmissions)
        return;
    emptyErrorQueue();
    m_dtls.handleTimeout(output());
    m_socket.flush();
}

HandshakeFailure DtlsSession::handshakeFailure() const
{
    if (m_alert == AlertDescription::HandshakeFailure)
        return HandshakeFailure::NoSharedCipher;
    if (m_alert == AlertDescription::ProtocolVersion)
        return HandshakeFailure::ProtocolVersion;
    const bool gaveUp = m_state == State::Handshaking;
    if (m_info.identity.isEmpty())
        return gaveUp ? HandshakeFailure::Timeout : HandshakeFailure::Error;
    if (m_credential.verdict == Credential::Verdict::UnknownIdentity)
        return HandshakeFailure::UnknownIdentity;
    if (m_credential.verdict == Credential::Verdict::AddressNotAllowed)
        return HandshakeFailure::AddressNotAllowed;
    return gaveUp ? HandshakeFailure::WrongKeyOrLoss : HandshakeFailure::Error;
}

QByteArray DtlsSession::decrypt(const Record &record)
{
    // Of one of another version OpenSSL drops the header, and takes its fragment for records.
    if (m_state != State::Established || !record.isOfDtls12() ||
        !m_keyUsage.fits(record.fragment()))
        return {};
    emptyErrorQueue();
    QByteArray plaintext = m_dtls.decryptDatagram(output(), record.bytes.toByteArray());
    // With a clean queue and AEAD suites an error means that the association is dead, although
    // QDtls goes on calling it encrypted.
    if (m_dtls.dtlsError() != QDtlsError::NoError) {
        m_closeReason = m_dtls.dtlsError() == QDtlsError::RemoteClosedConnectionError
                            ? CloseReason::CloseNotify
                            : CloseReason::Error;
        setState(State::Ended);
        return plaintext;
    }
    plaintext.isEmpty() ? m_keyUsage.noteRefused() : m_keyUsage.noteReceived();
    closeIfKeysAreUsedUp();
    return plaintext;
}

QByteArray DtlsSession::replyTo(const QByteArray &payload) const
{
    if (reply->isEcho()) // without a look at the names, which are in nobody's cache
        return payload;
    return reply->render({m_info.text().peer, m_info.identity, payload, received.datagrams});
}

bool DtlsSession::send(const QByteArray &plaintext)
{
    if (m_state != State::Established || plaintext.isEmpty() ||
        plaintext.size() > Record::maximumPlaintext)
        return false;
    emptyErrorQueue();
    if (m_dtls.writeDatagramEncrypted(output(), plaintext) < 0) {
        // Our output takes everything, so it was OpenSSL that refused: a fatal alert was exchanged.
        m_closeReason = CloseReason::Error;
        setState(State::Ended);
        return false;
    }
    sent += plaintext;
    m_keyUsage.noteSent();
    closeIfKeysAreUsedUp();
    return true;
}

void DtlsSession::closeIfKeysAreUsedUp()
{
    if (!m_keyUsage.isOver())
        return;
    close();
    m_closeReason = CloseReason::KeyUsage;
}

void DtlsSession::close()
{
    emptyErrorQueue();
    if (m_state == State::Established)
        m_dtls.shutdown(output());
    setState(State::Ended);
}

std::optional<std::uint64_t> DtlsSession::noteBadRecord()
{
    ++m_badRecords;
    const Clock::time_point now = m_time.now();
    if (m_badRecordsReported && now - *m_badRecordsReported < badRecordInterval)
        return std::nullopt;
    m_badRecordsReported = now;
    return m_badRecords - std::exchange(m_reportedBadRecords, m_badRecords);
}

SessionReport DtlsSession::report(AgeOrder::Clock::time_point now) const
{
    const auto since = [now](Clock::time_point then) {
        return std::chrono::duration_cast<std::chrono::microseconds>(now - then);
    };
    return {m_info,
            m_state == State::Established,
            since(m_established.value_or(place.touched)),
            since(place.touched),
            received,
            sent,
            m_badRecords};
}

} // namespace dtlsd
