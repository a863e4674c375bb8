// SPDX-License-Identifier: Apache-2.0
//
// DtlsServer: the logic of Qt's DTLS server example, made fit for production. It owns its sockets
// and sessions, runs entirely in its own thread, and never logs: events leave as values.
//
// A datagram meets the cheapest rejection first: size, known peer or connection ID, shape of a
// ClientHello, cookie (QDtlsClientVerifier), limits. Only then is a session allocated, and until
// then at most one reply no larger than the request is sent. Records of a known peer go to its
// session one by one (RFC 6347 §4.1.1). Established sessions have priority: hellos and handshake
// records queue in Handshakes, and the sockets are read again after each handshake step.
#pragma once

#include "core/Result.h"
#include "dtls/DeadlineTimer.h"
#include "dtls/Events.h"
#include "dtls/ServerOptions.h"
#include "dtls/SharedState.h"
#include "dtls/handshake/Handshakes.h"
#include "dtls/limits/RateLimit.h"
#include "dtls/limits/UnverifiedWatch.h"
#include "dtls/session/SessionKeeper.h"
#include "dtls/session/SessionListing.h"
#include "dtls/session/SessionTable.h"
#include "dtls/session/SessionTraffic.h"
#include "dtls/store/Takeover.h"
#include "net/SocketSet.h"

#include <QObject>

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace dtlsd {

class DtlsServer : public QObject, private Handshakes::Owner, private SessionTraffic::Owner
{
    Q_OBJECT

public:
    /// @p shared is common to all servers of the process, which reach this one through @p post;
    /// @p post must not run its argument synchronously.
    DtlsServer(
        const std::shared_ptr<const ServerSettings> &settings, std::shared_ptr<SharedState> shared,
        SharedState::Post post = [](const auto &) {});
    ~DtlsServer() override;

    /// Adds a socket and returns its bound address. A failure also emits errorMessage().
    Result<SocketAddress> listen(const SocketAddress &address,
                                 const DatagramSocket::Options &options = {});
    /// Adds an existing socket.
    void listen(std::unique_ptr<DatagramSocket> socket) { m_sockets.add(std::move(socket)); }
    /// Takes the stores of former processes over, with their sessions, before resume().
    Takeover::Count takeOver(std::vector<std::unique_ptr<SessionStore>> stores);
    /// After SessionMemory::leave() only destruction may follow.
    [[nodiscard]] SessionTable &sessions() { return m_sessions; }
    /// Starts receiving on the sockets that were bound paused, and stops again.
    void resume() { m_sockets.resume(); }
    void pause() { m_sockets.pause(); }
    [[nodiscard]] bool isListening() const { return !m_sockets.all().empty(); }
    /// The number of sockets, or 0 if it does not receive from all of them.
    [[nodiscard]] int receivingSockets() const { return m_sockets.receiving(); }

    // The following visit all sessions in slices of a millisecond. They return at once, and call
    // @p done in this thread when they have finished, in the order of the calls.

    /// Called with the number of sessions ended.
    using Done = Sweep::Done;

    /// New settings, for every session from its next record or receipt on. Sessions that they no
    /// longer admit end as Revoked. The previous call must have finished.
    void apply(std::shared_ptr<const ServerSettings> settings, Done done = {});
    /// Closes the socket at @p address, if there is one. Its sessions end as Shutdown, not as
    /// Revoked: the devices may reconnect to an address that remains.
    void leave(const SocketAddress &address, Done done = {});
    /// Leaves every address.
    void close(Done done = {});
    /// Closes the open sessions that @p isMeant selects; they end as Operator.
    void closeSessions(const std::function<bool(const SessionInfo &)> &isMeant, Done done);

    /// Makes the ends of sessions wait until @p hasRoom returns true, for a second at most, so that
    /// the log can record each. Unset, they do not wait.
    void setPace(std::function<bool()> hasRoom) { m_keeper.setPace(std::move(hasRoom)); }

    /// false: reply at once, without emitting datagramReceived().
    void setHeard(bool isHeard) { m_traffic.setHeard(isHeard); }

    /// Sends each of @p datagrams to its session, if that is open. Returns what became of the last.
    Delivery send(std::span<const Outbound> datagrams);

    [[nodiscard]] Statistics statistics() const;
    /// Begins to list the sessions that @p query is about.
    [[nodiscard]] SessionListing list(SessionQuery query)
    {
        return {m_sessions, m_shared->time, std::move(query)};
    }

    /// Handles the datagrams that other workers have handed over.
    void takeHandedOver();

    // Evicts a session or a handshake that another worker has claimed.
    void giveWay(const SharedState::IdentityClaim &claim);
    void giveWay(const SharedState::NetworkClaim &claim);

    /// Does what is due by now. Called by its timer, and by a test that sets the time.
    void doWhatIsDue();

Q_SIGNALS:
    void errorMessage(const dtlsd::ServerEvent &event);
    void warningMessage(const dtlsd::ServerEvent &event);
    void infoMessage(const dtlsd::ServerEvent &event);
    /// One decrypted datagram. Its reply comes back through send().
    void datagramReceived(const dtlsd::Datagram &datagram);

private:
    using Clock = std::chrono::steady_clock;

    auto beginTurn();
    void endTurn();
    void readPendingDatagrams(DatagramSocket &socket);
    void receive(DatagramSocket &socket);
    enum class Origin { Socket, OtherWorker };
    void handleDatagram(DatagramSocket &socket, const ReceivedDatagram &datagram, Origin origin);
    void advanceHandshakes();
    bool processNext();

    void handshakeStarted(DtlsSession &session) override;
    void handshakeCompleted(DtlsSession &session) override;
    void handshakeFailed(std::unique_ptr<DtlsSession> session, HandshakeFailure reason) override;

    void end(DtlsSession &session, CloseReason reason) override;

    void heard(const Datagram &datagram) override { Q_EMIT datagramReceived(datagram); }
    void warn(const ServerEvent &event) override { Q_EMIT warningMessage(event); }
    void moved(const SessionMoved &event) override { Q_EMIT infoMessage(event); }

    void reportUnverified();
    void freeEnded();

    const std::shared_ptr<SharedState> m_shared;
    const int m_worker; // its number in m_shared
    ReceiveBuffer m_buffer;
    SocketSet m_sockets;
    SessionTable m_sessions;
    std::vector<std::unique_ptr<DtlsSession>> m_doomed; // ended; freed when nothing refers to them
    UnverifiedWatch m_unverified;
    Handshakes m_handshakes;
    SessionKeeper m_keeper;
    SessionTraffic m_traffic;
    RateLimit m_failureReports;
    Statistics m_statistics;
    DeadlineTimer m_timer;
    Clock::time_point m_now; // of this turn
    int m_turns = 0;
};

} // namespace dtlsd
