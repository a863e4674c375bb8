// SPDX-License-Identifier: Apache-2.0
#include "dtls/DtlsServer.h"

#include <QScopeGuard>

#include <algorithm>
#include <iterator>
#include <optional>

namespace dtlsd {

namespace {

// Bounds a turn, so that timers and replies are served however fast datagrams arrive.
constexpr int batchesPerTurn = 8;
// Handshake steps in a turn. The sockets are read after each step, so that established sessions
// wait for one step at most, and everything else for a few.
constexpr int stepsPerTurn = 4;
// A step is one datagram, or as many cheap ones as take less time than this.
constexpr std::chrono::microseconds shortStep{50};

// Failed handshakes reported one by one; the rest is counted in the summary.
constexpr int failureReportsPerSecond = 10;
constexpr int failureReportsAtOnce = 100;

} // namespace

/// One wake-up. Turns may nest: the end of the outermost one sends what is queued and frees the
/// ended sessions.
auto DtlsServer::beginTurn()
{
    if (m_turns++ == 0)
        m_now = m_shared->time.now();
    return qScopeGuard([this] {
        if (--m_turns == 0)
            endTurn();
    });
}

DtlsServer::DtlsServer(const std::shared_ptr<const ServerSettings> &settings,
                       std::shared_ptr<SharedState> shared, SharedState::Post post)
    : m_shared(std::move(shared))
    , m_worker(m_shared->join(std::move(post)))
    , m_sockets([this](DatagramSocket &socket) { readPendingDatagrams(socket); },
                [this](auto count, auto now) {
                    m_unverified.note(&UnverifiedCounts::overflowed, now, count);
                })
    , m_sessions(m_shared->identities, m_shared->networks, m_worker)
    , m_handshakes(settings, *m_shared, m_worker, m_sessions, m_unverified, *this)
    , m_keeper(settings, *m_shared, m_worker, m_sessions, m_handshakes, *this)
    , m_traffic(m_sessions, m_handshakes, m_keeper, m_unverified, *this)
    , m_failureReports(failureReportsPerSecond, failureReportsAtOnce)
    , m_timer(this, &DtlsServer::doWhatIsDue)
    , m_now(m_shared->time.now())
{
    m_traffic.setKeepCiphertext(settings->keepCiphertext);
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
    return m_sockets.all().back()->localAddress();
}

void DtlsServer::apply(std::shared_ptr<const ServerSettings> settings, Done done)
{
    const auto turn = beginTurn();
    m_traffic.setKeepCiphertext(settings->keepCiphertext);
    m_handshakes.use(settings);
    m_keeper.use(std::move(settings), std::move(done), m_now);
}

void DtlsServer::closeSessions(const std::function<bool(const SessionInfo &)> &isMeant, Done done)
{
    const auto turn = beginTurn();
    m_keeper.closeThose(isMeant, std::move(done), m_now);
}

void DtlsServer::leave(const SocketAddress &address, Done done)
{
    const auto turn = beginTurn();
    DatagramSocket *socket = m_sockets.retire(address, m_now);
    if (!socket) // @p done may not come before those of other calls
        return m_keeper.sweep([](DtlsSession &) { return false; }, std::move(done), m_now);
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
        m_sockets.close(*socket);
        if (done)
            done(closed);
    };
    m_keeper.sweep(close, finish, m_now);
}

void DtlsServer::close(Done done)
{
    const auto turn = beginTurn();
    while (isListening())
        leave(m_sockets.all().back()->localAddress());
    const auto finish = [this, done = std::move(done)](std::int64_t) {
        reportUnverified();
        if (done)
            done(0);
    };
    m_keeper.sweep([](DtlsSession &) { return false; }, finish, m_now);
}

Takeover::Count DtlsServer::takeOver(std::vector<std::unique_ptr<SessionStore>> stores)
{
    const auto turn = beginTurn();
    return Takeover(*m_shared, m_sessions, m_sockets, m_handshakes, m_keeper)
        .run(std::move(stores));
}

void DtlsServer::readPendingDatagrams(DatagramSocket &socket)
{
    const auto turn = beginTurn();
    receive(socket);
    advanceHandshakes();
}

void DtlsServer::receive(DatagramSocket &socket)
{
    for (int batch = 0; batch < batchesPerTurn && socket.receive(m_buffer); ++batch) {
        for (const ReceivedDatagram &datagram : m_buffer.received) {
            handleDatagram(socket, datagram, Origin::Socket);
            freeEnded();
        }
        socket.flush();
        m_sockets.overflow().noteReceived(m_buffer.isFull(), m_now);
        if (m_buffer.received.size() == 1)
            break; // a lone peer gets its reply first; readyRead() is emitted again
    }
}

void DtlsServer::handleDatagram(DatagramSocket &socket, const ReceivedDatagram &datagram,
                                Origin origin)
{
    // A hello never goes to an established session, where OpenSSL would ignore it: a client that
    // lost its state could not reconnect.
    const Packet packet(datagram.bytes);
    if (const ClientHello *hello = packet.newHello()) {
        m_handshakes.receiveHello(socket, datagram.path, packet.bytes, *hello, m_now);
        return;
    }
    if (m_handshakes.receiveFragment(datagram.path, packet))
        return;
    SessionTable::Peer *peer = m_sessions.find(datagram.path);
    if (peer && packet.first && peer->hasToWait(*packet.first) &&
        m_handshakes.receiveFollowUp(socket, datagram.path, packet, *peer, m_now))
        return;
    const std::optional<ConnectionId> id = packet.id();
    DtlsSession *withId = id ? m_sessions.find(*id) : nullptr;
    // At most once: another worker's table decides. The kernel's choice among the sockets of a port
    // knows no IDs, unless it is steered.
    const auto handed = id && !withId && origin == Origin::Socket
                            ? m_shared->handOver(m_worker, *id, socket, datagram)
                            : SharedState::Handed::No;
    if (handed == SharedState::Handed::NoRoom)
        m_unverified.note(&UnverifiedCounts::elsewhere, m_now);
    if (handed != SharedState::Handed::No)
        return;
    if (withId)
        m_traffic.receive(*withId, {socket, datagram.path}, packet, m_now);
    else if (peer)
        m_traffic.receive(*peer, {socket, datagram.path}, packet, m_now);
    else
        m_unverified.noteStray(packet.first, m_now);
}

void DtlsServer::takeHandedOver()
{
    const auto turn = beginTurn();
    m_shared->takeHandedOver(m_worker, [this](const HandOver::Datagram &datagram) {
        if (DatagramSocket *socket = m_sockets.like(*datagram.socket))
            handleDatagram(*socket, {datagram.path, datagram.bytes}, Origin::OtherWorker);
        freeEnded();
    });
}

void DtlsServer::advanceHandshakes()
{
    for (int step = 0; step < stepsPerTurn; ++step) {
        m_now = m_shared->time.now();
        const auto began = m_shared->time.work();
        if (!processNext())
            return;
        while (m_shared->time.work() - began < shortStep && processNext()) {
        }
        for (const auto &socket : m_sockets.all()) {
            socket->flush();
            receive(*socket);
        }
    }
}

/// One datagram of a handshake; false if none waits.
bool DtlsServer::processNext()
{
    auto waiting = m_handshakes.next(m_now);
    if (!waiting)
        return false;
    if (waiting->lane != HandshakeQueue::FollowUps) {
        m_handshakes.process(std::move(*waiting), m_now);
    } else if (SessionTable::Peer *peer = m_sessions.find(waiting->path)) {
        peer->waiting = std::max(peer->waiting - 1, 0); // the peer may be a new one at that path
        m_traffic.receive(*peer, {*waiting->socket, waiting->path}, Packet(waiting->bytes), m_now);
    }
    freeEnded();
    return true;
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
    m_keeper.replaceFormerOf(session);
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
        m_unverified.note(&UnverifiedCounts::failures, m_now);
    m_doomed.push_back(std::move(session));
}

void DtlsServer::giveWay(const SharedState::IdentityClaim &claim)
{
    const auto turn = beginTurn();
    m_keeper.giveWay(claim);
}

void DtlsServer::giveWay(const SharedState::NetworkClaim &claim)
{
    const auto turn = beginTurn();
    m_handshakes.giveWay(claim, m_now);
}

Delivery DtlsServer::send(std::span<const Outbound> datagrams)
{
    const auto turn = beginTurn();
    return m_traffic.send(datagrams);
}

Statistics DtlsServer::statistics() const
{
    Statistics statistics = m_statistics;
    statistics += m_traffic.statistics();
    statistics.unverified = m_unverified.counts();
    statistics.sessions = static_cast<std::int64_t>(m_sessions.established().size());
    statistics.halfOpen = std::ssize(m_sessions.halfOpen().all());
    return statistics;
}

void DtlsServer::reportUnverified()
{
    if (const auto traffic = m_unverified.report(m_now))
        Q_EMIT warningMessage(*traffic);
}

void DtlsServer::end(DtlsSession &session, CloseReason reason)
{
    if (!session.place.isIn)
        return; // ended already, by a reply that failed while its datagram was delivered
    ++m_statistics.sessionsClosed[reason];
    // A peer that reconnected has other keys and could not read a close_notify.
    if (reason != CloseReason::Replaced)
        session.close();
    m_doomed.push_back(m_sessions.take(session));
    for (const ServerEvent &event : session.ledger().unreported(session.info()))
        Q_EMIT warningMessage(event);
    Q_EMIT infoMessage(session.closed(reason));
}

void DtlsServer::doWhatIsDue()
{
    const auto turn = beginTurn();
    m_handshakes.expire(m_now);
    m_keeper.doWhatIsDue(m_now);
    m_sockets.overflow().check(m_now);
    if (m_unverified.due() <= m_now)
        reportUnverified();
    m_traffic.report(m_now);
    advanceHandshakes();
}

/// Called between the steps of a turn: at a limit, each step ends a session. Frees nothing in a
/// nested turn, whose callers may still refer to the sessions.
void DtlsServer::freeEnded()
{
    if (m_turns > 1)
        return;
    m_doomed.clear();
    m_sessions.forgetGone();
}

void DtlsServer::endTurn()
{
    m_sockets.flush();
    m_doomed.clear();
    m_sessions.forgetGone();
    m_timer.wakeAt(std::min({m_handshakes.due(m_now), m_keeper.due(m_now),
                             m_sockets.overflow().due(), m_unverified.due(), m_traffic.due()}),
                   m_now);
}

} // namespace dtlsd
