// SPDX-License-Identifier: Apache-2.0
//
// Handshakes: everything between a ClientHello and an open session, for one worker. It decides
// which hello is answered, which one starts a handshake and when, and which handshake is evicted.
//
//   hello ──► cookie ──► ProvedHellos ──► handshake under way ──► completed: an open session
//               │ none, or invalid: HelloVerifyRequest    └─────► failed: timeout, limit, wrong key
//
// A proved hello waits for a free place (max_half_open) and a token (handshakes_per_second), both
// counted over all workers, and for hellos of networks with fewer unfinished handshakes. If no
// place is free, a handshake of the heaviest network is evicted once its device has had time to
// answer. Until then the hello waits, which costs its device one repetition at most.
#pragma once

#include "dtls/ServerOptions.h"
#include "dtls/SharedState.h"
#include "dtls/handshake/CookieVerifier.h"
#include "dtls/handshake/Credentials.h"
#include "dtls/handshake/HandshakeQueue.h"
#include "dtls/limits/UnverifiedWatch.h"
#include "dtls/session/SessionTable.h"

#include <QSslConfiguration>

#include <chrono>
#include <memory>
#include <optional>

namespace dtlsd {

class Handshakes
{
public:
    using Clock = std::chrono::steady_clock;

    /// Receives the results of handshakes, from within any non-const function.
    class Owner
    {
    public:
        virtual void handshakeStarted(DtlsSession &session) = 0;
        /// The session is Established, but still the pending one of its peer.
        virtual void handshakeCompleted(DtlsSession &session) = 0;
        virtual void handshakeFailed(std::unique_ptr<DtlsSession> session,
                                     HandshakeFailure reason) = 0;

    protected:
        ~Owner() = default;
    };

    /// For worker number @p worker. Everything passed by reference must outlive it.
    Handshakes(std::shared_ptr<const ServerSettings> settings, SharedState &shared, int worker,
               SessionTable &sessions, UnverifiedWatch &watch, Owner &owner);

    /// New settings, for handshakes that begin from now on. A handshake under way keeps its
    /// ciphers; the owner checks whether its identity is still admitted.
    void use(std::shared_ptr<const ServerSettings> settings);

    // Each queues a datagram for next():
    /// @p datagram, with @p hello or its first fragment.
    void receiveHello(DatagramSocket &socket, const Path &path, QByteArrayView datagram,
                      const ClientHello &hello, Clock::time_point now);
    /// A further fragment of a queued hello. false: it belongs to none.
    [[nodiscard]] bool receiveFragment(const Path &path, const Packet &packet);
    /// A datagram of @p peer, behind its queued ones. false: it was not queued, and must be
    /// processed at once.
    [[nodiscard]] bool receiveFollowUp(DatagramSocket &socket, const Path &path,
                                       const Packet &packet, SessionTable::Peer &peer,
                                       Clock::time_point now);

    /// The next datagram to process. A FollowUp goes to handle(), record by record.
    std::optional<HandshakeQueue::Waiting> next(Clock::time_point now);
    /// Processes a hello that next() has returned.
    void process(HandshakeQueue::Waiting hello, Clock::time_point now);
    /// Gives a record to a handshake under way.
    void handle(DtlsSession &session, const Record &record);

    /// Gives up a handshake.
    void fail(DtlsSession &session, HandshakeFailure reason);

    /// Gives up the handshakes that have timed out or exceed a lowered limit.
    void expire(Clock::time_point now);
    /// When next() or expire() has something to do; Clock::time_point::max() if never.
    [[nodiscard]] Clock::time_point due(Clock::time_point now) const;

    /// Evicts a handshake that another worker has claimed.
    void giveWay(const Accounts<SocketAddress>::Claim &claim, Clock::time_point now);

    /// What a session at @p path has in common with all others.
    [[nodiscard]] DtlsSession::Setup setupFor(DatagramSocket &socket, const Path &path) const;
    [[nodiscard]] const Credentials &credentials() const { return m_credentials; }

    /// Drops what is queued from @p socket, which is about to be closed.
    void forget(const DatagramSocket &socket) { m_queue.forget(socket); }

private:
    [[nodiscard]] std::optional<HandshakeQueue::Waiting> nextProved(Clock::time_point now);
    [[nodiscard]] bool isRepeated(const HandshakeQueue::Waiting &hello) const;
    [[nodiscard]] bool isOverLimit() const;
    [[nodiscard]] bool isPlaceFree(Clock::time_point now);
    void prove(HandshakeQueue::Waiting hello, Clock::time_point now);
    void start(const HandshakeQueue::Waiting &hello, Clock::time_point now);
    [[nodiscard]] std::optional<ConnectionId> newConnectionId() const;
    void begin(DtlsSession &session, const HandshakeQueue::Waiting &hello);
    void afterStep(DtlsSession &session);

    std::shared_ptr<const ServerSettings> m_settings;
    SharedState &m_shared;
    const int m_worker;
    SessionTable &m_sessions;
    UnverifiedWatch &m_watch;
    Owner &m_owner;
    QSslConfiguration m_configuration;
    Credentials m_credentials;
    SessionIds m_ids;
    CookieVerifier m_cookies;
    HandshakeQueue m_queue;
    const bool m_hasOwnBackend;
    Clock::time_point m_blockedUntil = Clock::time_point::min(); // for ProvedHellos
    unsigned m_taken = 0;
};

} // namespace dtlsd
