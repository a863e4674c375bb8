// SPDX-License-Identifier: Apache-2.0
//
// Witness: hears every event of a DtlsServer and sees every datagram, and requires what a
// DtlsServer promises: sessions that begin and end in order and within limits, messages that come
// out once and as they were sent, and no amplification.
#pragma once

#include "dtls/DtlsServer.h"

#include <QByteArray>
#include <QHash>

#include <map>
#include <span>
#include <unordered_map>
#include <vector>

namespace dtlsd::fuzz {

class Witness
{
public:
    /// @p server must outlive this.
    Witness(DtlsServer &server, Limits limits);

    /// A client sends @p message, unlike any other, as @p identity.
    void sends(const QByteArray &identity, const QByteArray &message);
    /// @p peer sent @p size bytes, which made the server send @p answers.
    void judgeTurn(const SocketAddress &peer, qsizetype size,
                   std::span<const OutgoingDatagram> answers) const;
    /// The server was closed.
    void judgeEnd() const;

    [[nodiscard]] bool isOpen(SessionId session) const { return m_open.count(session) > 0; }
    [[nodiscard]] const std::vector<Datagram> &messages() const { return m_messages; }
    /// Handshakes.
    [[nodiscard]] std::uint64_t started() const { return m_started; }
    /// Of the session that was opened last.
    [[nodiscard]] SessionId lastOpened() const { return m_lastOpened; }

private:
    struct Open
    {
        SessionInfo info;
        std::uint64_t messages = 0;
    };
    struct Sent
    {
        QByteArray identity;
        bool arrived = false;
    };

    void hear(const ServerEvent &event);
    void hear(const HandshakeStarted &event);
    void hear(const HandshakeFailed &event);
    void hear(const SessionOpened &event);
    void hear(const SessionClosed &event);
    void hear(const PeerMisbehaving &event);
    void hear(const ReplyDropped &event);
    void hear(const UnverifiedTraffic &event);
    void hear(const ListenFailed &event);
    void receive(const Datagram &datagram);
    void judgeStatistics() const;

    DtlsServer &m_server;
    const Limits m_limits;
    std::map<SessionId, SessionInfo> m_halfOpen;
    std::map<SessionId, Open> m_open;
    std::unordered_map<SocketAddress, bool> m_proved;
    QHash<QByteArray, Sent> m_sent;
    std::vector<Datagram> m_messages;
    std::uint64_t m_started = 0;
    std::uint64_t m_opened = 0;
    std::uint64_t m_closed = 0;
    std::uint64_t m_failed = 0;
    SessionId m_lastOpened{};
};

} // namespace dtlsd::fuzz
