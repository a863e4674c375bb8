// SPDX-License-Identifier: Apache-2.0
#include "fuzz/Witness.h"

#include "fuzz/FuzzTarget.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace dtlsd::fuzz {

namespace {

/// 0 = no limit.
bool keeps(std::int64_t count, std::int64_t limit, std::int64_t left = 0)
{
    return limit == 0 || count <= std::max(limit, left);
}

bool isOneOf(const PskKey &key, const std::vector<PskKey> &keys)
{
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

} // namespace

Witness::Witness(DtlsServer &server, const ServerSettings &settings, const TimeSource &time)
    : m_server(server)
    , m_settings(settings)
    , m_time(time)
{
    resetRates();
    const auto hears = [this](const ServerEvent &event) { hear(event); };
    QObject::connect(&server, &DtlsServer::infoMessage, &server, hears);
    QObject::connect(&server, &DtlsServer::warningMessage, &server, hears);
    QObject::connect(&server, &DtlsServer::errorMessage, &server, hears);
    QObject::connect(&server, &DtlsServer::datagramReceived, &server,
                     [this](const Datagram &datagram) { receive(datagram); });
}

void Witness::sends(const QByteArray &identity, const QByteArray &message, const RecordName &record)
{
    require(!m_sent.contains(message), "each message is another");
    m_sent.insert(message, {identity, record});
}

void Witness::arrives(const SocketAddress &peer, qsizetype size)
{
    Peer &sender = m_peers[peer];
    sender.balance += size;
    sender.heard = m_time.now();
}

/// Tokens of the rate before may be left.
void Witness::resetRates()
{
    m_handshakes = {m_settings.limits.handshakesPerSecond, 0, m_time.now()};
    m_rates.clear();
    for (const QByteArray &identity : m_settings.identities->identities().keys())
        m_rates[identity] = {m_settings.datagramsPerSecond(identity), 0, m_time.now()};
}

void Witness::Rate::judge(Clock::time_point now, const char *promise) const
{
    const auto milliseconds = (now - since) / std::chrono::milliseconds(1);
    // A second's worth at once.
    require(perSecond == 0 || count <= perSecond * (milliseconds + 1000) / 1000 + 1, promise);
}

std::vector<PskKey> Witness::keysOf(const SessionInfo &info) const
{
    const PskIdentity *entry = m_settings.identities->find(info.identity);
    if (!entry || !entry->allows(info.path.peer))
        return {};
    return {entry->key, entry->nextKey};
}

void Witness::settingsChange(const ServerSettings &settings)
{
    m_settings = settings;
    m_isChanging = true;
    resetRates();
}

void Witness::settingsHaveChanged()
{
    m_isChanging = false;
    m_halfOpenLeft = static_cast<std::int64_t>(m_halfOpen.size());
    m_openLeft.clear();
    for (auto &[id, open] : m_open) {
        const std::vector<PskKey> keys = keysOf(open.info);
        std::erase_if(open.keys, [&](const PskKey &key) { return !isOneOf(key, keys); });
        require(!open.keys.empty(), "no session outlives its identity, its key or its network");
        ++m_openLeft[open.info.identity];
    }
    judgeStatistics();
}

void Witness::judgeTurn(std::span<const OutgoingDatagram> answers)
{
    for (const OutgoingDatagram &answer : answers) {
        require(!answer.bytes.isEmpty(), "an answer says something");
        Peer &peer = m_peers[answer.path.peer];
        peer.balance -= answer.bytes.size();
        require(peer.isProved || peer.balance >= 0,
                "an unproved source is sent no more than it sent");
    }
    judgeStatistics();
}

void Witness::judgeStatistics()
{
    const Statistics statistics = m_server.statistics();
    require(statistics.halfOpen == static_cast<std::int64_t>(m_halfOpen.size()),
            "each half-open handshake was announced, and each that ended");
    require(statistics.sessions == static_cast<std::int64_t>(m_open.size()),
            "each session was announced, and each that ended");
    require(statistics.sessionsOpened == m_opened &&
                statistics.sessionsClosed.total() == m_closed &&
                statistics.handshakesFailed.total() == m_failed,
            "what is counted is what was announced");
    require(statistics.received.datagrams == m_messages.size() + statistics.overRate,
            "each message is counted once");
    if (!m_isChanging)
        judgeLimits(statistics);
}

void Witness::judgeLimits(const Statistics &statistics)
{
    const Limits &limits = m_settings.limits;
    require(keeps(statistics.sessions, limits.maxSessions), "max_sessions is kept");
    require(keeps(statistics.halfOpen, limits.maxHalfOpen, m_halfOpenLeft),
            "max_half_open is kept");
    m_halfOpenLeft = std::min(m_halfOpenLeft, statistics.halfOpen);
    for (const auto &[id, open] : m_open) {
        const QByteArray &identity = open.info.identity;
        require(keeps(openOf(identity), limits.maxSessionsPerIdentity, m_openLeft[identity]),
                "max_sessions_per_identity is kept");
        m_openLeft[identity] = std::min(m_openLeft[identity], openOf(identity));
    }
    m_handshakes.judge(m_time.now(), "handshakes_per_second is kept");
}

void Witness::judgeTime(std::chrono::milliseconds step) const
{
    const Limits &limits = m_settings.limits;
    const Clock::time_point now = m_time.now();
    for (const auto &[id, open] : m_open) {
        const Clock::time_point heard = std::max(open.spoke, m_peers.at(open.info.path.peer).heard);
        require(now - heard < limits.idleTimeout + step, "no session is idle for too long");
        require(limits.sessionLifetime.count() == 0 || now - open.opened < limits.sessionLifetime,
                "no session lasts too long");
    }
    for (const auto &[id, halfOpen] : m_halfOpen)
        require(now - halfOpen.started < limits.handshakeTimeout + step,
                "no handshake takes too long");
}

void Witness::judgeEnd() const
{
    require(m_open.empty() && m_opened == m_closed, "each session that was opened was closed");
    require(m_server.statistics().sessions == 0 && m_server.statistics().halfOpen == 0,
            "a closed server holds nothing");
}

std::int64_t Witness::openOf(const QByteArray &identity) const
{
    return std::count_if(m_open.begin(), m_open.end(),
                         [&](const auto &open) { return open.second.info.identity == identity; });
}

void Witness::hear(const ServerEvent &event)
{
    std::visit([this](const auto &kind) { hear(kind); }, event);
}

void Witness::hear(const HandshakeStarted &event)
{
    const SessionInfo &info = event.session;
    require(m_halfOpen.emplace(info.id, HalfOpen{info, m_time.now()}).second && !isOpen(info.id),
            "a handshake starts once");
    m_peers[info.path.peer].isProved = true;
    ++m_handshakes.count;
    ++m_started;
}

void Witness::hear(const HandshakeFailed &event)
{
    require(m_halfOpen.erase(event.session.id) == 1, "what fails is half-open");
    ++m_failed;
}

void Witness::hear(const SessionOpened &event)
{
    const SessionInfo &info = event.session;
    const auto halfOpen = m_halfOpen.find(info.id);
    require(halfOpen != m_halfOpen.end(), "what opens was half-open");
    require(halfOpen->second.info.path == info.path, "a session stays where it began");
    m_halfOpen.erase(halfOpen);
    require(!info.identity.isEmpty() && info.isOpen(), "an open session has proved who it is");
    require(std::none_of(m_open.begin(), m_open.end(),
                         [&](const auto &open) { return open.second.info.path == info.path; }),
            "a peer has one session");
    const std::vector<PskKey> keys = keysOf(info);
    require(!keys.empty(), "nobody gets a session whom the settings do not admit");
    const Clock::time_point now = m_time.now();
    m_open.emplace(info.id, Open{.info = info, .keys = keys, .opened = now, .spoke = now});
    m_lastOpened = info.id;
    ++m_opened;
}

void Witness::hear(const SessionClosed &event)
{
    const auto open = m_open.find(event.session.id);
    require(open != m_open.end(), "what closes was open");
    require(event.received.datagrams >= open->second.messages &&
                event.received.datagrams <= open->second.messages + m_server.statistics().overRate,
            "its messages are counted");
    judgeReason(open->second, event.reason);
    m_open.erase(open);
    ++m_closed;
}

void Witness::judgeReason(const Open &open, CloseReason reason)
{
    const Limits &limits = m_settings.limits;
    const Clock::time_point now = m_time.now();
    const QByteArray &identity = open.info.identity;
    const std::vector<PskKey> keys = keysOf(open.info);
    switch (reason) {
    case CloseReason::CloseNotify:
    case CloseReason::Alert:
    case CloseReason::Error:
        return require(m_mayEnd.count(identity) > 0,
                       "only its key holder ends a session, and not by accident");
    case CloseReason::Idle:
        return require(now - open.spoke >= limits.idleTimeout, "an idle session is idle");
    case CloseReason::Lifetime:
        m_outlived.insert(open.info.id);
        return require(now - open.opened >= limits.sessionLifetime, "an old session is old");
    case CloseReason::Replaced:
        return require(std::any_of(m_halfOpen.begin(), m_halfOpen.end(),
                                   [&](const auto &other) {
                                       return other.second.info.path == open.info.path;
                                   }),
                       "a session is replaced by another of its peer");
    case CloseReason::Revoked:
        return require(!std::all_of(open.keys.begin(), open.keys.end(),
                                    [&](const PskKey &key) { return isOneOf(key, keys); }),
                       "a session whose key has not changed stays");
    case CloseReason::Evicted:
        return judgeEviction(open);
    case CloseReason::Operator:
        return require(identity == m_operatorCloses, "the operator closes what he names");
    case CloseReason::Shutdown:
        return require(m_isClosing, "a server that goes on closes nothing");
    case CloseReason::KeyUsage:
        return require(m_server.statistics().badRecords >=
                           SuiteLimits::of(open.info.cipher.opensslName()).forgeries,
                       "keys that are used up were used");
    }
}

void Witness::judgeEviction(const Open &open) const
{
    const Limits &limits = m_settings.limits;
    const std::int64_t own = openOf(open.info.identity);
    if (!keeps(own, limits.maxSessionsPerIdentity))
        return;
    require(!keeps(static_cast<std::int64_t>(m_open.size()), limits.maxSessions),
            "nobody gives way below the limit");
    require(
        std::all_of(m_open.begin(), m_open.end(),
                    [&](const auto &other) { return openOf(other.second.info.identity) <= own; }),
        "the fullest account gives way");
}

void Witness::hear(const PeerMisbehaving &event)
{
    require(isOpen(event.session.id), "who misbehaves has a session");
    require(event.badRecords > 0, "there is something to report");
}

void Witness::hear(const ReplyDropped &event)
{
    require(isOpen(event.session.id), "a reply is to an open session");
    require(event.replies > 0 && event.size > event.limit, "there is something to report");
}

void Witness::hear(const IdentityLimited &event)
{
    require(event.datagrams > 0 && event.perSecond > 0, "there is something to report");
}

void Witness::hear(const UnverifiedTraffic &event)
{
    require(event.total() > 0, "there is something to report");
}

void Witness::hear(const ListenFailed &)
{
    require(false, "nothing fails to listen");
}

void Witness::receive(const Datagram &datagram)
{
    const auto open = m_open.find(datagram.session.id);
    require(open != m_open.end(), "messages come out of open sessions");
    require(open->second.info.path == datagram.session.path, "a session stays where it began");
    const bool isNext = datagram.sequence == open->second.sequence + 1;
    const bool isLater = datagram.sequence > open->second.sequence + 1;
    require(isNext || (isLater && m_server.statistics().overRate > 0),
            "messages are numbered without a gap, but for those over the rate");
    open->second.sequence = datagram.sequence;
    ++open->second.messages;
    open->second.spoke = m_time.now();
    const auto sent = m_sent.find(datagram.payload);
    require(sent != m_sent.end(), "a message is as it was sent");
    require(sent->identity == datagram.session.identity, "a message is from whom it says");
    require(m_arrived.insert(sent->record).second, "a record is heard once");
    m_messages.push_back(datagram);
    Rate &rate = m_rates[datagram.session.identity];
    ++rate.count;
    rate.judge(m_time.now(), "datagrams_per_second is kept");
}

} // namespace dtlsd::fuzz
