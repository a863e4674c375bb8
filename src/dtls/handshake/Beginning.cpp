// SPDX-License-Identifier: Apache-2.0
#include "dtls/handshake/Beginning.h"

#include "core/ErrorQueue.h"
#include "dtls/DtlsConfiguration.h"

#include <QSslPreSharedKeyAuthenticator>

namespace dtlsd {

namespace {

// After 12 timeouts OpenSSL stops sending and only queues errors.
constexpr int maximumRetransmissions = 8;

} // namespace

Beginning::Beginning(const Session &session)
    : m_session(session)
{
    QDtls *dtls = &m_session.dtls;
    // Direct: the authenticator lives only during the call.
    QObject::connect(
        dtls, &QDtls::pskRequired, dtls,
        [this](QSslPreSharedKeyAuthenticator *authenticator) { provideKey(*authenticator); },
        Qt::DirectConnection);
    QObject::connect(dtls, &QDtls::handshakeTimeout, dtls, [this] { retransmit(); });
}

Beginning::Progress Beginning::start(Packet &packet)
{
    const ClientHello &hello = *packet.newHello();
    QDtls &dtls = m_session.dtls;
    m_filter.begin(hello.record);
    if (dtls.handshakeState() == QDtls::HandshakeNotStarted) {
        if (const auto offer = HelloOffer::in(hello.body); offer && lacksAGroup(*offer))
            dtls.setDtlsConfiguration(withoutGroups(dtls.dtlsConfiguration()));
    }
    Progress progress = Progress::UnderWay;
    {
        const SslView::Birth birth(*m_ssl);
        progress = advance(hello.record.bytes);
    }
    m_refusal.noteHello(hello.body);
    while (progress == Progress::UnderWay) {
        const auto fragment = packet.further.next();
        if (!fragment)
            break;
        progress = handshake(*fragment);
    }
    return progress;
}

Beginning::Progress Beginning::handshake(const Record &record)
{
    if (!isOfItsForm(record) || !m_filter.admits(record))
        return Progress::UnderWay;
    const bool isFinished = record.epoch == 1 && m_filter.sawChangeCipherSpec();
    const Progress progress = advance(record.bytes);
    const bool isDone = progress == Progress::Complete; // perhaps by a Finished that came early
    const SessionInfo &info = m_session.info;
    if ((isFinished || isDone) && info.hasIdentity() && progress != Progress::Failed)
        m_session.credentials.learn(m_session.credential, info.identity, info.path.peer, isDone);
    m_refusal.noteHello(m_ssl->hello());
    return progress;
}

/// Once an ID is agreed on, every sealed record has it (RFC 9146 §3).
bool Beginning::isOfItsForm(const Record &record) const
{
    return record.epoch == 0 ? !record.hasId() : m_session.association->isFormOf(record);
}

Beginning::Progress Beginning::advance(QByteArrayView bytes)
{
    emptyErrorQueue();
    QDtls &dtls = m_session.dtls;
    dtls.doHandshake(m_session.whereabouts.output(), bytes.toByteArray());
    if (dtls.handshakeState() == QDtls::HandshakeInProgress)
        return Progress::UnderWay;
    // Success with a decoy key can only be a mistake of ours.
    if (dtls.handshakeState() == QDtls::HandshakeComplete &&
        m_session.credential.verdict == Credential::Verdict::Known)
        return Progress::Complete;
    m_refusal.noteEnd(m_session.whereabouts.socket().lastOutput());
    return Progress::Failed;
}

void Beginning::provideKey(QSslPreSharedKeyAuthenticator &authenticator)
{
    SessionInfo &info = m_session.info;
    Credential &credential = m_session.credential;
    // OpenSSL passes identities as C strings, which would cut one with a NUL.
    info.identity = m_ssl->identity().value_or(authenticator.identity());
    credential = m_session.credentials.find(info.identity, info.path.peer);
    if (m_session.association.isInSlot())
        m_session.association.noteKey(markOf(credential.key, info.id));
    if (!credential.key.isEmpty())
        authenticator.setPreSharedKey(credential.key.bytes());
    credential.key = PskKey();
}

void Beginning::retransmit()
{
    // In any other state handleTimeout() crashes or starts a timer that nobody stops.
    if (m_session.dtls.handshakeState() != QDtls::HandshakeInProgress ||
        ++m_retransmissions > maximumRetransmissions)
        return;
    emptyErrorQueue();
    m_session.dtls.handleTimeout(m_session.whereabouts.output());
    m_session.whereabouts.socket().flush();
}

std::unique_ptr<SslView> Beginning::takeSsl()
{
    m_ssl->forgetHandshake();
    return std::move(m_ssl);
}

HandshakeFailure Beginning::failure(bool isUnderWay) const
{
    const Credential::Verdict verdict = m_session.credential.verdict;
    const bool isNamed = m_session.info.hasIdentity();
    const auto refused = m_refusal.reason(m_session.credentials.settings().tls.ciphers);
    if (!isNamed && refused)
        return *refused;
    if (isNamed && verdict == Credential::Verdict::UnknownIdentity)
        return HandshakeFailure::UnknownIdentity;
    if (isNamed && verdict == Credential::Verdict::AddressNotAllowed)
        return HandshakeFailure::AddressNotAllowed;
    if (!isUnderWay)
        return HandshakeFailure::Error;
    if (m_filter.clearAlert())
        return HandshakeFailure::Alert;
    return isNamed ? HandshakeFailure::WrongKeyOrLoss : HandshakeFailure::Timeout;
}

HandshakeFailed Beginning::failed(HandshakeFailure reason) const
{
    HandshakeFailed failed{m_session.info, reason};
    if (reason == HandshakeFailure::Alert)
        failed.alert = m_filter.clearAlert();
    if (reason == HandshakeFailure::NoSharedCipher) {
        failed.offered = m_refusal.offered();
        failed.ciphers = m_session.credentials.settings().tls.ciphers.text();
    }
    return failed;
}

} // namespace dtlsd
