// SPDX-License-Identifier: Apache-2.0
//
// SessionTable: owns the sessions of one worker, finds them by path, and keeps them in the accounts
// that all workers share. A peer has at most one established session and, beside it, at most one
// handshake under way (RFC 6347 §4.2.8): a new hello cannot hurt the old session before it has
// proved itself.
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

        /// Whether all that it had has been taken.
        [[nodiscard]] bool isGone() const { return !established && !pending; }
        /// Whether a datagram that begins with @p record has to wait for its handshake's turn. Data
        /// of an open session need not, but they do behind the Finished that opens it.
        [[nodiscard]] bool hasToWait(const Record &record) const
        {
            return pending ? !established || record.isOfAHandshake() : waiting > 0;
        }
        /// Not more than a last flight in pieces, sent three times.
        [[nodiscard]] bool mayWait() const { return waiting < 32; }
    };

    /// @p worker is its number in both accounts, which outlive it.
    SessionTable(Accounts<QByteArray> &identities, Accounts<SocketAddress> &networks, int worker)
        : m_halfOpen(networks, worker)
        , m_established(identities, worker)
    {
    }

    /// nullptr: no session, no handshake. Valid until forgetGone(), also when it is gone itself.
    [[nodiscard]] Peer *find(const Path &path);
    /// The open session of that path, if it is still that one.
    [[nodiscard]] DtlsSession *find(const Path &path, SessionId id);

    /// A handshake that begins now; the peer must have no other pending one. nullptr: all workers
    /// together have @p limit already, and @p session is as before.
    [[nodiscard]] DtlsSession *addPending(std::unique_ptr<DtlsSession> &session,
                                          AgeOrder::Clock::time_point now, std::int64_t limit);
    /// Makes the peer's pending session, whose account is known, its established one; it must have
    /// no other.
    void establish(DtlsSession &session, AgeOrder::Clock::time_point now);
    /// Gives up a session, whichever it is.
    [[nodiscard]] std::unique_ptr<DtlsSession> take(DtlsSession &session);
    /// Frees the peers that are gone.
    void forgetGone();

    /// Where a walk through the table has come to.
    struct Cursor
    {
        std::size_t bucket = 0;
        std::size_t buckets = 0; ///< of the table at that time
    };
    /// Fills @p sessions with the next few, established and pending; it may find none. false: that
    /// was the end. Sessions may come and go between two calls: one that is there all the time is
    /// found at least once.
    [[nodiscard]] bool next(Cursor &cursor, std::vector<DtlsSession *> &sessions);

    /// Of all of them, those that were touched last first.
    [[nodiscard]] std::vector<SessionReport> reports(AgeOrder::Clock::time_point now) const;

    [[nodiscard]] HalfOpen &halfOpen() { return m_halfOpen; }
    [[nodiscard]] const HalfOpen &halfOpen() const { return m_halfOpen; }
    [[nodiscard]] AgeOrder &established() { return m_established; }
    [[nodiscard]] const AgeOrder &established() const { return m_established; }

private:
    using Peers = std::pmr::unordered_map<Path, Peer>;

    std::pmr::unsynchronized_pool_resource m_memory; // close together, whatever else is allocated
    Peers m_peers{&m_memory};
    std::vector<Path> m_gone; // peers that were, and may have come back
    HalfOpen m_halfOpen;
    AgeOrder m_established;
};

} // namespace dtlsd
