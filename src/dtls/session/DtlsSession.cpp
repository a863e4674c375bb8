// SPDX-License-Identifier: Apache-2.0
#include "dtls/session/DtlsSession.h"

#include "core/ErrorQueue.h"
#include "dtls/DtlsConfiguration.h"
#include "wire/Packet.h"

#include <QSslCipher>

#include <utility>

namespace dtlsd {

DtlsSession::DtlsSession(const Setup &setup)
    : DtlsSession(setup, KeptState(setup.memory))
{
}

DtlsSession::DtlsSession(const Setup &setup, KeptState association, const Left &left)
    : DtlsSession(setup, std::move(association))
{
    m_info.identity = left.slot.identityView().toByteArray();
    m_credential = left.credential;
    m_ledger.received = left.slot.received;
    m_ledger.sent = left.slot.sent;
    m_whereabouts.setProved(left.slot.place.proved);
    if (m_association->hasId()) // perhaps to another socket
        m_association.moveTo(m_whereabouts.kept());
    place.touched = left.touched;
    // The state is complete already, so the backend does not look at the datagram.
    m_dtls.doHandshake(m_whereabouts.output(), QByteArrayLiteral("\0"));
    if (m_dtls.handshakeState() == QDtls::HandshakeComplete)
        becomeEstablished(left.established);
    else
        m_state = State::Ended;
}

DtlsSession::DtlsSession(const Setup &setup, KeptState association)
    : m_time(setup.time)
    , m_credentials(setup.credentials)
    , m_info{.id = setup.id, .path = setup.path}
    , m_whereabouts(setup.socket, setup.path)
    , m_association(std::move(association))
    , m_dtls(QSslSocket::SslServerMode)
    , m_beginning(std::make_unique<Beginning>(Beginning::Session{
          m_dtls, m_info, m_credential, m_credentials, m_association, m_whereabouts}))
{
    QSslConfiguration configuration = setup.configuration;
    if (setup.connectionId) {
        m_association->id = *setup.connectionId;
        m_association->ids = AssociationState::Ids::Offered;
    }
    if (setup.hasOwnBackend)
        configuration.setBackendConfigurationOption(
            AssociationState::option, QVariant::fromValue(static_cast<void *>(&*m_association)));
    m_dtls.setDtlsConfiguration(configuration);
    m_dtls.setMtuHint(setup.mtu);
    // Takes effect, although Qt 6.4 returns false.
    m_dtls.setCookieGeneratorParameters(setup.cookie);
    m_dtls.setPeer(setup.path.peer.address(), setup.path.peer.port());
}

std::chrono::microseconds DtlsSession::lasted() const
{
    const Clock::time_point now = m_time.now();
    return std::chrono::duration_cast<std::chrono::microseconds>(now - m_established.value_or(now));
}

bool DtlsSession::isFrom(QByteArrayView clientRandom) const
{
    return m_clientRandom == qHash(clientRandom, QHashSeed::globalSeed());
}

bool DtlsSession::hasAnswered() const
{
    return m_beginning && m_beginning->hasAnswered();
}

bool DtlsSession::renewCredential(const PskStore &before)
{
    if (m_credential.verdict != Credential::Verdict::Known)
        return true; // it never was Known
    m_credential = m_credentials.renewed(m_credential, m_info.identity, m_info.path.peer, before);
    return m_credential.verdict == Credential::Verdict::Known;
}

void DtlsSession::start(QByteArrayView datagram)
{
    Packet packet(datagram);
    const ClientHello *hello = packet.newHello();
    if (m_state != State::Handshaking || !hello)
        return;
    m_clientRandom = qHash(hello->random, QHashSeed::globalSeed());
    take(m_beginning->start(packet));
}

void DtlsSession::handshake(const Record &record)
{
    if (m_state == State::Handshaking)
        take(m_beginning->handshake(record));
}

void DtlsSession::take(Beginning::Progress progress)
{
    if (progress == Beginning::Progress::Complete) {
        becomeEstablished(m_time.now());
        m_association.open(m_info, m_whereabouts.kept(), m_time.bootTime());
    } else if (progress == Beginning::Progress::Failed) {
        m_state = State::Ended;
    }
}

void DtlsSession::becomeEstablished(Clock::time_point since)
{
    const bool isOwn = m_association->phase == AssociationState::Phase::Open;
    m_info.cipher = isOwn ? CipherSuite{m_association->suite}
                          : CipherSuite::named(m_dtls.sessionCipher().name().toLatin1());
    if (m_association->hasId())
        m_info.connectionId = m_association->id;
    m_limits = &SuiteLimits::of(m_info.cipher.opensslName());
    if (!isOwn) {
        m_sslRecords = std::make_unique<SslRecords>(m_beginning->takeSsl(), *m_limits);
        m_association->maximumPlaintext =
            static_cast<std::uint16_t>(m_sslRecords->maximumPlaintext());
    }
    m_dtls.disconnect(); // there is no more to ask or to repeat
    m_beginning.reset();
    m_state = State::Established;
    m_established = since;
}

DtlsSession::Opened DtlsSession::decrypt(const Record &record, DatagramSocket &socket,
                                         const Path &path)
{
    using Verdict = AssociationState::Verdict;
    if (m_state != State::Established || (m_sslRecords && !m_sslRecords->admits(record)))
        return {};
    emptyErrorQueue();
    const bool isElsewhere = path != m_info.path;
    const AssociationState::Window before = m_association->window;
    auto earned = Whereabouts::earnedBy(record.bytes.size());
    // What the backend answers goes back to where the record came from.
    QUdpSocket *const output =
        isElsewhere ? m_whereabouts.output(socket, path, earned) : m_whereabouts.output();
    // Qt's backend may keep a record that it has not read.
    const QByteArray payload = m_dtls.decryptDatagram(
        output, m_sslRecords ? record.bytes.toByteArray()
                             : QByteArray::fromRawData(record.bytes.data(), record.bytes.size()));
    if (m_sslRecords)
        m_sslRecords->note(record, payload, m_dtls, *m_association);
    Opened opened{m_association->verdict, payload};
    const bool isNewest = m_association->window.top != before.top;
    if (isElsewhere && isNewest) {
        opened.former = std::exchange(m_info.path, path);
        m_whereabouts.moveTo(socket, path, earned);
    } else if (!isElsewhere && m_association->window != before) {
        m_whereabouts.earn(record.bytes.size());
    }
    const bool isRoutability = opened.verdict == Verdict::Routability;
    if (isRoutability) {
        if (path == m_info.path)
            sendRoutability(m_whereabouts.answerTo(std::exchange(opened.payload, {})));
        opened = {Verdict::Authentic, {}, opened.former};
    }
    if (m_association->checksPaths && isNewest)
        sendRoutability(m_whereabouts.challenge());
    if (opened.former || isRoutability)
        m_association.moveTo(m_whereabouts.kept());
    if (!opened.payload.isEmpty())
        m_ledger.received += opened.payload;
    if (opened.verdict == Verdict::Authentic)
        m_association.noteReceived(m_ledger.received, m_time);
    if (const auto reason = endOf(opened.verdict)) {
        m_closeReason = *reason;
        m_state = State::Ended;
    } else {
        closeIfKeysAreUsedUp();
    }
    return opened;
}

std::optional<CloseReason> DtlsSession::endOf(AssociationState::Verdict verdict)
{
    switch (verdict) {
    case AssociationState::Verdict::Closed:
        return CloseReason::CloseNotify;
    case AssociationState::Verdict::Alerted:
        return CloseReason::Alert;
    case AssociationState::Verdict::Broken:
        return CloseReason::Error;
    default:
        return std::nullopt;
    }
}

bool DtlsSession::mayComeAlong(const Path &path, std::size_t network)
{
    if (!m_credentials.admits(m_info.identity, path.peer))
        return false;
    // The last quarter of what may fail is for the paths that are its own, so that strangers who
    // have seen the ID can stop its moves, but not end it.
    return m_whereabouts.isProved(path) ||
           (m_association->forgeries < m_limits->forgeries / 4 * 3 &&
            m_whereabouts.mayTry(network, m_time.now()));
}

/// @p message of RFC 9853; empty: none.
void DtlsSession::sendRoutability(const QByteArray &message)
{
    m_association->sends = ContentType::ReturnRoutability;
    // If it fails, so does what is sent next, and is noticed there.
    static_cast<void>(m_dtls.writeDatagramEncrypted(m_whereabouts.output(), message));
    m_association->sends = ContentType::ApplicationData;
}

SessionClosed DtlsSession::closed(CloseReason reason) const
{
    SessionClosed closed{m_info, reason, lasted(), m_ledger.received, m_ledger.sent};
    if (reason == CloseReason::Alert)
        closed.alert = m_association->alert;
    return closed;
}

QByteArray DtlsSession::replyTo(const QByteArray &payload) const
{
    return m_reply->render(
        {m_info.path.peer, m_info.identity, payload, m_ledger.received.datagrams});
}

Delivery DtlsSession::send(const QByteArray &plaintext)
{
    if (m_state != State::Established || plaintext.isEmpty())
        return Delivery::Failed;
    if (!takes(plaintext))
        return Delivery::TooLong;
    emptyErrorQueue();
    const std::uint64_t dropped = m_whereabouts.dropped();
    if (m_dtls.writeDatagramEncrypted(m_whereabouts.output(), plaintext) < 0) {
        // Our output accepts everything, so the backend refused: the session is over.
        m_closeReason = CloseReason::Error;
        m_state = State::Ended;
        return Delivery::Failed;
    }
    const bool isUnearned = m_whereabouts.dropped() != dropped;
    if (!isUnearned) {
        m_ledger.sent += plaintext;
        m_association.noteSent(m_ledger.sent);
    }
    if (m_sslRecords)
        ++m_association->nextSequence;
    closeIfKeysAreUsedUp();
    return isUnearned ? Delivery::Unearned : Delivery::Sent;
}

void DtlsSession::closeIfKeysAreUsedUp()
{
    if (!m_association->isUsedUp(*m_limits))
        return;
    close();
    m_closeReason = CloseReason::KeyUsage;
}

void DtlsSession::close()
{
    emptyErrorQueue();
    if (m_state == State::Established)
        m_dtls.shutdown(m_whereabouts.output());
    m_state = State::Ended;
}

} // namespace dtlsd
