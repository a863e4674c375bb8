// SPDX-License-Identifier: Apache-2.0
//
// Handshakes: the way from a ClientHello to an open session, for one worker. It decides which hello
// is answered, which starts a handshake and when, and which handshake gives way.
//
//   hello ──► cookie ──► ProvedHellos ──► handshake under way ──► completed: an open session
//               │ none, or invalid: HelloVerifyRequest    └─────► failed: timeout, limit, wrong key
//
// A proved hello waits for a place (max_half_open, over all workers), for a token
// (handshakes_per_second, likewise), and for the hellos of networks with fewer unfinished
// handshakes. Where there is no place, a handshake of the heaviest network gives way, once its
// device has had time to answer; until then the hello waits, which costs its device a repetition
// at most.
#pragma once

#include "dtls/CookieVerifier.h"
#include "dtls/Credentials.h"
#include "dtls/HandshakeQueue.h"
#include "dtls/ServerOptions.h"
#include "dtls/SessionTable.h"
#include "dtls/SharedState.h"
#include "dtls/UnverifiedWatch.h"

#include <QSslConfiguration>

#include <chrono>
#include <memory>
#include <optional>

namespace dtlsd {

class Handshakes
{
public:
    using Clock = std::chrono::steady_clock;

    /// Hears what becomes of handshakes, in the middle of any function that is not const.
    class Owner
    {
    public:
        virtual void handshakeStarted(DtlsSession &session) = 0;
        /// The session is Established, but still its peer's pending one.
        virtual void handshakeCompleted(DtlsSession &session) = 0;
        virtual void handshakeFailed(std::unique_ptr<DtlsSession> session,
                                     HandshakeFailure reason) = 0;

    protected:
        ~Owner() = default;
    };

    /// For the worker of that number. All that is referred to outlives it.
    Handshakes(std::shared_ptr<const ServerSettings> settings, SharedState &shared, int worker,
               SessionTable &sessions, UnverifiedWatch &watch, Owner &owner);

    /// New settings, for the handshakes that begin from now on. One under way finishes with the
    /// ciphers it began with; the owner asks whether they admit its identity.
    void use(std::shared_ptr<const ServerSettings> settings);

    // What arrives waits for next():
    /// The beginning of a hello.
    void receiveHello(DatagramSocket &socket, const Path &path, const Packet &packet,
                      Clock::time_point now);
    /// false: it is no further fragment of a hello that waits.
    [[nodiscard]] bool receiveFragment(const Path &path, const Packet &packet);
    /// A datagram of @p peer, behind those of it that wait. false: it cannot wait, and has to be
    /// processed at once.
    [[nodiscard]] bool receiveFollowUp(DatagramSocket &socket, const Path &path,
                                       const Packet &packet, SessionTable::Peer &peer,
                                       Clock::time_point now);

    /// The datagram to process next. A FollowUp is for handle(), record by record.
    std::optional<HandshakeQueue::Waiting> next(Clock::time_point now);
    /// Processes a hello that next() has returned.
    void process(HandshakeQueue::Waiting hello, Clock::time_point now);
    /// Gives a record to a handshake under way.
    void handle(DtlsSession &session, const Record &record);

    /// Gives up a handshake.
    void fail(DtlsSession &session, HandshakeFailure reason);

    /// Gives up the handshakes whose time is over.
    void expire(Clock::time_point now);
    /// When next() or expire() has something to do; the end of time if nothing is under way.
    [[nodiscard]] Clock::time_point due(Clock::time_point now) const;

    /// One handshake of this worker gives way to one of another.
    void giveWay(const Accounts<SocketAddress>::Claim &claim, Clock::time_point now);

    /// Drops what waits of @p socket, which is about to be closed.
    void forget(const DatagramSocket &socket) { m_queue.forget(socket); }

private:
    [[nodiscard]] std::optional<HandshakeQueue::Waiting> nextProved(Clock::time_point now);
    [[nodiscard]] bool isRepeated(const HandshakeQueue::Waiting &hello) const;
    [[nodiscard]] bool isOverLimit() const;
    [[nodiscard]] bool isPlaceFree(Clock::time_point now);
    void prove(HandshakeQueue::Waiting hello, Clock::time_point now);
    void start(const HandshakeQueue::Waiting &hello, Clock::time_point now);
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
    Clock::time_point m_blockedUntil = Clock::time_point::min(); // of ProvedHellos
    unsigned m_taken = 0;
};

} // namespace dtlsd
