// SPDX-License-Identifier: Apache-2.0
#include "dtls/session/SessionTable.h"

#include <iterator>
#include <utility>

namespace dtlsd {

namespace {

/// Visits the values of the bucket of @p map that @p cursor is at, and goes on to the next.
void visitBucket(auto &map, SessionTable::Cursor &cursor, const auto &visit)
{
    if (cursor.buckets != map.bucket_count()) // the walk begins, or the map has grown
        cursor = {cursor.part, 0, map.bucket_count()};
    for (auto entry = map.begin(cursor.bucket); entry != map.end(cursor.bucket); ++entry)
        visit(entry->second);
    if (++cursor.bucket == cursor.buckets)
        cursor = {.part = cursor.part + 1};
}

} // namespace

SessionTable::Peer *SessionTable::find(const Path &path)
{
    Peers &peers = peersAt(path);
    const auto found = peers.find(path);
    return found == peers.end() || found->second.isGone() ? nullptr : &found->second;
}

DtlsSession *SessionTable::find(const ConnectionId &id)
{
    const ById &sessions = with(id);
    const auto found = sessions.find(id);
    return found == sessions.end() ? nullptr : found->second.get();
}

DtlsSession *SessionTable::find(const SessionHandle &handle)
{
    const Peer *peer = handle.connectionId ? nullptr : find(handle.path);
    DtlsSession *session = handle.connectionId ? find(*handle.connectionId)
                           : peer              ? peer->established.get()
                                               : nullptr;
    return session && session->info().id == handle.id ? session : nullptr;
}

void SessionTable::noteService(const SessionHandle &handle, std::uint64_t service)
{
    if (DtlsSession *session = find(handle))
        session->kept().noteService(service);
}

std::vector<DtlsSession *> SessionTable::openAt(const Path &path)
{
    const Peers &peers = peersAt(path);
    const auto found = peers.find(path);
    if (found == peers.end())
        return {};
    std::vector<DtlsSession *> sessions = found->second.guests;
    if (found->second.established)
        sessions.push_back(found->second.established.get());
    return sessions;
}

DtlsSession *SessionTable::addPending(std::unique_ptr<DtlsSession> &session,
                                      AgeOrder::Clock::time_point now, std::int64_t limit)
{
    if (!m_halfOpen.add(*session, now, limit))
        return nullptr;
    Peer &peer = peersAt(session->path())[session->path()];
    if (peer.isGone())
        peer.waiting = 0;
    return (peer.pending = std::move(session)).get();
}

void SessionTable::establish(DtlsSession &session, AgeOrder::Clock::time_point now)
{
    stepOver(session);
    m_halfOpen.remove(session, HalfOpen::End::Finished);
    session.place.touched = now;
    addOpen(std::move(peersAt(session.path()).at(session.path()).pending));
}

DtlsSession &SessionTable::addOpen(std::unique_ptr<DtlsSession> session)
{
    DtlsSession &added = *session;
    Peer &peer = peersAt(added.path())[added.path()];
    m_established.add(added, added.place.touched);
    if (const auto &id = added.info().connectionId) {
        peer.guests.push_back(&added);
        with(*id)[*id] = std::move(session);
    } else {
        peer.established = std::move(session);
    }
    return added;
}

void SessionTable::noteMove(DtlsSession &session, const Path &former)
{
    leavePath(session, former);
    peersAt(session.path())[session.path()].guests.push_back(&session);
}

void SessionTable::leavePath(DtlsSession &session, const Path &path)
{
    Peer &peer = peersAt(path).at(path);
    std::erase(peer.guests, &session);
    if (peer.isGone())
        m_gone.push_back(path);
}

std::unique_ptr<DtlsSession> SessionTable::take(DtlsSession &session)
{
    stepOver(session);
    const bool isOpen = session.place.ofAccount != nullptr;
    if (isOpen)
        m_established.remove(session);
    else
        m_halfOpen.remove(session, HalfOpen::End::Unfinished);
    if (const auto &id = session.info().connectionId; isOpen && id) {
        leavePath(session, session.path());
        return std::move(with(*id).extract(*id).mapped());
    }
    Peer &peer = peersAt(session.path()).at(session.path());
    std::unique_ptr<DtlsSession> taken = std::move(isOpen ? peer.established : peer.pending);
    if (peer.isGone())
        m_gone.push_back(session.path());
    return taken;
}

void SessionTable::forgetGone()
{
    for (const Path &path : m_gone) {
        Peers &peers = peersAt(path);
        if (const auto found = peers.find(path);
            found != peers.end() && found->second.isGone() && found->second.guests.empty())
            peers.erase(found);
    }
    m_gone.clear();
}

bool SessionTable::next(Cursor &cursor, std::vector<DtlsSession *> &sessions)
{
    sessions.clear();
    const auto add = [&](const std::unique_ptr<DtlsSession> &session) {
        if (session)
            sessions.push_back(session.get());
    };
    constexpr int bucketsAtOnce = 16;
    for (int i = 0; i < bucketsAtOnce && cursor.part < 2 * parts; ++i) {
        if (cursor.part < parts)
            visitBucket(m_peers[cursor.part], cursor, [&](const Peer &peer) {
                add(peer.established);
                add(peer.pending);
            });
        else
            visitBucket(m_byId[cursor.part - parts], cursor, add);
    }
    return cursor.part < 2 * parts;
}

std::shared_ptr<SessionTable::Walk> SessionTable::walk()
{
    const auto &opened = m_established.opened();
    const auto &begun = m_halfOpen.all();
    DtlsSession *first = begun.empty() ? nullptr : begun.back();
    const auto walk = std::make_shared<Walk>(*this, opened.empty() ? first : opened.back());
    std::erase_if(m_walks, [](const auto &other) { return other.expired(); });
    m_walks.push_back(walk);
    return walk;
}

DtlsSession *SessionTable::advance(Walk &walk)
{
    DtlsSession *session = walk.m_next;
    if (session)
        walk.m_next = walk.m_table.following(*session);
    return session;
}

/// The session that a walk meets after @p session, which is in the table.
DtlsSession *SessionTable::following(const DtlsSession &session) const
{
    const auto &begun = m_halfOpen.all();
    const bool isOpen = session.place.ofAccount != nullptr;
    const auto place = isOpen ? session.place.inOpened : session.place.inAll;
    if (place != (isOpen ? m_established.opened() : begun).begin())
        return *std::prev(place);
    return isOpen && !begun.empty() ? begun.back() : nullptr;
}

/// Called before @p session leaves its order.
void SessionTable::stepOver(const DtlsSession &session)
{
    for (const auto &walk : m_walks) {
        if (const auto held = walk.lock(); held && held->m_next == &session)
            held->m_next = following(session);
    }
}

} // namespace dtlsd
