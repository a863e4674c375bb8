// SPDX-License-Identifier: Apache-2.0
#include "dtls/SessionTable.h"

#include <algorithm>
#include <utility>

namespace dtlsd {

SessionTable::Peer *SessionTable::find(const Path &path)
{
    const auto found = m_peers.find(path);
    return found == m_peers.end() || found->second.isGone() ? nullptr : &found->second;
}

DtlsSession *SessionTable::find(const Path &path, SessionId id)
{
    const Peer *peer = find(path);
    const bool isThere = peer && peer->established && peer->established->info().id == id;
    return isThere ? peer->established.get() : nullptr;
}

DtlsSession *SessionTable::addPending(std::unique_ptr<DtlsSession> &session,
                                      AgeOrder::Clock::time_point now, std::int64_t limit)
{
    if (!m_halfOpen.add(*session, now, limit))
        return nullptr;
    Peer &peer = m_peers[session->path()];
    if (peer.isGone())
        peer.waiting = 0;
    return (peer.pending = std::move(session)).get();
}

void SessionTable::establish(DtlsSession &session, AgeOrder::Clock::time_point now)
{
    Peer &peer = m_peers.at(session.path());
    m_halfOpen.remove(session, HalfOpen::End::Finished);
    m_established.add(session, now);
    peer.established = std::move(peer.pending);
}

std::unique_ptr<DtlsSession> SessionTable::take(DtlsSession &session)
{
    const auto found = m_peers.find(session.path());
    Peer &peer = found->second;
    const bool isEstablished = peer.established.get() == &session;
    if (isEstablished)
        m_established.remove(session);
    else
        m_halfOpen.remove(session, HalfOpen::End::Unfinished);

    std::unique_ptr<DtlsSession> taken = std::move(isEstablished ? peer.established : peer.pending);
    if (peer.isGone())
        m_gone.push_back(found->first);
    return taken;
}

void SessionTable::forgetGone()
{
    for (const Path &path : m_gone) {
        if (const auto found = m_peers.find(path); found != m_peers.end() && found->second.isGone())
            m_peers.erase(found);
    }
    m_gone.clear();
}

bool SessionTable::next(Cursor &cursor, std::vector<DtlsSession *> &sessions)
{
    constexpr int bucketsAtOnce = 16;
    if (cursor.buckets != m_peers.bucket_count()) // the table was rehashed
        cursor = {0, m_peers.bucket_count()};
    sessions.clear();
    for (int i = 0; i < bucketsAtOnce && cursor.bucket < cursor.buckets; ++i, ++cursor.bucket) {
        for (auto peer = m_peers.begin(cursor.bucket); peer != m_peers.end(cursor.bucket); ++peer) {
            for (const auto &session : {&peer->second.established, &peer->second.pending})
                if (*session)
                    sessions.push_back(session->get());
        }
    }
    return cursor.bucket < cursor.buckets;
}

std::vector<SessionReport> SessionTable::reports(AgeOrder::Clock::time_point now) const
{
    std::vector<SessionReport> reports;
    for (const auto *order : {&m_established.all(), &m_halfOpen.all()})
        std::for_each(order->rbegin(), order->rend(),
                      [&](const DtlsSession *session) { reports.push_back(session->report(now)); });
    return reports;
}

} // namespace dtlsd
