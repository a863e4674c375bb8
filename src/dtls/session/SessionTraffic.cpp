// SPDX-License-Identifier: Apache-2.0
#include "dtls/session/SessionTraffic.h"

#include <optional>
#include <utility>

namespace dtlsd {

namespace {

// More than any flight or burst of messages has; a datagram of minimal records could hold 5,000.
constexpr int recordsPerDatagram = 256;

} // namespace

/// Gives each record of @p packet to @p receive, which returns false to end that, with the
/// datagram's bytes for the first. Returns whether all of it was well-formed.
bool SessionTraffic::forEachRecord(Packet &packet, const auto &receive)
{
    std::optional<Record> record = packet.first;
    QByteArrayView ciphertext = packet.bytes; // to be logged once
    int i = 0;
    for (; record && i < recordsPerDatagram; ++i, record = packet.further.next()) {
        if (!receive(*record, std::exchange(ciphertext, {})))
            return true;
    }
    const qsizetype rest = packet.further.rest().size();
    return !record && rest < Record::headerSize && (i == 0 || rest == 0);
}

void SessionTraffic::receive(SessionTable::Peer &peer, const Way &way, Packet packet,
                             Clock::time_point now)
{
    const auto take = [&](const Record &record, QByteArrayView ciphertext) {
        DtlsSession *const withId = record.hasId() ? m_sessions.find(record.id()) : nullptr;
        if (withId && withId->path() != way.path)
            return false; // not behind its Finished: of another device
        if (withId)
            receiveRecord(*withId, way, record, ciphertext, now);
        else
            receiveRecord(peer, way, record, ciphertext, now);
        return true;
    };
    if (!forEachRecord(packet, take))
        noteBadRecord(peer.established.get(), now);
}

void SessionTraffic::receive(DtlsSession &session, const Way &way, Packet packet,
                             Clock::time_point now)
{
    const auto take = [&](const Record &record, QByteArrayView ciphertext) {
        if (!session.isMeantBy(record)) // RFC 9146 leaves open what else would follow
            return false;
        receiveRecord(session, way, record, ciphertext, now);
        return session.place.isIn;
    };
    if (!forEachRecord(packet, take) && way.path == session.path())
        noteBadRecord(&session, now);
}

/// Of a session with an ID. Records from elsewhere that are not authentic are of a limited number.
void SessionTraffic::receiveRecord(DtlsSession &session, const Way &way, const Record &record,
                                   QByteArrayView datagram, Clock::time_point now)
{
    using Verdict = AssociationState::Verdict;
    if (!m_keeper.isAdmitted(session))
        return;
    const bool isElsewhere = way.path != session.path();
    const std::size_t network =
        isElsewhere ? way.path.peer.network().hash(QHashSeed::globalSeed()) : 0;
    if (isElsewhere &&
        !(session.mayComeAlong(way.path, network) && m_elsewhere.admit(network, now))) {
        m_unverified.note(&UnverifiedCounts::elsewhere, now);
        return;
    }
    const Verdict verdict = open(session, way, record, datagram, now);
    if (isElsewhere && verdict == Verdict::Authentic) {
        session.cameAlong(way.path, network);
        m_elsewhere.giveBack(network);
    }
    if (verdict == Verdict::Authentic || verdict == Verdict::Closed || verdict == Verdict::Unknown)
        return;
    if (isElsewhere)
        m_unverified.note(&UnverifiedCounts::elsewhere, now);
    else
        noteBadRecord(&session, now);
}

/// How a record is handled, by its type and the sessions of its peer:
///
///                   only pending     pending and established       only established    gone
///   clear           handshake()      handshake()                   bad, but see below  dropped
///   sealed          dropped          decrypt(); else bad           decrypt()           dropped
///   Handshake       handshake()      decrypt(); else handshake()   decrypt()           dropped
///   (sealed)
///
/// With an established session alone, a clear record may repeat the client's last flight, which is
/// no misbehaviour. Hellos do not get here: they go to Handshakes.
void SessionTraffic::receiveRecord(SessionTable::Peer &peer, const Way &way, const Record &record,
                                   QByteArrayView datagram, Clock::time_point now)
{
    using Verdict = AssociationState::Verdict;
    if (peer.isGone())
        return; // ended by an earlier record of this datagram
    DtlsSession *established = peer.established.get();
    DtlsSession *pending = peer.pending.get();

    Verdict verdict = Verdict::Refused;
    if (established && record.epoch != 0) {
        if (!m_keeper.isAdmitted(*established))
            return;
        verdict = open(*established, way, record, datagram, now);
        if (verdict == Verdict::Authentic || verdict == Verdict::Closed)
            return;
    }
    if (pending && (record.isOfAHandshake() || record.hasId())) {
        if (m_keeper.isAdmitted(*pending))
            m_handshakes.handle(*pending, record);
        return;
    }
    if (verdict != Verdict::Unknown && (established || !pending) && !record.isOfAClearFlight())
        noteBadRecord(established, now);
}

AssociationState::Verdict SessionTraffic::open(DtlsSession &session, const Way &way,
                                               const Record &record, QByteArrayView datagram,
                                               Clock::time_point now)
{
    using Verdict = AssociationState::Verdict;
    const DtlsSession::Opened opened = session.decrypt(record, way.socket, way.path);
    if (opened.former) {
        m_sessions.noteMove(session, *opened.former);
        if (const auto moved = session.moved(*opened.former))
            m_owner.moved(*moved);
    }
    if (opened.verdict == Verdict::Authentic)
        m_sessions.established().touch(session, now);
    if (!opened.payload.isEmpty())
        deliver(session, opened.payload, datagram, now);
    if (session.state() != DtlsSession::State::Ended)
        return opened.verdict;
    m_owner.end(session, session.closeReason());
    return Verdict::Closed;
}

void SessionTraffic::deliver(DtlsSession &session, const QByteArray &payload,
                             QByteArrayView datagram, Clock::time_point now)
{
    m_statistics.received += payload;
    if (session.rate() && !session.rate()->admit(now)) {
        ++m_statistics.overRate;
        m_overRate.note(session.rate());
        report(now);
        return;
    }
    const QByteArray reply = session.replyTo(payload);
    if (!m_isHeard) {
        answer(session, reply);
        return;
    }
    const SessionInfo &info = session.info();
    m_owner.heard(Datagram{info, session.ledger().received.datagrams, payload,
                           m_keepsCiphertext ? datagram.toByteArray() : QByteArray(), reply});
}

Delivery SessionTraffic::answer(DtlsSession &session, const QByteArray &reply)
{
    const Delivery delivery = session.send(reply);
    if (delivery == Delivery::Sent) {
        m_statistics.sent += reply;
    } else if (delivery == Delivery::Unearned) {
        ++m_statistics.repliesUnearned;
    } else if (delivery == Delivery::TooLong) {
        ++m_statistics.repliesTooLong;
        if (const auto dropped = session.noteDroppedReply(reply))
            m_owner.warn(*dropped);
    }
    return delivery;
}

Delivery SessionTraffic::send(std::span<const Outbound> datagrams)
{
    Delivery last = Delivery::Failed;
    for (const Outbound &datagram : datagrams)
        last = send(datagram);
    return last;
}

Delivery SessionTraffic::send(const Outbound &datagram)
{
    DtlsSession *session = m_sessions.find(datagram.session);
    if (!session)
        ++m_statistics.repliesTooLate;
    if (!session || !m_keeper.isAdmitted(*session))
        return Delivery::Failed;
    const Delivery delivery = answer(*session, datagram.payload);
    if (session->state() == DtlsSession::State::Ended)
        m_owner.end(*session, session->closeReason());
    return delivery;
}

void SessionTraffic::noteBadRecord(DtlsSession *session, Clock::time_point now)
{
    if (!session) {
        m_unverified.note(&UnverifiedCounts::malformed, now);
        return;
    }
    ++m_statistics.badRecords;
    if (const auto misbehaving = session->noteBadRecord())
        m_owner.warn(*misbehaving);
}

void SessionTraffic::report(Clock::time_point now)
{
    for (const IdentityLimited &event : m_overRate.report(now))
        m_owner.warn(event);
}

} // namespace dtlsd
