// SPDX-License-Identifier: Apache-2.0
#include "dtls/SessionTraffic.h"

#include <optional>
#include <utility>

namespace dtlsd {

namespace {

// More than any flight or burst of messages has; a datagram of minimal records could hold 5,000.
constexpr int recordsPerDatagram = 256;

} // namespace

void SessionTraffic::receive(SessionTable::Peer &peer, Packet packet, Clock::time_point now)
{
    std::optional<Record> record = packet.first;
    QByteArrayView ciphertext = packet.bytes; // goes with the first record, to be logged once
    int i = 0;
    for (; record && i < recordsPerDatagram; ++i, record = packet.further.next())
        receiveRecord(peer, *record, std::exchange(ciphertext, {}), now);
    const qsizetype rest = packet.further.rest().size();
    if (record || rest >= Record::headerSize || (i > 0 && rest > 0))
        noteBadRecord(peer, now);
}

/// How a record is handled, by its type and the sessions of its peer:
///
///                          only pending     pending and established   only established    gone
///   clear, or Handshake    handshake()      handshake()               bad, but see below  dropped
///   other, encrypted       dropped          decrypt()                 decrypt()           dropped
///
/// With an established session alone, a clear record may repeat the client's last flight, which is
/// no misbehaviour; an encrypted Handshake is decrypted. Hellos do not get here: they go to
/// Handshakes.
void SessionTraffic::receiveRecord(SessionTable::Peer &peer, const Record &record,
                                   QByteArrayView datagram, Clock::time_point now)
{
    if (peer.isGone())
        return; // ended by an earlier record of this datagram
    DtlsSession *established = peer.established.get();
    DtlsSession *pending = peer.pending.get();

    if (pending && record.isOfAHandshake()) {
        if (m_keeper.isAdmitted(*pending))
            m_handshakes.handle(*pending, record);
        return;
    }
    if (established && record.epoch != 0 && !m_keeper.isAdmitted(*established))
        return;
    const bool wasIts =
        established && record.epoch != 0 && open(*established, record, datagram, now);
    if (!wasIts && !pending && !record.isOfAClearFlight())
        noteBadRecord(peer, now);
}

bool SessionTraffic::open(DtlsSession &session, const Record &record, QByteArrayView datagram,
                          Clock::time_point now)
{
    const DtlsSession::Opened opened = session.decrypt(record);
    if (opened.verdict == DtlsSession::Opened::Verdict::Authentic)
        m_sessions.established().touch(session, now);
    if (!opened.payload.isEmpty())
        deliver(session, opened.payload, datagram, now);
    if (session.state() != DtlsSession::State::Ended)
        return opened.verdict != DtlsSession::Opened::Verdict::Refused;
    m_owner.end(session, session.closeReason());
    return true;
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
    m_owner.heard(Datagram{info, session.received().datagrams, payload,
                           m_keepsCiphertext ? datagram.toByteArray() : QByteArray(),
                           Receipt{info.path, info.id, reply}});
}

void SessionTraffic::answer(DtlsSession &session, const QByteArray &reply)
{
    if (session.send(reply)) {
        m_statistics.sent += reply;
    } else if (!session.takes(reply)) {
        ++m_statistics.repliesTooLong;
        if (const auto dropped = session.noteDroppedReply(reply))
            m_owner.warn(*dropped);
    }
}

void SessionTraffic::sendReplies(std::span<const Receipt> receipts)
{
    for (const Receipt &receipt : receipts) {
        DtlsSession *session = m_sessions.find(receipt.path, receipt.session);
        if (!session) {
            ++m_statistics.repliesTooLate;
            continue;
        }
        if (!m_keeper.isAdmitted(*session))
            continue;
        answer(*session, receipt.reply);
        if (session->state() == DtlsSession::State::Ended)
            m_owner.end(*session, session->closeReason());
    }
}

void SessionTraffic::noteBadRecord(const SessionTable::Peer &peer, Clock::time_point now)
{
    if (!peer.established) {
        m_unverified.note(&UnverifiedCounts::malformed, now);
        return;
    }
    ++m_statistics.badRecords;
    if (const auto misbehaving = peer.established->noteBadRecord())
        m_owner.warn(*misbehaving);
}

void SessionTraffic::report(Clock::time_point now)
{
    for (const IdentityLimited &event : m_overRate.report(now))
        m_owner.warn(event);
}

} // namespace dtlsd
