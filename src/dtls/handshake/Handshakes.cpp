// SPDX-License-Identifier: Apache-2.0
#include "dtls/handshake/Handshakes.h"

#include "core/BackendKind.h"
#include "core/Random.h"
#include "dtls/DtlsConfiguration.h"

#include <QHashFunctions>
#include <QSslSocket>

#include <algorithm>
#include <utility>

namespace dtlsd {

namespace {

// Size of QDtlsClientVerifier's HelloVerifyRequest. A shorter hello is incomplete and gets no
// answer, so that no reply is larger than its request.
constexpr qsizetype helloVerifyRequestSize = 60;

// At least one turn of this many goes to a ProvedHello, if one is waiting.
constexpr unsigned turnsOfProvedHellos = 6;

// A device repeats its hello after 1, 2, 4 and 8 seconds: if it has not for this long, it is gone.
constexpr std::chrono::seconds helloPatience{10};

// How long the network may delay a copy of a hello. If the hello comes later, or after one without
// a cookie, the device has rebooted, and its random generator repeats itself.
constexpr std::chrono::seconds lateCopies{3};

// Handshakes that expire, or exceed a lowered limit, in one turn; each frees an OpenSSL object.
constexpr int handshakeEndsPerTurn = 32;

// Between two checks whether another worker has made room.
constexpr std::chrono::milliseconds roomInterval{10};

} // namespace

Handshakes::Handshakes(std::shared_ptr<const ServerSettings> settings, SharedState &shared,
                       int worker, SessionTable &sessions, UnverifiedWatch &watch, Owner &owner)
    : m_settings(std::move(settings))
    , m_shared(shared)
    , m_worker(worker)
    , m_sessions(sessions)
    , m_watch(watch)
    , m_owner(owner)
    , m_configuration(serverConfiguration(*m_settings))
    , m_credentials(m_settings, m_shared.keyRotation, m_shared.decoySecret)
    , m_cookies(m_shared.cookieSecrets)
    , m_hasOwnBackend(QSslSocket::activeBackend() == nameIn(backendNames, BackendKind::Dtlsd))
{
}

void Handshakes::use(std::shared_ptr<const ServerSettings> settings)
{
    m_settings = std::move(settings);
    m_configuration = serverConfiguration(*m_settings);
    m_credentials.use(m_settings);
    m_blockedUntil = Clock::time_point::min(); // the limits may have changed
}

void Handshakes::receiveHello(DatagramSocket &socket, const Path &path, QByteArrayView datagram,
                              const ClientHello &hello, Clock::time_point now)
{
    if (datagram.size() < helloVerifyRequestSize)
        m_watch.note(&UnverifiedCounts::malformed, now);
    else if (hello.isAnswerable && hello.isTooLong())
        m_watch.note(&UnverifiedCounts::tooLong, now);
    else if (!m_queue.addHello(socket, path, datagram, hello))
        m_watch.note(&UnverifiedCounts::overLimit, now);
}

bool Handshakes::receiveFragment(const Path &path, const Packet &packet)
{
    return packet.hello && !packet.hello->isFirstFragment() && m_queue.addFragment(path, packet);
}

bool Handshakes::receiveFollowUp(DatagramSocket &socket, const Path &path, const Packet &packet,
                                 SessionTable::Peer &peer, Clock::time_point now)
{
    if (peer.mayWait() && m_queue.addFollowUp(socket, path, packet)) {
        ++peer.waiting;
        return true;
    }
    if (peer.pending)
        m_watch.note(&UnverifiedCounts::overLimit, now);
    return peer.pending != nullptr;
}

std::optional<HandshakeQueue::Waiting> Handshakes::next(Clock::time_point now)
{
    const bool isTurnOfProved = ++m_taken % turnsOfProvedHellos == 0;
    if (isTurnOfProved || !m_queue.hasCheap()) {
        if (auto hello = nextProved(now))
            return hello;
    }
    return m_queue.take();
}

std::optional<HandshakeQueue::Waiting> Handshakes::nextProved(Clock::time_point now)
{
    if (now < m_blockedUntil)
        return std::nullopt;
    while (const HandshakeQueue::Waiting *hello = m_queue.firstProved(m_shared.networks)) {
        if (hello->since + helloPatience < now) {
            static_cast<void>(m_queue.takeProved());
            m_watch.note(&UnverifiedCounts::overLimit, now);
            continue;
        }
        if (isRepeated(*hello))
            return m_queue.takeProved();
        if (!isPlaceFree(now)) {
            m_blockedUntil = now + roomInterval;
            return std::nullopt;
        }
        if (!m_shared.handshakes.admit(now)) {
            m_blockedUntil = m_shared.handshakes.due();
            return std::nullopt;
        }
        return m_queue.takeProved();
    }
    return std::nullopt;
}

bool Handshakes::isRepeated(const HandshakeQueue::Waiting &hello) const
{
    const SessionTable::Peer *peer = m_sessions.find(hello.path);
    return peer && peer->pending && peer->pending->isFrom(hello.clientRandom);
}

bool Handshakes::isPlaceFree(Clock::time_point now)
{
    const std::int64_t limit = m_settings->limits.maxHalfOpen;
    if (m_shared.networks.members() < limit)
        return true;
    if (DtlsSession *session = m_sessions.halfOpen().toGiveWay(now)) {
        fail(*session, HandshakeFailure::Limit);
        return m_shared.networks.members() < limit;
    }
    if (const auto claim = m_shared.networks.claim(limit - 1, nullptr, m_worker))
        m_shared.ask(*claim);
    return false;
}

void Handshakes::giveWay(const Accounts<SocketAddress>::Claim &claim, Clock::time_point now)
{
    if (DtlsSession *session = m_sessions.halfOpen().toGiveWay(now))
        fail(*session, HandshakeFailure::Limit);
    m_shared.networks.settle(claim);
}

void Handshakes::process(HandshakeQueue::Waiting hello, Clock::time_point now)
{
    if (hello.lane == HandshakeQueue::ProvedHellos)
        start(hello, now);
    else
        prove(std::move(hello), now);
}

void Handshakes::prove(HandshakeQueue::Waiting hello, Clock::time_point now)
{
    const ReceivedDatagram datagram{hello.path, hello.bytes};
    const auto cookie = m_cookies.verify(*hello.socket, datagram, m_shared.time.wallTime());
    if (!cookie) {
        for (DtlsSession *session : m_sessions.openAt(hello.path))
            session->isGreetedAnew = true;
        m_watch.noteHello(now);
        return;
    }
    m_watch.noteVerified(); // over a limit it is dropped: clients answer every HelloVerifyRequest
    if (!m_queue.addProved(std::move(hello), *cookie, now))
        m_watch.note(&UnverifiedCounts::overLimit, now);
}

void Handshakes::start(const HandshakeQueue::Waiting &hello, Clock::time_point now)
{
    SessionTable::Peer *peer = m_sessions.find(hello.path);
    if (peer && peer->pending && peer->pending->isFrom(hello.clientRandom)) {
        begin(*peer->pending, hello);
        return;
    }
    const auto isOpenedBy = [&](const DtlsSession *session) {
        return session->isFrom(hello.clientRandom) && !session->isGreetedAnew &&
               session->lasted() < lateCopies;
    };
    if (std::ranges::any_of(m_sessions.openAt(hello.path), isOpenedBy))
        return;
    // The client has begun again: its newest handshake counts.
    if (peer && peer->pending)
        fail(*peer->pending, peer->pending->handshakeFailure());
    DtlsSession::Setup setup = setupFor(*hello.socket, hello.path);
    setup.id = m_ids.next();
    setup.cookie = hello.cookie;
    setup.connectionId = newConnectionId();
    auto session = std::make_unique<DtlsSession>(setup);
    DtlsSession *added = m_sessions.addPending(session, now, m_settings->limits.maxHalfOpen);
    if (!added) { // another worker has taken the last place
        m_watch.note(&UnverifiedCounts::overLimit, now);
        return;
    }
    added->setSource(hello.path.peer.network().hash(QHashSeed::globalSeed()));
    m_owner.handshakeStarted(*added);
    begin(*added, hello);
}

DtlsSession::Setup Handshakes::setupFor(DatagramSocket &socket, const Path &path) const
{
    return {.path = path,
            .socket = socket,
            .credentials = m_credentials,
            .configuration = m_configuration,
            .mtu = m_settings->tls.mtu,
            .time = m_shared.time,
            .memory = m_sessions.memory(),
            .hasOwnBackend = m_hasOwnBackend};
}

/// nullopt: sessions get none.
std::optional<ConnectionId> Handshakes::newConnectionId() const
{
    if (!m_hasOwnBackend || !m_settings->tls.connectionIds)
        return std::nullopt;
    ConnectionId id;
    do {
        fillWithRandom(id.bytes.data(), id.bytes.size());
        id.bytes[ConnectionId::nodePlace] = m_settings->node;
        id.bytes[ConnectionId::workerPlace] = static_cast<unsigned char>(m_worker);
    } while (m_sessions.find(id));
    return id;
}

void Handshakes::begin(DtlsSession &session, const HandshakeQueue::Waiting &hello)
{
    session.start(hello.bytes);
    for (const QByteArray &fragment : hello.fragments) {
        RecordReader reader(fragment);
        while (const auto record = reader.next())
            session.handshake(*record);
    }
    afterStep(session);
}

void Handshakes::handle(DtlsSession &session, const Record &record)
{
    session.handshake(record);
    afterStep(session);
}

void Handshakes::afterStep(DtlsSession &session)
{
    const auto &id = session.info().connectionId;
    if (id && m_sessions.find(*id)) // one of 2^48 was given twice within one handshake
        fail(session, HandshakeFailure::Error);
    else if (session.state() == DtlsSession::State::Established)
        m_owner.handshakeCompleted(session);
    else if (session.state() == DtlsSession::State::Ended)
        fail(session, session.handshakeFailure());
}

void Handshakes::fail(DtlsSession &session, HandshakeFailure reason)
{
    session.close();
    m_owner.handshakeFailed(m_sessions.take(session), reason);
}

void Handshakes::expire(Clock::time_point now)
{
    const HalfOpen &halfOpen = m_sessions.halfOpen();
    for (int i = 0;
         i < handshakeEndsPerTurn && halfOpen.due(m_settings->limits.handshakeTimeout) <= now; ++i)
        fail(*halfOpen.oldest(), halfOpen.oldest()->handshakeFailure());
    for (int i = 0; i < handshakeEndsPerTurn && isOverLimit(); ++i) { // max_half_open was lowered
        DtlsSession *session = m_sessions.halfOpen().toGiveWay(now);
        if (!session)
            return;
        fail(*session, HandshakeFailure::Limit);
    }
}

bool Handshakes::isOverLimit() const
{
    return !m_sessions.halfOpen().all().empty() &&
           m_shared.networks.members() > m_settings->limits.maxHalfOpen;
}

Handshakes::Clock::time_point Handshakes::due(Clock::time_point now) const
{
    if (m_queue.hasCheap())
        return now;
    constexpr auto never = Clock::time_point::max();
    return std::min({m_queue.hasProved() ? std::max(m_blockedUntil, now) : never,
                     isOverLimit() ? now + roomInterval : never,
                     m_sessions.halfOpen().due(m_settings->limits.handshakeTimeout)});
}

} // namespace dtlsd
