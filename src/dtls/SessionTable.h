// SPDX-License-Identifier: Apache-2.0
//
// SessionTable: owns the sessions of one worker and finds them by path. A peer has at most one
// established session and, beside it, at most one handshake under way (RFC 6347 §4.2.8): a new
// hello cannot hurt the old session before it has proved itself.
#pragma once

#include "dtls/AgeOrder.h"
#include "dtls/DtlsSession.h"
#include "dtls/ServerOptions.h"

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

        /// Whether a datagram that begins with @p record has to wait for its handshake's turn. Data
        /// of an open session need not, but they do behind the Finished that opens it.
        [[nodiscard]] bool hasToWait(const Record &record) const
        {
            return pending ? !established || record.isOfAHandshake() : waiting > 0;
        }
        /// Not more than a last flight in pieces, sent three times.
        [[nodiscard]] bool mayWait() const { return waiting < 32; }
    };

    SessionTable() = default;
    SessionTable(const SessionTable &) = delete;
    SessionTable &operator=(const SessionTable &) = delete;
    ~SessionTable() = default;

    /// nullptr: no session, no handshake. Valid until something is taken. Costs next to nothing if
    /// it is the peer found last, as it is for each record of a datagram and for the reply.
    [[nodiscard]] Peer *find(const Path &path);
    /// The open session of that path, if it is still that one.
    [[nodiscard]] DtlsSession *find(const Path &path, SessionId id);

    /// The peer must have no other pending one.
    DtlsSession &addPending(std::unique_ptr<DtlsSession> session, AgeOrder::Clock::time_point now);
    /// Makes the peer's pending session its established one; it must have no other.
    void establish(DtlsSession &session, AgeOrder::Clock::time_point now);
    /// An established session was heard of.
    void touch(DtlsSession &session, AgeOrder::Clock::time_point now);
    /// Gives up a session, whichever it is.
    [[nodiscard]] std::unique_ptr<DtlsSession> take(DtlsSession &session);

    /// All of them, those that were touched last first; a copy, so that they can be taken
    /// meanwhile.
    [[nodiscard]] std::vector<DtlsSession *> newestFirst() const;

    /// Of all of them, in the same order.
    [[nodiscard]] std::vector<SessionReport> reports(AgeOrder::Clock::time_point now) const;

    /// The one to give way if @p newcomer is one too many; nullptr if it is not. Never the
    /// newcomer.
    [[nodiscard]] DtlsSession *halfOpenTooMany(const DtlsSession &newcomer,
                                               const Limits &limits) const;
    [[nodiscard]] DtlsSession *establishedTooMany(const DtlsSession &newcomer,
                                                  const Limits &limits) const;

    [[nodiscard]] const AgeOrder &halfOpen() const { return m_halfOpen; }
    [[nodiscard]] const AgeOrder &established() const { return m_established; }

private:
    using Peers = std::pmr::unordered_map<Path, Peer>;

    std::pmr::unsynchronized_pool_resource m_memory; // close together, whatever else is allocated
    Peers m_peers{&m_memory};
    Peers::value_type *m_last = nullptr; // found last
    AgeOrder m_halfOpen{AgeOrder::BySite};
    AgeOrder m_established{AgeOrder::ByNetwork};
};

} // namespace dtlsd
