// SPDX-License-Identifier: Apache-2.0
#include "fuzz/Witness.h"

#include "fuzz/FuzzTarget.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

namespace dtlsd::fuzz {

namespace {

/// 0 = no limit.
bool keeps(std::int64_t count, std::int64_t limit)
{
    return limit == 0 || count <= limit;
}

} // namespace

Witness::Witness(DtlsServer &server, Limits limits)
    : m_server(server)
    , m_limits(limits)
{
    const auto hears = [this](const ServerEvent &event) { hear(event); };
    QObject::connect(&server, &DtlsServer::infoMessage, &server, hears);
    QObject::connect(&server, &DtlsServer::warningMessage, &server, hears);
    QObject::connect(&server, &DtlsServer::errorMessage, &server, hears);
    QObject::connect(&server, &DtlsServer::datagramReceived, &server,
                     [this](const Datagram &datagram) { receive(datagram); });
}

void Witness::sends(const QByteArray &identity, const QByteArray &message)
{
    require(!m_sent.contains(message), "each message is another");
    m_sent.insert(message, {identity});
}

void Witness::judgeTurn(const SocketAddress &peer, qsizetype size,
                        std::span<const OutgoingDatagram> answers) const
{
    qsizetype unproved = 0;
    for (const OutgoingDatagram &answer : answers) {
        require(!answer.bytes.isEmpty(), "an answer says something");
        if (m_proved.count(answer.path.peer) > 0)
            continue;
        require(answer.path.peer == peer, "nobody is answered who has not asked");
        unproved += answer.bytes.size();
    }
    require(unproved <= size, "an unproved source is sent no more than it sent");
    judgeStatistics();
}

void Witness::judgeStatistics() const
{
    const Statistics statistics = m_server.statistics();
    require(statistics.halfOpen == static_cast<std::int64_t>(m_halfOpen.size()),
            "each half-open handshake was announced, and each that ended");
    require(statistics.sessions == static_cast<std::int64_t>(m_open.size()),
            "each session was announced, and each that ended");
    require(statistics.sessionsOpened == m_opened &&
                statistics.sessionsClosed.total() == m_closed &&
                statistics.handshakesFailed.total() == m_failed,
            "what is counted is what was announced");
    require(statistics.received.datagrams == m_messages.size(), "each message is counted once");
    require(keeps(statistics.halfOpen, m_limits.maxHalfOpen), "max_half_open is kept");
    require(keeps(statistics.sessions, m_limits.maxSessions), "max_sessions is kept");
    std::unordered_map<std::string, std::int64_t> sessions;
    for (const auto &[id, open] : m_open)
        require(
            keeps(++sessions[open.info.identity.toStdString()], m_limits.maxSessionsPerIdentity),
            "max_sessions_per_identity is kept");
}

void Witness::judgeEnd() const
{
    require(m_open.empty() && m_opened == m_closed, "each session that was opened was closed");
    require(m_server.statistics().sessions == 0 && m_server.statistics().halfOpen == 0,
            "a closed server holds nothing");
}

void Witness::hear(const ServerEvent &event)
{
    std::visit([this](const auto &kind) { hear(kind); }, event);
}

void Witness::hear(const HandshakeStarted &event)
{
    const SessionInfo &info = event.session;
    require(m_halfOpen.emplace(info.id, info).second && !isOpen(info.id),
            "a handshake starts once");
    m_proved[info.path.peer] = true;
    ++m_started;
}

void Witness::hear(const HandshakeFailed &event)
{
    require(m_halfOpen.erase(event.session.id) == 1, "what fails is half-open");
    ++m_failed;
}

void Witness::hear(const SessionOpened &event)
{
    const SessionInfo &info = event.session;
    const auto halfOpen = m_halfOpen.find(info.id);
    require(halfOpen != m_halfOpen.end(), "what opens was half-open");
    require(halfOpen->second.path == info.path, "a session stays where it began");
    m_halfOpen.erase(halfOpen);
    require(!info.identity.isEmpty() && !info.cipher.isEmpty() && info.protocol == "DTLSv1.2",
            "an open session has proved who it is");
    require(std::none_of(m_open.begin(), m_open.end(),
                         [&](const auto &open) { return open.second.info.path == info.path; }),
            "a peer has one session");
    m_open.emplace(info.id, Open{info});
    m_lastOpened = info.id;
    ++m_opened;
}

void Witness::hear(const SessionClosed &event)
{
    const auto open = m_open.find(event.session.id);
    require(open != m_open.end(), "what closes was open");
    require(event.received.datagrams == open->second.messages, "its messages are counted");
    m_open.erase(open);
    ++m_closed;
}

void Witness::hear(const PeerMisbehaving &event)
{
    require(isOpen(event.session.id), "who misbehaves has a session");
    require(event.badRecords > 0, "there is something to report");
}

void Witness::hear(const ReplyDropped &event)
{
    require(isOpen(event.session.id), "a reply is to an open session");
    require(event.replies > 0 && event.size > event.limit, "there is something to report");
}

void Witness::hear(const UnverifiedTraffic &event)
{
    require(event.total() > 0, "there is something to report");
}

void Witness::hear(const ListenFailed &)
{
    require(false, "nothing fails to listen");
}

void Witness::receive(const Datagram &datagram)
{
    const auto open = m_open.find(datagram.session.id);
    require(open != m_open.end(), "messages come out of open sessions");
    require(open->second.info.path == datagram.session.path, "a session stays where it began");
    require(datagram.sequence == ++open->second.messages, "messages are numbered without a gap");
    const auto sent = m_sent.find(datagram.payload);
    require(sent != m_sent.end(), "a message is as it was sent");
    require(sent->identity == datagram.session.identity, "a message is from whom it says");
    require(!std::exchange(sent->arrived, true), "a message comes out once");
    require(datagram.receipt.session == datagram.session.id &&
                datagram.receipt.path == datagram.session.path,
            "a receipt goes to who sent the message");
    m_messages.push_back(datagram);
}

} // namespace dtlsd::fuzz
