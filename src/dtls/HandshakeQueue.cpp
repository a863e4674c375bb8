// SPDX-License-Identifier: Apache-2.0
#include "dtls/HandshakeQueue.h"

#include "core/ClientHello.h"

#include <QHashFunctions>

#include <algorithm>
#include <utility>

namespace dtlsd {

namespace {

// Of so many turns one is a later lane's, if there is something in it.
constexpr unsigned turnsOfReturnedHellos = 4;
constexpr unsigned turnsOfFirstHellos = 8;

} // namespace

bool HandshakeQueue::hasRoom(const Line &line, qsizetype bytes) const
{
    return line.datagrams.size() < m_entries && line.bytes + bytes <= m_bytes;
}

bool HandshakeQueue::addHello(DatagramSocket &socket, const ReceivedDatagram &datagram,
                              QByteArrayView clientRandom)
{
    const auto hello = ClientHello::in(datagram.bytes);
    const Lane lane = hello && !hello->cookie.isEmpty() ? ReturnedHellos : FirstHellos;
    const std::size_t seed = std::hash<Path>()(datagram.path) + lane;
    const std::size_t hash =
        qHashBits(clientRandom.data(), static_cast<std::size_t>(clientRandom.size()), seed);
    if (m_hellos.contains(hash))
        return true;
    Line &line = m_lines[lane];
    if (!hasRoom(line, datagram.bytes.size()))
        return false;
    line.bytes += datagram.bytes.size();
    line.datagrams.push_back({lane, &socket, datagram.path, datagram.bytes.toByteArray(), hash});
    m_hellos.insert(hash);
    return true;
}

bool HandshakeQueue::addFollowUp(DatagramSocket &socket, const ReceivedDatagram &datagram)
{
    Line &line = m_lines[FollowUps];
    if (!hasRoom(line, datagram.bytes.size()))
        return false;
    line.bytes += datagram.bytes.size();
    line.datagrams.push_back({FollowUps, &socket, datagram.path, datagram.bytes.toByteArray()});
    return true;
}

HandshakeQueue::Line &HandshakeQueue::nextLine()
{
    const auto isNonEmpty = [](const Line &line) { return !line.datagrams.empty(); };
    ++m_taken;
    if (m_taken % turnsOfFirstHellos == 0 && isNonEmpty(m_lines[FirstHellos]))
        return m_lines[FirstHellos];
    if (m_taken % turnsOfReturnedHellos == 0 && isNonEmpty(m_lines[ReturnedHellos]))
        return m_lines[ReturnedHellos];
    const auto found = std::ranges::find_if(m_lines, isNonEmpty);
    return found == m_lines.end() ? m_lines.back() : *found;
}

std::optional<HandshakeQueue::Waiting> HandshakeQueue::take()
{
    if (isEmpty())
        return std::nullopt;
    Line &line = nextLine();
    Waiting waiting = std::move(line.datagrams.front());
    line.datagrams.pop_front();
    line.bytes -= waiting.bytes.size();
    if (waiting.lane != FollowUps)
        m_hellos.erase(waiting.hash);
    return waiting;
}

void HandshakeQueue::forget(const DatagramSocket &socket)
{
    for (Line &line : m_lines) {
        std::erase_if(line.datagrams, [&](const Waiting &waiting) {
            const bool isOne = waiting.socket == &socket;
            if (isOne) {
                line.bytes -= waiting.bytes.size();
                m_hellos.erase(waiting.hash);
            }
            return isOne;
        });
    }
}

bool HandshakeQueue::isEmpty() const
{
    return std::ranges::all_of(m_lines, [](const Line &line) { return line.datagrams.empty(); });
}

} // namespace dtlsd
