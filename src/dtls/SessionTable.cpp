// SPDX-License-Identifier: Apache-2.0
#include "dtls/SessionTable.h"

#include <utility>

namespace dtlsd {

namespace {

// A cap is at least 1, so the oldest of too many is never the newcomer.
bool isOver(const AgeOrder::Sessions &sessions, std::int64_t cap)
{
    return cap > 0 && static_cast<std::int64_t>(sessions.size()) > cap;
}

} // namespace

SessionTable::Peer *SessionTable::find(const Path &path)
{
    if (m_last && m_last->first == path)
        return &m_last->second;
    const auto found = m_peers.find(path);
    if (found == m_peers.end())
        return nullptr;
    m_last = &*found; // stays where it is until it is erased
    return &found->second;
}

DtlsSession *SessionTable::find(const Path &path, SessionId id)
{
    const Peer *peer = find(path);
    const bool isThere = peer && peer->established && peer->established->info().id == id;
    return isThere ? peer->established.get() : nullptr;
}

DtlsSession &SessionTable::addPending(std::unique_ptr<DtlsSession> session,
                                      AgeOrder::Clock::time_point now)
{
    m_halfOpen.add(*session, now);
    const Path path = session->path();
    return *(m_peers[path].pending = std::move(session));
}

void SessionTable::establish(DtlsSession &session, AgeOrder::Clock::time_point now)
{
    Peer &peer = m_peers.at(session.path());
    m_halfOpen.remove(session);
    m_established.add(session, now);
    peer.established = std::move(peer.pending);
}

void SessionTable::touch(DtlsSession &session, AgeOrder::Clock::time_point now)
{
    m_established.touch(session, now);
}

std::unique_ptr<DtlsSession> SessionTable::take(DtlsSession &session)
{
    const auto found = m_peers.find(session.path());
    Peer &peer = found->second;
    const bool isEstablished = peer.established.get() == &session;
    (isEstablished ? m_established : m_halfOpen).remove(session);

    std::unique_ptr<DtlsSession> taken = std::move(isEstablished ? peer.established : peer.pending);
    if (!peer.established && !peer.pending) {
        m_last = nullptr;
        m_peers.erase(found);
    }
    return taken;
}

std::vector<DtlsSession *> SessionTable::newestFirst() const
{
    std::vector<DtlsSession *> sessions(m_established.all().rbegin(), m_established.all().rend());
    sessions.insert(sessions.end(), m_halfOpen.all().rbegin(), m_halfOpen.all().rend());
    return sessions;
}

std::vector<SessionReport> SessionTable::reports(AgeOrder::Clock::time_point now) const
{
    std::vector<SessionReport> reports;
    for (const DtlsSession *session : newestFirst())
        reports.push_back(session->report(now));
    return reports;
}

DtlsSession *SessionTable::halfOpenTooMany(const DtlsSession &newcomer, const Limits &limits) const
{
    const auto &fromThere = AgeOrder::neighbours(newcomer, AgeOrder::ByNetwork);
    if (isOver(fromThere, limits.maxHalfOpenPerAddress))
        return fromThere.front();
    if (!isOver(m_halfOpen.all(), limits.maxHalfOpen))
        return nullptr;
    // Whoever has many addresses side by side makes room himself.
    const auto &site = AgeOrder::neighbours(newcomer, AgeOrder::BySite);
    return isOver(site, limits.maxHalfOpenPerAddress) ? site.front() : m_halfOpen.oldest();
}

DtlsSession *SessionTable::establishedTooMany(const DtlsSession &newcomer,
                                              const Limits &limits) const
{
    const auto &fromThere = AgeOrder::neighbours(newcomer, AgeOrder::ByNetwork);
    if (isOver(fromThere, limits.maxSessionsPerAddress))
        return fromThere.front();
    return isOver(m_established.all(), limits.maxSessions) ? m_established.oldest() : nullptr;
}

} // namespace dtlsd
