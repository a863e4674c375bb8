// SPDX-License-Identifier: Apache-2.0
#include "dtls/DtlsServer.h"

#include "dtls/DtlsConfiguration.h"

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
                       std::shared_ptr<SharedState> shared)
    : m_settings(std::move(settings))
    , m_shared(std::move(shared))
    , m_configuration(serverConfiguration(*m_settings))
    , m_credentials(m_settings, m_shared->keyRotation, m_shared->decoySecret)
    , m_hellos(m_shared->cookieSecrets, m_unverified)
    , m_overflow(m_sockets, m_unverified)
    , m_failureReports(failureReportsPerSecond, failureReportsAtOnce)
    , m_timer(this, &DtlsServer::expire)
{
}

DtlsServer::~DtlsServer() = default;

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

std::int64_t DtlsServer::apply(std::shared_ptr<const ServerSettings> settings)
{
    const Turn turn(*this);
    const auto before = std::exchange(m_settings, std::move(settings));
    m_configuration = serverConfiguration(*m_settings);
    m_credentials.use(m_settings);

    // A handshake under way finishes with the ciphers it began with, but whom it lets in is decided
    // by the settings in force when it ends.
    const auto opened = std::ssize(m_sessions.established().all());
    for (DtlsSession *session : m_sessions.newestFirst()) {
        session->reply = &m_settings->replyTo(session->info().identity);
        if (session->renewCredential(*before->identities))
            continue;
        if (session->state() == DtlsSession::State::Established)
            end(*session, CloseReason::Revoked);
        else
            fail(*session, session->handshakeFailure());
    }
    const auto revoked = opened - std::ssize(m_sessions.established().all());
    // A limit that was lowered holds at once: the newest stay.
    for (DtlsSession *session : m_sessions.newestFirst()) {
        if (session->place.isInAnOrder())
            makeRoomFor(*session);
    }
    return revoked;
}

std::int64_t DtlsServer::closeSessions(const std::function<bool(const SessionInfo &)> &isMeant)
{
    const Turn turn(*this);
    const std::uint64_t before = m_statistics.sessionsClosed.total();
    for (DtlsSession *session : m_sessions.newestFirst())
        if (session->state() == DtlsSession::State::Established && isMeant(session->info()))
            end(*session, CloseReason::Operator);
    return static_cast<std::int64_t>(m_statistics.sessionsClosed.total() - before);
}

void DtlsServer::leave(const SocketAddress &address)
{
    const auto found = std::ranges::find(m_sockets, address,
                                         [](const auto &socket) { return socket->localAddress(); });
    if (found == m_sockets.end())
        return;
    m_overflow.ask(Clock::now());
    const std::unique_ptr<DatagramSocket> socket = std::move(*found); // goes after its sessions
    m_sockets.erase(found);
    const Turn turn(*this);
    m_waiting.forget(*socket);
    for (DtlsSession *session : m_sessions.newestFirst()) {
        if (&session->socket() != socket.get())
            continue;
        if (session->state() == DtlsSession::State::Established)
            end(*session, CloseReason::Shutdown);
        else
            m_doomed.push_back(m_sessions.take(*session));
    }
    socket->flush();
}

void DtlsServer::close()
{
    while (isListening())
        leave(m_sockets.back()->localAddress());
    const Turn turn(*this);
    reportUnverified();
    m_timer.stop();
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
    if (const auto clientRandom = clientHelloRandom(datagram.bytes)) {
        if (!m_waiting.addHello(socket, datagram, *clientRandom))
            m_unverified.note(UnverifiedWatch::Kind::OverLimit, m_now);
        return;
    }
    const std::optional<Record> record = RecordReader(datagram.bytes).next();
    SessionTable::Peer *peer = m_sessions.find(datagram.path);
    if (!peer)
        m_unverified.noteStray(record, m_now);
    else if (!record || !peer->hasToWait(*record) || !postpone(socket, datagram, *peer))
        handleRecords(datagram);
}

void DtlsServer::advanceHandshakes()
{
    for (int step = 0; step < stepsPerTurn && !m_waiting.isEmpty(); ++step) {
        m_now = Clock::now();
        do {
            handleWaiting(*m_waiting.take());
            freeEnded();
        } while (!m_waiting.isEmpty() && Clock::now() - m_now < shortStep);
        for (const auto &socket : m_sockets) {
            socket->flush();
            receive(*socket);
        }
    }
}

void DtlsServer::handleWaiting(const HandshakeQueue::Waiting &waiting)
{
    const ReceivedDatagram datagram{waiting.path, waiting.bytes};
    if (waiting.lane == HandshakeQueue::FollowUps) {
        if (SessionTable::Peer *peer = m_sessions.find(waiting.path)) {
            peer->waiting = std::max(peer->waiting - 1, 0); // it may be a new one at that path
            handleRecords(datagram);
        }
    } else if (const auto cookie = m_hellos.admit(*waiting.socket, datagram, m_now)) {
        startHandshake(*waiting.socket, datagram, *cookie);
    }
}

void DtlsServer::handleRecords(const ReceivedDatagram &datagram)
{
    RecordReader reader(datagram.bytes);
    std::optional<Record> record = reader.next();
    QByteArrayView ciphertext = datagram.bytes; // logged once, whatever is in it
    for (int i = 0; record && i < recordsPerDatagram; ++i, record = reader.next())
        handleRecord(datagram.path, *record, std::exchange(ciphertext, {}));
    if (datagram.bytes.isEmpty() || record || !reader.rest().isEmpty())
        noteBadRecord(datagram.path);
}

void DtlsServer::startHandshake(DatagramSocket &socket, const ReceivedDatagram &hello,
                                const QDtls::GeneratorParameters &cookie)
{
    const QByteArrayView clientRandom = *clientHelloRandom(hello.bytes);
    SessionTable::Peer *peer = m_sessions.find(hello.path);
    if (peer && peer->established && peer->established->isFrom(clientRandom))
        return; // a late copy of the hello that this session came from
    if (peer && peer->pending && peer->pending->isFrom(clientRandom)) {
        peer->pending->start(hello.bytes);
        afterHandshakeStep(*peer->pending);
        return;
    }
    if (!m_shared->handshakes.admit(m_now)) {
        m_unverified.note(UnverifiedWatch::Kind::OverLimit, m_now);
        return;
    }
    // A client that begins anew: the newest of its handshakes counts.
    if (peer && peer->pending)
        fail(*peer->pending, peer->pending->handshakeFailure());
    const DtlsSession::Setup setup{m_ids.next(),    hello.path,          socket, m_credentials,
                                   m_configuration, m_settings->tls.mtu, cookie};
    DtlsSession &session = m_sessions.addPending(std::make_unique<DtlsSession>(setup), m_now);
    makeRoomFor(session);
    Q_EMIT infoMessage(HandshakeStarted{session.info()});
    session.start(hello.bytes);
    afterHandshakeStep(session);
}

void DtlsServer::handleRecord(const Path &path, const Record &record, QByteArrayView datagram)
{
    SessionTable::Peer *peer = m_sessions.find(path);
    if (!peer)
        return; // ended by an earlier record of this datagram
    DtlsSession *established = peer->established.get();
    DtlsSession *pending = peer->pending.get();

    if (pending && (record.epoch == 0 || record.type == ContentType::Handshake)) {
        pending->handshake(record);
        afterHandshakeStep(*pending);
        return;
    }
    const bool wasIts = established && record.epoch != 0 && decrypt(*established, record, datagram);
    if (!wasIts && !pending && !record.isOfAFlight())
        noteBadRecord(path);
}

void DtlsServer::afterHandshakeStep(DtlsSession &session)
{
    if (session.state() == DtlsSession::State::Established)
        establish(session);
    else if (session.state() == DtlsSession::State::Ended)
        fail(session, session.handshakeFailure());
}

void DtlsServer::establish(DtlsSession &session)
{
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(m_now - session.place.touched);
    if (DtlsSession *old = m_sessions.find(session.path())->established.get())
        end(*old, CloseReason::Replaced);
    m_sessions.establish(session, m_now);
    session.reply = &m_settings->replyTo(session.info().identity);
    ++m_statistics.sessionsOpened;
    Q_EMIT infoMessage(SessionOpened{session.info(), session.credential().isNextKey, took});
    makeRoomFor(session);
}

void DtlsServer::makeRoomFor(const DtlsSession &newcomer)
{
    const Limits &limits = m_settings->limits;
    if (newcomer.state() == DtlsSession::State::Established) {
        while (DtlsSession *oldest = m_sessions.establishedTooMany(newcomer, limits))
            end(*oldest, CloseReason::Evicted);
        return;
    }
    while (DtlsSession *oldest = m_sessions.halfOpenTooMany(newcomer, limits))
        fail(*oldest, HandshakeFailure::Limit);
}

bool DtlsServer::decrypt(DtlsSession &session, const Record &record, QByteArrayView datagram)
{
    const QByteArray payload = session.decrypt(record);
    if (!payload.isEmpty())
        deliver(session, payload, datagram);
    if (session.state() != DtlsSession::State::Ended)
        return !payload.isEmpty();
    end(session, session.closeReason());
    return true;
}

void DtlsServer::deliver(DtlsSession &session, const QByteArray &payload, QByteArrayView datagram)
{
    m_sessions.touch(session, m_now);
    session.received += payload;
    m_statistics.received += payload;
    const SessionInfo &info = session.info();
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
        answer(*session, receipt.reply);
        if (session->state() == DtlsSession::State::Ended)
            end(*session, session->closeReason());
    }
}

void DtlsServer::noteBadRecord(const Path &path)
{
    SessionTable::Peer *peer = m_sessions.find(path);
    if (!peer || !peer->established) {
        m_unverified.note(UnverifiedWatch::Kind::Malformed, m_now);
        return;
    }
    ++m_statistics.badRecords;
    if (const auto count = peer->established->noteBadRecord())
        Q_EMIT warningMessage(PeerMisbehaving{peer->established->info(), *count});
}

void DtlsServer::fail(DtlsSession &session, HandshakeFailure reason)
{
    ++m_statistics.handshakesFailed[reason];
    session.close();
    m_doomed.push_back(m_sessions.take(session));
    if (m_failureReports.admit(m_now))
        Q_EMIT warningMessage(HandshakeFailed{session.info(), reason});
    else
        m_unverified.note(UnverifiedWatch::Kind::Failure, m_now);
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
    if (const std::uint64_t count = session.unreportedBadRecords())
        Q_EMIT warningMessage(PeerMisbehaving{session.info(), count});
    Q_EMIT infoMessage(
        SessionClosed{session.info(), reason, session.lasted(), session.received, session.sent});
}

void DtlsServer::expire()
{
    const Turn turn(*this);
    const AgeOrder &halfOpen = m_sessions.halfOpen();
    while (halfOpen.due(m_settings->limits.handshakeTimeout) <= m_now)
        fail(*halfOpen.oldest(), halfOpen.oldest()->handshakeFailure());
    const AgeOrder &established = m_sessions.established();
    while (established.due(m_settings->limits.idleTimeout) <= m_now)
        end(*established.oldest(), CloseReason::Idle);
    m_overflow.check(m_now);
    if (m_unverified.due() <= m_now)
        reportUnverified();
    advanceHandshakes();
}

void DtlsServer::endTurn()
{
    for (const auto &socket : m_sockets)
        socket->flush();
    m_doomed.clear();
    armTimer();
}

void DtlsServer::armTimer()
{
    const Limits &limits = m_settings->limits;
    m_timer.wakeAt(
        std::min({m_waiting.isEmpty() ? Clock::time_point::max() : m_now, m_overflow.due(),
                  m_unverified.due(), m_sessions.halfOpen().due(limits.handshakeTimeout),
                  m_sessions.established().due(limits.idleTimeout)}),
        m_now);
}

} // namespace dtlsd
