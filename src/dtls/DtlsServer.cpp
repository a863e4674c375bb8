// SPDX-License-Identifier: Apache-2.0
#include "dtls/DtlsServer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace dtlsd {

namespace {

// So that timers and replies get their turn, however fast datagrams come.
constexpr int batchesPerTurn = 8;
// Of handshakes, with a look at the sockets after each: so that established sessions wait for one
// step at the most, and all else for a few.
constexpr int stepsPerTurn = 4;
// A step is one datagram, or as many cheap ones as take less than this.
constexpr std::chrono::microseconds shortStep{50};

// More than any flight or burst of messages has; a datagram of the smallest records could hold
// 5,000.
constexpr int recordsPerDatagram = 256;

// Failed handshakes that are reported singly; the rest goes into the summary.
constexpr int failureReportsPerSecond = 10;
constexpr int failureReportsAtOnce = 100;

} // namespace

DtlsServer::DtlsServer(std::shared_ptr<const ServerSettings> settings,
                       std::shared_ptr<SharedState> shared, SharedState::Post post)
    : m_settings(std::move(settings))
    , m_shared(std::move(shared))
    , m_worker(m_shared->join(std::move(post)))
    , m_sessions(m_shared->identities, m_shared->networks, m_worker)
    , m_handshakes(m_settings, *m_shared, m_worker, m_sessions, m_unverified, *this)
    , m_keeper(m_settings, *m_shared, m_worker, m_sessions, *this)
    , m_overflow(m_sockets, [this](auto count, auto now) { m_unverified.noteOverflow(count, now); })
    , m_failureReports(failureReportsPerSecond, failureReportsAtOnce)
    , m_timer(this, &DtlsServer::doWhatIsDue)
    , m_now(m_shared->time.now())
{
}

DtlsServer::~DtlsServer()
{
    m_shared->leave(m_worker);
}

Result<SocketAddress> DtlsServer::listen(const SocketAddress &address,
                                         const DatagramSocket::Options &options)
{
    auto bound = DatagramSocket::bind(address, options);
    if (!bound) {
        Q_EMIT errorMessage(ListenFailed{address, bound.error().message});
        return bound.error();
    }
    listen(std::move(bound).value());
    return m_sockets.back()->localAddress();
}

void DtlsServer::apply(std::shared_ptr<const ServerSettings> settings, Done done)
{
    const Turn turn(*this);
    m_settings = std::move(settings);
    m_handshakes.use(m_settings);
    m_keeper.use(m_settings, std::move(done), m_now);
}

void DtlsServer::closeSessions(const std::function<bool(const SessionInfo &)> &isMeant, Done done)
{
    const Turn turn(*this);
    const auto close = [this, isMeant, asked = m_now](DtlsSession &session) {
        const bool isOne = session.state() == DtlsSession::State::Established &&
                           session.establishedAt() <= asked && isMeant(session.info());
        if (isOne)
            end(session, CloseReason::Operator);
        return isOne;
    };
    m_keeper.sweep(close, std::move(done), m_now);
}

void DtlsServer::leave(const SocketAddress &address, Done done)
{
    const auto found = std::ranges::find(m_sockets, address,
                                         [](const auto &socket) { return socket->localAddress(); });
    if (found == m_sockets.end()) {
        if (done)
            done(0);
        return;
    }
    m_overflow.ask(m_shared->time.now());
    const Turn turn(*this);
    DatagramSocket *socket = found->get();
    socket->pause();
    m_leaving.push_back(std::move(*found));
    m_sockets.erase(found);
    m_handshakes.forget(*socket);
    const auto close = [this, socket](DtlsSession &session) {
        if (&session.socket() != socket)
            return false;
        if (session.state() == DtlsSession::State::Established)
            end(session, CloseReason::Shutdown);
        else
            m_doomed.push_back(m_sessions.take(session));
        return true;
    };
    const auto finish = [this, socket, done = std::move(done)](std::int64_t closed) {
        m_doomed.clear(); // they refer to the socket
        socket->flush();
        std::erase_if(m_leaving, [socket](const auto &leaving) { return leaving.get() == socket; });
        if (done)
            done(closed);
    };
    m_keeper.sweep(close, finish, m_now);
}

void DtlsServer::close(Done done)
{
    const Turn turn(*this);
    while (isListening())
        leave(m_sockets.back()->localAddress());
    const auto finish = [this, done = std::move(done)](std::int64_t) {
        reportUnverified();
        if (done)
            done(0);
    };
    m_keeper.sweep([](DtlsSession &) { return false; }, finish, m_now);
}

void DtlsServer::readPendingDatagrams(DatagramSocket &socket)
{
    const Turn turn(*this);
    receive(socket);
    advanceHandshakes();
}

void DtlsServer::receive(DatagramSocket &socket)
{
    for (int batch = 0; batch < batchesPerTurn && socket.receive(m_buffer); ++batch) {
        for (const ReceivedDatagram &datagram : m_buffer.received) {
            handleDatagram(socket, datagram);
            freeEnded();
        }
        socket.flush();
        m_overflow.noteReceived(m_buffer.isFull(), m_now);
        if (m_buffer.received.size() == 1)
            break; // a single peer waits for its reply first; readyRead() tells when there is more
    }
}

void DtlsServer::handleDatagram(DatagramSocket &socket, const ReceivedDatagram &datagram)
{
    // A hello never goes to an established session, where OpenSSL would ignore it: a client that
    // lost its state could not come back.
    const Packet packet(datagram.bytes);
    if (packet.isHello()) {
        m_handshakes.receiveHello(socket, datagram.path, packet, m_now);
        return;
    }
    if (m_handshakes.receiveFragment(datagram.path, packet))
        return;
    SessionTable::Peer *peer = m_sessions.find(datagram.path);
    if (!peer)
        m_unverified.noteStray(packet.first, m_now);
    else if (!packet.first || !peer->hasToWait(*packet.first) ||
             !m_handshakes.receiveFollowUp(socket, datagram.path, packet, *peer, m_now))
        handleRecords(*peer, packet);
}

void DtlsServer::advanceHandshakes()
{
    for (int step = 0; step < stepsPerTurn; ++step) {
        m_now = m_shared->time.now();
        auto waiting = m_handshakes.next(m_now);
        if (!waiting)
            return;
        // Real time, whatever time a test has set: it bounds what a step costs.
        const auto began = Clock::now();
        do {
            processWaiting(std::move(*waiting));
            freeEnded();
        } while (Clock::now() - began < shortStep && (waiting = m_handshakes.next(m_now)));
        for (const auto &socket : m_sockets) {
            socket->flush();
            receive(*socket);
        }
    }
}

void DtlsServer::processWaiting(HandshakeQueue::Waiting waiting)
{
    if (waiting.lane != HandshakeQueue::FollowUps) {
        m_handshakes.process(std::move(waiting), m_now);
    } else if (SessionTable::Peer *peer = m_sessions.find(waiting.path)) {
        peer->waiting = std::max(peer->waiting - 1, 0); // it may be a new one at that path
        handleRecords(*peer, Packet(waiting.bytes));
    }
}

void DtlsServer::handleRecords(SessionTable::Peer &peer, Packet packet)
{
    std::optional<Record> record = packet.first;
    QByteArrayView ciphertext = packet.bytes; // logged once, whatever is in it
    int i = 0;
    for (; record && i < recordsPerDatagram; ++i, record = packet.further.next())
        handleRecord(peer, *record, std::exchange(ciphertext, {}));
    const qsizetype rest = packet.further.rest().size();
    if (record || rest >= Record::headerSize || (i > 0 && rest > 0))
        noteBadRecord(peer);
}

/// What becomes of a record, by what there is of its peer and by the record itself:
///
///                          only pending     pending and established   only established    gone
///   clear, or Handshake    handshake()      handshake()               bad, but see below  dropped
///   other, encrypted       dropped          decrypt()                 decrypt()           dropped
///
/// Of an established session alone, a clear record may repeat the client's last flight, which is
/// no misbehaviour; an encrypted Handshake is decrypted. Hellos do not come here: Handshakes has
/// them.
void DtlsServer::handleRecord(SessionTable::Peer &peer, const Record &record,
                              QByteArrayView datagram)
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
    const bool wasIts = established && record.epoch != 0 && decrypt(*established, record, datagram);
    if (!wasIts && !pending && !record.isOfAClearFlight())
        noteBadRecord(peer);
}

void DtlsServer::handshakeStarted(DtlsSession &session)
{
    m_keeper.admit(session);
    Q_EMIT infoMessage(HandshakeStarted{session.info()});
}

void DtlsServer::handshakeCompleted(DtlsSession &session)
{
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(m_now - session.place.touched);
    if (DtlsSession *old = m_sessions.find(session.path())->established.get())
        end(*old, CloseReason::Replaced);
    m_keeper.open(session, m_now);
    ++m_statistics.sessionsOpened;
    Q_EMIT infoMessage(SessionOpened{session.info(), session.credential().isNextKey, took});
    m_keeper.makeRoomFor(session);
}

void DtlsServer::handshakeFailed(std::unique_ptr<DtlsSession> session, HandshakeFailure reason)
{
    ++m_statistics.handshakesFailed[reason];
    if (m_failureReports.admit(m_now))
        Q_EMIT warningMessage(session->handshakeFailed(reason));
    else
        m_unverified.note(UnverifiedWatch::Kind::Failure, m_now);
    m_doomed.push_back(std::move(session));
}

void DtlsServer::giveWay(const SharedState::IdentityClaim &claim)
{
    const Turn turn(*this);
    m_keeper.giveWay(claim);
}

void DtlsServer::giveWay(const SharedState::NetworkClaim &claim)
{
    const Turn turn(*this);
    m_handshakes.giveWay(claim, m_now);
}

bool DtlsServer::decrypt(DtlsSession &session, const Record &record, QByteArrayView datagram)
{
    const DtlsSession::Opened opened = session.decrypt(record);
    if (opened.verdict == DtlsSession::Opened::Verdict::Authentic)
        m_sessions.touch(session, m_now);
    if (!opened.payload.isEmpty())
        deliver(session, opened.payload, datagram);
    if (session.state() != DtlsSession::State::Ended)
        return opened.verdict != DtlsSession::Opened::Verdict::Refused;
    end(session, session.closeReason());
    return true;
}

void DtlsServer::deliver(DtlsSession &session, const QByteArray &payload, QByteArrayView datagram)
{
    session.received += payload;
    m_statistics.received += payload;
    const SessionInfo &info = session.info();
    if (session.rate && !session.rate->admit(m_now)) {
        ++m_statistics.overRate;
        m_overRate.note(session.rate);
        reportOverRate();
        return;
    }
    const QByteArray reply = session.replyTo(payload);
    if (!m_isHeard) {
        answer(session, reply);
        return;
    }
    Q_EMIT datagramReceived(
        Datagram{info, session.received.datagrams, payload,
                 m_settings->keepCiphertext ? datagram.toByteArray() : QByteArray(),
                 Receipt{info.path, info.id, reply}});
}

void DtlsServer::sendReplies(std::span<const Receipt> receipts)
{
    const Turn turn(*this);
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
            end(*session, session->closeReason());
    }
}

void DtlsServer::noteBadRecord(const SessionTable::Peer &peer)
{
    if (!peer.established) {
        m_unverified.note(UnverifiedWatch::Kind::Malformed, m_now);
        return;
    }
    ++m_statistics.badRecords;
    if (const auto misbehaving = peer.established->noteBadRecord())
        Q_EMIT warningMessage(*misbehaving);
}

void DtlsServer::giveUp(DtlsSession &session)
{
    m_handshakes.fail(session, session.handshakeFailure());
}

void DtlsServer::reportOverRate()
{
    for (const IdentityLimited &event : m_overRate.report(m_now))
        Q_EMIT warningMessage(event);
}

void DtlsServer::end(DtlsSession &session, CloseReason reason)
{
    if (!session.place.isInAnOrder())
        return; // ended already, by a reply that failed while its datagram was delivered
    ++m_statistics.sessionsClosed[reason];
    // A peer that came back with new keys cannot read what the old ones would say.
    if (reason != CloseReason::Replaced)
        session.close();
    m_doomed.push_back(m_sessions.take(session));
    for (const ServerEvent &event : session.unreported())
        Q_EMIT warningMessage(event);
    Q_EMIT infoMessage(session.closed(reason));
}

void DtlsServer::doWhatIsDue()
{
    const Turn turn(*this);
    m_handshakes.expire(m_now);
    m_keeper.doWhatIsDue(m_now);
    m_overflow.check(m_now);
    if (m_unverified.due() <= m_now)
        reportUnverified();
    reportOverRate();
    advanceHandshakes();
}

void DtlsServer::endTurn()
{
    for (const auto *sockets : {&m_sockets, &m_leaving})
        for (const auto &socket : *sockets)
            socket->flush();
    m_doomed.clear();
    m_sessions.forgetGone();
    armTimer();
}

void DtlsServer::armTimer()
{
    m_timer.wakeAt(std::min({m_handshakes.due(m_now), m_keeper.due(m_now), m_overflow.due(),
                             m_unverified.due(), m_overRate.due()}),
                   m_now);
}

} // namespace dtlsd
