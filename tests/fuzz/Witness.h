// SPDX-License-Identifier: Apache-2.0
//
// Witness: hears every event of a DtlsServer and sees every datagram, and requires what a
// DtlsServer promises: sessions that begin and end in order, within limits and for a reason that
// there is, messages that come out once and as they were sent, and no amplification.
#pragma once

#include "dtls/DtlsServer.h"

#include <QByteArray>
#include <QHash>

#include <chrono>
#include <map>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dtlsd::fuzz {

class Witness
{
public:
    using Clock = TimeSource::Clock;

    /// Which record a message was sent in. Of several with the same number, one comes out.
    struct RecordName
    {
        int client = 0;
        std::uint64_t sequence = 0;

        friend bool operator<(const RecordName &a, const RecordName &b)
        {
            return std::pair(a.client, a.sequence) < std::pair(b.client, b.sequence);
        }
    };

    /// @p server and @p time must outlive this.
    Witness(DtlsServer &server, const ServerSettings &settings, const TimeSource &time);

    /// A client sends @p message, unlike any other, as @p identity.
    void sends(const QByteArray &identity, const QByteArray &message, const RecordName &record);
    /// A client sends what may end its session, as @p identity: an alert, or what no client sends.
    void mayEnd(const QByteArray &identity) { m_mayEnd.insert(identity); }
    /// The server is sent @p size bytes.
    void arrives(const SocketAddress &peer, qsizetype size);
    /// The server is given other settings, and has had the time that it takes.
    void settingsChange(const ServerSettings &settings);
    void settingsHaveChanged();
    /// The operator closes the sessions of an identity; then, those of none.
    void operatorCloses(const QByteArray &identity) { m_operatorCloses = identity; }
    void serverCloses() { m_isClosing = true; }

    /// The server has had a turn, and has sent @p answers.
    void judgeTurn(std::span<const OutgoingDatagram> answers);
    /// It has done what was due, for the last time no longer than @p step ago.
    void judgeTime(std::chrono::milliseconds step) const;
    /// The server was closed.
    void judgeEnd() const;

    [[nodiscard]] bool isOpen(SessionId session) const { return m_open.count(session) > 0; }
    /// Whether it has ended because it had lasted as long as a session may.
    [[nodiscard]] bool hasOutlived(SessionId session) const
    {
        return m_outlived.count(session) > 0;
    }
    /// How many sessions of @p identity are open.
    [[nodiscard]] std::int64_t openOf(const QByteArray &identity) const;
    [[nodiscard]] const std::vector<Datagram> &messages() const { return m_messages; }
    /// Handshakes.
    [[nodiscard]] std::uint64_t started() const { return m_started; }
    /// Of the session that was opened last.
    [[nodiscard]] SessionId lastOpened() const { return m_lastOpened; }

private:
    struct Open
    {
        SessionInfo info;
        std::vector<PskKey> keys; // one of them is its own
        Clock::time_point opened;
        std::uint64_t messages = 0;
        std::uint64_t sequence = 0; // of the last one
        Clock::time_point spoke;    // when that came, or it was opened
    };
    struct HalfOpen
    {
        SessionInfo info;
        Clock::time_point started;
    };
    struct Sent
    {
        QByteArray identity;
        RecordName record;
    };
    struct Peer
    {
        qsizetype balance = 0; // bytes that it may be sent before it is proved
        bool isProved = false;
        Clock::time_point heard; // something from there
    };
    /// How many there were since the limit was set.
    struct Rate
    {
        std::int64_t perSecond = 0; // 0: no limit
        std::int64_t count = 0;
        Clock::time_point since;

        void judge(Clock::time_point now, const char *promise) const;
    };

    void hear(const ServerEvent &event);
    void hear(const HandshakeStarted &event);
    void hear(const HandshakeFailed &event);
    void hear(const SessionOpened &event);
    void hear(const SessionClosed &event);
    void hear(const PeerMisbehaving &event);
    void hear(const ReplyDropped &event);
    void hear(const IdentityLimited &event);
    void hear(const UnverifiedTraffic &event);
    void hear(const ListenFailed &event);
    void receive(const Datagram &datagram);
    void judgeReason(const Open &open, CloseReason reason);
    void judgeEviction(const Open &open) const;
    void judgeStatistics();
    void judgeLimits(const Statistics &statistics);
    void resetRates();
    [[nodiscard]] std::vector<PskKey> keysOf(const SessionInfo &info) const;

    DtlsServer &m_server;
    ServerSettings m_settings;
    const TimeSource &m_time;
    bool m_isChanging = false;
    bool m_isClosing = false;
    QByteArray m_operatorCloses;
    std::set<QByteArray> m_mayEnd;
    std::map<SessionId, HalfOpen> m_halfOpen;
    std::map<SessionId, Open> m_open;
    std::set<SessionId> m_outlived;
    std::unordered_map<SocketAddress, Peer> m_peers;
    QHash<QByteArray, Sent> m_sent;
    std::set<RecordName> m_arrived;
    std::vector<Datagram> m_messages;
    Rate m_handshakes;
    std::map<QByteArray, Rate> m_rates;
    // What may exceed a limit, since it was there when the limit was lowered.
    std::int64_t m_halfOpenLeft = 0;
    std::map<QByteArray, std::int64_t> m_openLeft;
    std::uint64_t m_started = 0;
    std::uint64_t m_opened = 0;
    std::uint64_t m_closed = 0;
    std::uint64_t m_failed = 0;
    SessionId m_lastOpened{};
};

} // namespace dtlsd::fuzz
