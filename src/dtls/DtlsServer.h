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
// Established sessions come first: what belongs to a handshake, hellos among it, waits in a queue,
// and between two steps of handshakes the sockets are looked at again.
//
// It never logs: events leave as values, by the signals of the example.
#pragma once

#include "core/Result.h"
#include "dtls/Credentials.h"
#include "dtls/DatagramSocket.h"
#include "dtls/DeadlineTimer.h"
#include "dtls/Events.h"
#include "dtls/HandshakeQueue.h"
#include "dtls/HelloGate.h"
#include "dtls/OverflowWatch.h"
#include "dtls/RateLimit.h"
#include "dtls/ServerOptions.h"
#include "dtls/SessionTable.h"
#include "dtls/SharedState.h"
#include "dtls/UnverifiedWatch.h"

#include <QObject>
#include <QSslConfiguration>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace dtlsd {

class DtlsServer : public QObject
{
    Q_OBJECT

public:
    /// @p settings with this server's share of the limits; @p shared by all servers of the process.
    DtlsServer(std::shared_ptr<const ServerSettings> settings, std::shared_ptr<SharedState> shared);
    ~DtlsServer() override;

    /// Adds a socket, and returns where it is bound. A failure is an errorMessage too.
    Result<SocketAddress> listen(const SocketAddress &address,
                                 const DatagramSocket::Options &options = {});
    /// Adds a socket that is there already.
    void listen(std::unique_ptr<DatagramSocket> socket)
    {
        connect(socket.get(), &DatagramSocket::readyRead, this,
                [this, raw = socket.get()] { readPendingDatagrams(*raw); });
        m_sockets.push_back(std::move(socket));
    }
    /// Begins to receive on the sockets that were bound paused.
    void resume()
    {
        for (const auto &socket : m_sockets)
            socket->resume();
    }
    [[nodiscard]] bool isListening() const { return !m_sockets.empty(); }
    /// How many sockets it has, if it receives from each of them; otherwise 0.
    [[nodiscard]] int receivingSockets() const
    {
        return std::ranges::all_of(m_sockets, &DatagramSocket::isReceiving,
                                   &std::unique_ptr<DatagramSocket>::operator*)
                   ? static_cast<int>(m_sockets.size())
                   : 0;
    }
    /// What the kernel granted its first socket, and so the others, in bytes; while listening.
    [[nodiscard]] int receiveBufferSize() const { return m_sockets.front()->receiveBufferSize(); }

    /// New settings, with this server's share of the limits, from the next datagram on. Ends the
    /// sessions that they no longer admit, and returns how many. All others live on, and their
    /// next reply is the new one.
    std::int64_t apply(std::shared_ptr<const ServerSettings> settings);

    /// close_notify to every peer at @p address, where a socket is bound, and no more socket. Their
    /// sessions end as Shutdown, not as Revoked: it is the server that goes, and the devices may
    /// come back where it still listens.
    void leave(const SocketAddress &address);
    /// Leaves every address.
    void close();

    /// Whether datagrams are heard of: if not, nobody has to take them, and each is answered at
    /// once without datagramReceived().
    void setHeard(bool isHeard) { m_isHeard = isHeard; }

    /// Sends each reply to its session, if that is still there.
    void sendReplies(std::span<const Receipt> receipts);

    [[nodiscard]] Statistics statistics() const
    {
        Statistics statistics = m_statistics;
        statistics.unverified = m_unverified.counts();
        statistics.sessions = std::ssize(m_sessions.established().all());
        statistics.halfOpen = std::ssize(m_sessions.halfOpen().all());
        return statistics;
    }
    /// Its sessions and the handshakes under way, those last heard of first.
    [[nodiscard]] std::vector<SessionReport> sessions() const
    {
        return m_sessions.reports(Clock::now());
    }

    /// close_notify to the open sessions that @p isMeant picks, which end as Operator. Returns how
    /// many there were.
    std::int64_t closeSessions(const std::function<bool(const SessionInfo &)> &isMeant);

Q_SIGNALS:
    void errorMessage(const dtlsd::ServerEvent &event);
    void warningMessage(const dtlsd::ServerEvent &event);
    void infoMessage(const dtlsd::ServerEvent &event);
    /// One decrypted datagram. Its receipt comes back through sendReplies().
    void datagramReceived(const dtlsd::Datagram &datagram);

private:
    using Clock = std::chrono::steady_clock;

    /// One wake-up: however nested, what it queued is sent and what it ended is freed when the
    /// outermost ends.
    class Turn
    {
    public:
        explicit Turn(DtlsServer &server)
            : m_server(server)
        {
            if (m_server.m_turns++ == 0)
                m_server.m_now = Clock::now();
        }
        ~Turn()
        {
            if (--m_server.m_turns == 0)
                m_server.endTurn();
        }
        Turn(const Turn &) = delete;
        Turn &operator=(const Turn &) = delete;

    private:
        DtlsServer &m_server;
    };

    void readPendingDatagrams(DatagramSocket &socket);
    void receive(DatagramSocket &socket);
    void handleDatagram(DatagramSocket &socket, const ReceivedDatagram &datagram);
    /// Lets a peer's datagram wait for its turn, behind those of it that do. false: it cannot, and
    /// is to be handled at once.
    bool postpone(DatagramSocket &socket, const ReceivedDatagram &datagram,
                  SessionTable::Peer &peer)
    {
        if (peer.mayWait() && m_waiting.addFollowUp(socket, datagram)) {
            ++peer.waiting;
            return true;
        }
        if (peer.pending)
            m_unverified.note(UnverifiedWatch::Kind::OverLimit, m_now);
        return peer.pending != nullptr;
    }
    void advanceHandshakes();
    void handleWaiting(const HandshakeQueue::Waiting &waiting);
    void startHandshake(DatagramSocket &socket, const ReceivedDatagram &hello,
                        const QDtls::GeneratorParameters &cookie);
    void handleRecords(const ReceivedDatagram &datagram);
    void handleRecord(const Path &path, const Record &record, QByteArrayView datagram);
    void afterHandshakeStep(DtlsSession &session);
    void establish(DtlsSession &session);
    void makeRoomFor(const DtlsSession &newcomer);
    bool decrypt(DtlsSession &session, const Record &record, QByteArrayView datagram);
    void deliver(DtlsSession &session, const QByteArray &payload, QByteArrayView datagram);
    void answer(DtlsSession &session, const QByteArray &reply)
    {
        if (session.send(reply))
            m_statistics.sent += reply;
    }
    void noteBadRecord(const Path &path);

    void fail(DtlsSession &session, HandshakeFailure reason);
    void end(DtlsSession &session, CloseReason reason);
    void expire();
    void reportUnverified()
    {
        if (const auto traffic = m_unverified.report(m_now))
            Q_EMIT warningMessage(*traffic);
    }
    /// Between two steps of a turn: at a limit, one session ends with each. In an inner turn, those
    /// who called the outer one may still refer to them.
    void freeEnded()
    {
        if (m_turns == 1)
            m_doomed.clear();
    }
    void endTurn();
    void armTimer();

    std::shared_ptr<const ServerSettings> m_settings;
    const std::shared_ptr<SharedState> m_shared;
    QSslConfiguration m_configuration;
    Credentials m_credentials;
    ReceiveBuffer m_buffer;
    std::vector<std::unique_ptr<DatagramSocket>> m_sockets;
    SessionIds m_ids;
    SessionTable m_sessions;
    std::vector<std::unique_ptr<DtlsSession>> m_doomed; // freed when nothing refers to them
    UnverifiedWatch m_unverified;
    HelloGate m_hellos;
    HandshakeQueue m_waiting;
    OverflowWatch m_overflow;
    RateLimit m_failureReports;
    Statistics m_statistics;
    DeadlineTimer m_timer;
    Clock::time_point m_now = Clock::now(); // of this turn
    int m_turns = 0;
    bool m_isHeard = true;
};

} // namespace dtlsd
