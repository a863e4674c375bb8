// SPDX-License-Identifier: Apache-2.0
//
// SessionTable: owns the sessions of one worker, finds them by path, and enters them in the
// accounts of all workers. A peer has at most one established session and, beside it, one handshake
// under way (RFC 6347 §4.2.8): a new hello cannot harm the old session until its handshake is
// complete.
#pragma once

#include "dtls/AgeOrder.h"
#include "dtls/DtlsSession.h"
#include "dtls/HalfOpen.h"

#include <cstddef>
#include <cstdint>
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
        int waiting = 0; ///< datagrams in the HandshakeQueue; kept by the server

        /// Whether it has neither a session nor a handshake.
        [[nodiscard]] bool isGone() const { return !established && !pending; }
        /// Whether a datagram that begins with @p record must be queued. Data of an open session
        /// need not be, except behind a queued Finished that opens it.
        [[nodiscard]] bool hasToWait(const Record &record) const
        {
            return pending ? !established || record.isOfAHandshake() : waiting > 0;
        }
        /// Room for a fragmented last flight, sent three times.
        [[nodiscard]] bool mayWait() const { return waiting < 32; }
    };

    /// @p worker is its number in both accounts, which must outlive it.
    SessionTable(Accounts<QByteArray> &identities, Accounts<SocketAddress> &networks, int worker)
        : m_halfOpen(networks, worker)
        , m_established(identities, worker)
    {
    }

    /// nullptr: neither session nor handshake. Valid until forgetGone(), even if the peer is gone.
    [[nodiscard]] Peer *find(const Path &path);
    /// The open session of @p path, if its ID is @p id.
    [[nodiscard]] DtlsSession *find(const Path &path, SessionId id);

    /// Adds a handshake that begins now; the peer must have no other. nullptr: all workers together
    /// have @p limit already, and @p session is unchanged.
    [[nodiscard]] DtlsSession *addPending(std::unique_ptr<DtlsSession> &session,
                                          AgeOrder::Clock::time_point now, std::int64_t limit);
    /// Makes the peer's pending session, whose account must be set, its established one. The peer
    /// must have no other.
    void establish(DtlsSession &session, AgeOrder::Clock::time_point now);
    /// Removes a session, pending or established.
    [[nodiscard]] std::unique_ptr<DtlsSession> take(DtlsSession &session);
    /// Frees the peers that are gone.
    void forgetGone();

    /// The position of a walk through the table.
    struct Cursor
    {
        std::size_t bucket = 0;
        std::size_t buckets = 0; ///< bucket count when the walk began
    };
    /// Fills @p sessions with the next few, established and pending; possibly with none. false: the
    /// walk is over. Sessions may come and go between two calls; a session that stays is found at
    /// least once.
    [[nodiscard]] bool next(Cursor &cursor, std::vector<DtlsSession *> &sessions);

    /// Of open sessions, then of handshakes; in each group the last active first.
    [[nodiscard]] std::vector<SessionReport> reports(AgeOrder::Clock::time_point now) const;

    [[nodiscard]] HalfOpen &halfOpen() { return m_halfOpen; }
    [[nodiscard]] const HalfOpen &halfOpen() const { return m_halfOpen; }
    [[nodiscard]] AgeOrder &established() { return m_established; }
    [[nodiscard]] const AgeOrder &established() const { return m_established; }

private:
    using Peers = std::pmr::unordered_map<Path, Peer>;

    std::pmr::unsynchronized_pool_resource m_memory; // keeps the peers close together
    Peers m_peers{&m_memory};
    std::vector<Path> m_gone; // peers without a session, which may have come back
    HalfOpen m_halfOpen;
    AgeOrder m_established;
};

} // namespace dtlsd
