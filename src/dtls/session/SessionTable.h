// SPDX-License-Identifier: Apache-2.0
//
// SessionTable: owns the sessions of one worker, finds them, and enters them in the accounts of all
// workers. A peer has at most one established session and, beside it, one handshake under way
// (RFC 6347 §4.2.8): a new hello cannot harm the old session until its handshake is complete.
//
// Open sessions with a connection ID are found by it alone: wherever they move, they never take the
// place of the session that is found by that path.
#pragma once

#include "dtls/handshake/HalfOpen.h"
#include "dtls/limits/AgeOrder.h"
#include "dtls/session/DtlsSession.h"
#include "dtls/store/SessionMemory.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <unordered_map>
#include <vector>

namespace dtlsd {

class SessionTable
{
public:
    struct Peer
    {
        std::unique_ptr<DtlsSession> established;
        std::unique_ptr<DtlsSession> pending;
        std::vector<DtlsSession *> guests; ///< sessions with IDs that are at its path
        int waiting = 0;                   ///< datagrams in the HandshakeQueue; kept by the server

        /// Whether it has neither a session nor a handshake of its own.
        [[nodiscard]] bool isGone() const { return !established && !pending; }
        /// Whether a datagram that begins with @p record must be queued. Data of an open session
        /// need not be, except behind a queued Finished that opens it.
        [[nodiscard]] bool hasToWait(const Record &record) const
        {
            if (record.hasId())
                return pending ? pending->isMeantBy(record) : waiting > 0;
            return pending ? !established || record.isOfAHandshake() : waiting > 0;
        }
        /// Room for a fragmented last flight, sent three times.
        [[nodiscard]] bool mayWait() const { return waiting < 32; }
    };

    /// @p worker is its number in both accounts, which must outlive it.
    SessionTable(Accounts<QByteArray> &identities, Accounts<SocketAddress> &networks, int worker)
        : m_sessionMemory(worker)
        , m_halfOpen(networks, worker)
        , m_established(identities, worker)
    {
    }

    /// nullptr: neither session nor handshake. Valid until forgetGone(), even if the peer is gone.
    [[nodiscard]] Peer *find(const Path &path);
    /// The open session with @p id; nullptr: there is none.
    [[nodiscard]] DtlsSession *find(const ConnectionId &id);
    /// The open session of @p handle, wherever it is now; nullptr: it has ended.
    [[nodiscard]] DtlsSession *find(const SessionHandle &handle);
    /// Sets KeptState::service() of that session, if it is open.
    void noteService(const SessionHandle &handle, std::uint64_t service);
    /// The open sessions that are at @p path: an ordinary one, and any number with IDs.
    [[nodiscard]] std::vector<DtlsSession *> openAt(const Path &path);

    /// Adds a handshake that begins now; the peer must have no other. nullptr: all workers together
    /// have @p limit already, and @p session is unchanged.
    [[nodiscard]] DtlsSession *addPending(std::unique_ptr<DtlsSession> &session,
                                          AgeOrder::Clock::time_point now, std::int64_t limit);
    /// Makes the peer's pending session, whose account must be set, its established one. The peer
    /// must have no other, unless @p session has an ID.
    void establish(DtlsSession &session, AgeOrder::Clock::time_point now);
    /// Adds an open session that a former process has left, last heard of when it was touched.
    DtlsSession &addOpen(std::unique_ptr<DtlsSession> session);
    /// @p session, which has an ID, has moved from @p former to its path.
    void noteMove(DtlsSession &session, const Path &former);
    /// Removes a session, pending or established.
    [[nodiscard]] std::unique_ptr<DtlsSession> take(DtlsSession &session);
    /// Frees the peers that are gone.
    void forgetGone();

    /// The position of a walk through the table.
    struct Cursor
    {
        std::size_t part = 0; ///< of m_peers, then of m_byId
        std::size_t bucket = 0;
        std::size_t buckets = 0; ///< bucket count when the walk through that part began
    };
    /// Fills @p sessions with the next few, established and pending; possibly with none. false: the
    /// walk is over. Sessions may come and go between two calls; a session that stays is found at
    /// least once.
    [[nodiscard]] bool next(Cursor &cursor, std::vector<DtlsSession *> &sessions);

    /// A walk through the open sessions, the last opened first, then through the handshakes, the
    /// last begun first. A session that is there all the while is met once, however long the walk
    /// takes; a handshake that completes meanwhile may be missed.
    class Walk;
    [[nodiscard]] std::shared_ptr<Walk> walk();
    /// The next session of @p walk; nullptr: it is over.
    [[nodiscard]] static DtlsSession *advance(Walk &walk);

    [[nodiscard]] SessionMemory &memory() { return m_sessionMemory; }

    [[nodiscard]] HalfOpen &halfOpen() { return m_halfOpen; }
    [[nodiscard]] const HalfOpen &halfOpen() const { return m_halfOpen; }
    [[nodiscard]] AgeOrder &established() { return m_established; }
    [[nodiscard]] const AgeOrder &established() const { return m_established; }

private:
    [[nodiscard]] DtlsSession *following(const DtlsSession &session) const;
    void stepOver(const DtlsSession &session);

    void leavePath(DtlsSession &session, const Path &path);

    using Peers = std::pmr::unordered_map<Path, Peer>;
    using ById = std::pmr::unordered_map<ConnectionId, std::unique_ptr<DtlsSession>>;

    // A map that grows moves all of its peers at once: with a million of them, for a second.
    static constexpr std::size_t parts = 1024;

    [[nodiscard]] Peers &peersAt(const Path &path)
    {
        return m_peers[std::hash<Path>()(path) % parts];
    }
    [[nodiscard]] ById &with(const ConnectionId &id)
    {
        return m_byId[std::hash<ConnectionId>()(id) % parts];
    }

    SessionMemory m_sessionMemory;                   // outlives the sessions
    std::pmr::unsynchronized_pool_resource m_memory; // keeps the peers close together
    std::pmr::vector<Peers> m_peers{parts, &m_memory};
    std::pmr::vector<ById> m_byId{parts, &m_memory};
    std::vector<Path> m_gone; // peers without a session, which may have come back
    HalfOpen m_halfOpen;
    AgeOrder m_established;
    std::vector<std::weak_ptr<Walk>> m_walks; // as few as there are operators
};

class SessionTable::Walk
{
public:
    Walk(const SessionTable &table, DtlsSession *first)
        : m_table(table)
        , m_next(first)
    {
    }

private:
    friend SessionTable;

    const SessionTable &m_table;
    DtlsSession *m_next; // nullptr: it is over
};

} // namespace dtlsd
