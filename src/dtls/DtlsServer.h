// SPDX-License-Identifier: Apache-2.0
//
// DtlsServer: the logic of Qt's DTLS server example, made fit for production. It owns its sockets
// and sessions, and runs in the one thread it lives in.
//
// A datagram meets the cheapest rejection first: size, known peer, the look of a ClientHello, the
// cookie (QDtlsClientVerifier), limits. Only then is anything allocated, and until then at most
// one reply no larger than the question is sent. Records of a known peer go to its session, one
// by one (RFC 6347 §4.1.1).
//
// Established sessions come first: hellos and records of handshakes wait their turn with
// Handshakes, and the sockets are read again between two steps of handshakes.
//
// It never logs: events leave as values, by the signals of the example.
#pragma once

#include "core/Result.h"
#include "dtls/DeadlineTimer.h"
#include "dtls/Events.h"
#include "dtls/Handshakes.h"
#include "dtls/RateLimit.h"
#include "dtls/ServerOptions.h"
#include "dtls/SessionKeeper.h"
#include "dtls/SessionTable.h"
#include "dtls/SessionTraffic.h"
#include "dtls/SharedState.h"
#include "dtls/UnverifiedWatch.h"
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
    /// @p shared by all servers of the process, which reach this one by @p post; that must not run
    /// anything at once.
    DtlsServer(
        const std::shared_ptr<const ServerSettings> &settings, std::shared_ptr<SharedState> shared,
        SharedState::Post post = [](const auto &) {});
    ~DtlsServer() override;

    /// Adds a socket, and returns where it is bound. A failure is an errorMessage too.
    Result<SocketAddress> listen(const SocketAddress &address,
                                 const DatagramSocket::Options &options = {});
    /// Adds a socket that is there already.
    void listen(std::unique_ptr<DatagramSocket> socket) { m_sockets.add(std::move(socket)); }
    /// Begins to receive on the sockets that were bound paused.
    void resume() { m_sockets.resume(); }
    [[nodiscard]] bool isListening() const { return !m_sockets.all().empty(); }
    /// How many sockets it has, if it receives from each of them; otherwise 0.
    [[nodiscard]] int receivingSockets() const { return m_sockets.receiving(); }

    // These visit all sessions, in slices of a millisecond: they begin at once, and say when they
    // have finished, in this thread. What was begun first finishes first.

    /// Hears how many sessions were ended.
    using Done = Sweep::Done;

    /// New settings, for every session from its next record or receipt on. Sessions that they no
    /// longer admit end as Revoked. The one before must have finished.
    void apply(std::shared_ptr<const ServerSettings> settings, Done done = {});
    /// Closes the socket at @p address, if there is one. Its sessions end as Shutdown, not as
    /// Revoked: it is the server that goes, and the devices may come back where it still listens.
    void leave(const SocketAddress &address, Done done = {});
    /// Leaves every address.
    void close(Done done = {});
    /// Closes the open sessions that @p isMeant picks, which end as Operator.
    void closeSessions(const std::function<bool(const SessionInfo &)> &isMeant, Done done);

    /// Sessions end no faster than @p hasRoom says, but for a second at most without a yes: for a
    /// log that should hear of each. Unset, they end as fast as they can.
    void setPace(std::function<bool()> hasRoom) { m_keeper.setPace(std::move(hasRoom)); }

    /// Whether datagrams are heard of: if not, nobody has to take them, and each is answered at
    /// once without datagramReceived().
    void setHeard(bool isHeard) { m_traffic.setHeard(isHeard); }

    /// Sends each reply to its session, if that is still there.
    void sendReplies(std::span<const Receipt> receipts);

    [[nodiscard]] Statistics statistics() const;
    /// Its sessions and the handshakes under way, those last heard of first.
    [[nodiscard]] std::vector<SessionReport> sessions() const
    {
        return m_sessions.reports(m_shared->time.now());
    }

    // A session or a handshake of this worker gives way to one of another.
    void giveWay(const SharedState::IdentityClaim &claim);
    void giveWay(const SharedState::NetworkClaim &claim);

    /// Does what is due by now. Its own timer calls it; a test that sets the time does so as well.
    void doWhatIsDue();

Q_SIGNALS:
    void errorMessage(const dtlsd::ServerEvent &event);
    void warningMessage(const dtlsd::ServerEvent &event);
    void infoMessage(const dtlsd::ServerEvent &event);
    /// One decrypted datagram. Its receipt comes back through sendReplies().
    void datagramReceived(const dtlsd::Datagram &datagram);

private:
    using Clock = std::chrono::steady_clock;

    auto beginTurn();
    void endTurn();
    void readPendingDatagrams(DatagramSocket &socket);
    void receive(DatagramSocket &socket);
    void handleDatagram(DatagramSocket &socket, const ReceivedDatagram &datagram);
    void advanceHandshakes();
    void processWaiting(HandshakeQueue::Waiting waiting);

    void handshakeStarted(DtlsSession &session) override;
    void handshakeCompleted(DtlsSession &session) override;
    void handshakeFailed(std::unique_ptr<DtlsSession> session, HandshakeFailure reason) override;

    void end(DtlsSession &session, CloseReason reason) override;

    void heard(const Datagram &datagram) override { Q_EMIT datagramReceived(datagram); }
    void warn(const ServerEvent &event) override { Q_EMIT warningMessage(event); }

    void reportUnverified();
    void freeEnded();

    const std::shared_ptr<SharedState> m_shared;
    const int m_worker; // its number there
    ReceiveBuffer m_buffer;
    SocketSet m_sockets;
    SessionTable m_sessions;
    std::vector<std::unique_ptr<DtlsSession>> m_doomed; // freed when nothing refers to them
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
