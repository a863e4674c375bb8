// SPDX-License-Identifier: Apache-2.0
#include "dtls/DtlsSession.h"

#include "core/ErrorQueue.h"
#include "dtls/DtlsConfiguration.h"
#include "wire/Packet.h"

#include <QSslCipher>
#include <QSslPreSharedKeyAuthenticator>

#include <algorithm>

namespace dtlsd {

namespace {

// After 12 timeouts OpenSSL stops sending and only queues errors.
constexpr int maximumRetransmissions = 8;

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
    // Takes effect, although Qt 6.4 returns false.
    m_dtls.setCookieGeneratorParameters(setup.cookie);
    m_dtls.setPeer(setup.path.peer.address(), setup.path.peer.port());
    // Direct: the authenticator lives only during the call.
    QObject::connect(
        &m_dtls, &QDtls::pskRequired, &m_dtls,
        [this](QSslPreSharedKeyAuthenticator *authenticator) { provideKey(*authenticator); },
        Qt::DirectConnection);
    QObject::connect(&m_dtls, &QDtls::handshakeTimeout, &m_dtls, [this] { retransmit(); });
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
        return true; // it never was Known
    m_credential = m_credentials.renewed(m_credential, m_info.identity, m_info.path.peer, before);
    return m_credential.verdict == Credential::Verdict::Known;
}

void DtlsSession::start(QByteArrayView hello)
{
    Packet packet(hello);
    if (m_state != State::Handshaking || !packet.isHello())
        return;
    m_filter.begin(*packet.first);
    m_clientRandom = packet.hello->random.toByteArray();
    const QByteArrayView body = packet.hello->body;
    if (m_dtls.handshakeState() == QDtls::HandshakeNotStarted) {
        if (const auto offer = HelloOffer::in(body); offer && lacksAGroup(*offer))
            m_dtls.setDtlsConfiguration(withoutGroups(m_dtls.dtlsConfiguration()));
    }
    {
        const SslView::Birth birth(m_ssl);
        advance(packet.first->bytes);
    }
    m_refusal.noteHello(body);
    while (const auto fragment = packet.further.next())
        handshake(*fragment);
}

void DtlsSession::handshake(const Record &record)
{
    if (m_state != State::Handshaking || !m_filter.admits(record))
        return;
    advance(record.bytes);

    const bool isFinished = record.epoch == 1 && record.type == ContentType::Handshake &&
                            m_filter.sawChangeCipherSpec() && m_info.hasIdentity();
    if (isFinished && m_state != State::Ended)
        m_credentials.learn(m_credential, m_info.identity, m_info.path.peer,
                            m_state == State::Established);
    m_refusal.noteHello(m_ssl.hello());
}

void DtlsSession::advance(QByteArrayView bytes)
{
    emptyErrorQueue();
    m_dtls.doHandshake(output(), bytes.toByteArray());
    if (m_dtls.handshakeState() == QDtls::HandshakeInProgress)
        return;
    // Success with a decoy key can only be a mistake of ours.
    const bool complete = m_dtls.handshakeState() == QDtls::HandshakeComplete &&
                          m_credential.verdict == Credential::Verdict::Known;
    if (!complete) {
        m_refusal.noteEnd(m_socket.lastOutput());
        m_state = State::Ended;
        return;
    }
    becomeEstablished();
}

void DtlsSession::becomeEstablished()
{
    m_info.cipher = m_dtls.sessionCipher().name().toLatin1();
    m_info.protocol = m_dtls.sessionProtocol() == QSsl::DtlsV1_2 ? "DTLSv1.2" : "unknown";
    const SuiteLimits limits = SuiteLimits::of(m_info.cipher);
    m_keyUsage = KeyUsage(limits);
    m_sessionFilter = SessionFilter(limits);
    m_maximumPlaintext = std::min(m_ssl.maximumPlaintext(), m_maximumPlaintext);
    m_ssl.forgetHandshake();
    m_state = State::Established;
    m_established = m_time.now();
}

void DtlsSession::provideKey(QSslPreSharedKeyAuthenticator &authenticator)
{
    // OpenSSL passes identities as C strings, which would cut one with a NUL.
    m_info.identity = m_ssl.identity().value_or(authenticator.identity());
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
    const bool isNamed = m_info.hasIdentity();
    const auto refusal = m_refusal.reason(m_credentials.settings().tls.ciphers);
    if (!isNamed && refusal)
        return *refusal;
    if (isNamed && m_credential.verdict == Credential::Verdict::UnknownIdentity)
        return HandshakeFailure::UnknownIdentity;
    if (isNamed && m_credential.verdict == Credential::Verdict::AddressNotAllowed)
        return HandshakeFailure::AddressNotAllowed;
    if (m_state != State::Handshaking)
        return HandshakeFailure::Error;
    if (m_filter.clearAlert())
        return HandshakeFailure::Alert;
    return isNamed ? HandshakeFailure::WrongKeyOrLoss : HandshakeFailure::Timeout;
}

HandshakeFailed DtlsSession::handshakeFailed(HandshakeFailure reason) const
{
    HandshakeFailed failed{m_info, reason};
    if (reason == HandshakeFailure::Alert)
        failed.alert = m_filter.clearAlert();
    if (reason == HandshakeFailure::NoSharedCipher) {
        failed.offered = m_refusal.offered();
        failed.ciphers = m_credentials.settings().tls.ciphers.text();
    }
    return failed;
}

DtlsSession::Opened DtlsSession::decrypt(const Record &record)
{
    if (m_state != State::Established || !m_sessionFilter.admits(record))
        return {};
    emptyErrorQueue();
    const QByteArray payload = m_dtls.decryptDatagram(output(), record.bytes.toByteArray());
    if (!payload.isEmpty())
        m_received += payload;
    // With an empty error queue and AEAD suites an error means that the association is dead,
    // although QDtls still reports it as encrypted. A message of another handshake means that the
    // device has begun one in fragments, which OpenSSL would collect without limit.
    if (m_dtls.dtlsError() != QDtlsError::NoError || m_ssl.isInAHandshake()) {
        endAfterReading();
        return {Opened::Verdict::Authentic, payload};
    }
    const Opened::Verdict verdict = verdictOn(record, payload);
    verdict == Opened::Verdict::Authentic ? m_keyUsage.noteReceived() : m_keyUsage.noteRefused();
    closeIfKeysAreUsedUp();
    return {verdict, payload};
}

DtlsSession::Opened::Verdict DtlsSession::verdictOn(const Record &record,
                                                    const QByteArray &payload) const
{
    if (record.type == ContentType::Handshake)
        return Opened::Verdict::Repetition;
    // QDtls reports an empty record and a dropped one alike.
    const bool isAuthentic =
        !payload.isEmpty() || (m_sessionFilter.looksEmpty(record) && m_ssl.hasReadAnEmptyRecord());
    return isAuthentic ? Opened::Verdict::Authentic : Opened::Verdict::Refused;
}

void DtlsSession::endAfterReading()
{
    const auto &alert = m_ssl.alert();
    if (m_dtls.dtlsError() == QDtlsError::RemoteClosedConnectionError)
        m_closeReason = CloseReason::CloseNotify;
    else
        m_closeReason = alert ? CloseReason::Alert : CloseReason::Error;
    m_state = State::Ended;
}

SessionClosed DtlsSession::closed(CloseReason reason) const
{
    SessionClosed closed{m_info, reason, lasted(), m_received, m_sent};
    if (reason == CloseReason::Alert)
        closed.alert = m_ssl.alert();
    return closed;
}

QByteArray DtlsSession::replyTo(const QByteArray &payload) const
{
    if (m_reply->isEcho()) // saves a cache miss on the session's names
        return payload;
    return m_reply->render({m_info.text().peer, m_info.identity, payload, m_received.datagrams});
}

bool DtlsSession::send(const QByteArray &plaintext)
{
    if (m_state != State::Established || plaintext.isEmpty() || !takes(plaintext))
        return false;
    emptyErrorQueue();
    if (m_dtls.writeDatagramEncrypted(output(), plaintext) < 0) {
        // Our output accepts everything, so OpenSSL refused: a fatal alert was exchanged.
        m_closeReason = CloseReason::Error;
        m_state = State::Ended;
        return false;
    }
    m_sent += plaintext;
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
    m_state = State::Ended;
}

std::optional<PeerMisbehaving> DtlsSession::noteBadRecord()
{
    const auto count = m_badRecords.note(m_time.now());
    return count ? std::optional(PeerMisbehaving{m_info, *count}) : std::nullopt;
}

std::optional<ReplyDropped> DtlsSession::noteDroppedReply(const QByteArray &dropped)
{
    m_droppedReply = dropped.size();
    const auto count = m_droppedReplies.note(m_time.now());
    return count ? std::optional(ReplyDropped{m_info, *count, m_droppedReply, m_maximumPlaintext})
                 : std::nullopt;
}

std::vector<ServerEvent> DtlsSession::unreported() const
{
    std::vector<ServerEvent> events;
    if (const std::uint64_t count = m_badRecords.unreported())
        events.emplace_back(PeerMisbehaving{m_info, count});
    if (const std::uint64_t count = m_droppedReplies.unreported())
        events.emplace_back(ReplyDropped{m_info, count, m_droppedReply, m_maximumPlaintext});
    return events;
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
            m_received,
            m_sent,
            m_badRecords.total()};
}

} // namespace dtlsd
