// SPDX-License-Identifier: Apache-2.0
#include "dtls/handshake/HandshakeQueue.h"

#include <QHashFunctions>

#include <algorithm>
#include <utility>

namespace dtlsd {

namespace {

// One of so many turns is a later lane's, if something waits in it.
constexpr unsigned turnsOfReturnedHellos = 3;
constexpr unsigned turnsOfFirstHellos = 8;

// Networks that are compared for each handshake.
constexpr int comparedNetworks = 256;

// A hello of ClientHello::maximumSize in fragments of 64 bytes.
constexpr std::size_t maximumFragments = 64;

} // namespace

std::size_t HandshakeQueue::Waiting::cost() const
{
    qsizetype size = bytes.size();
    for (const QByteArray &fragment : fragments)
        size += fragment.size();
    return static_cast<std::size_t>(size);
}

HandshakeQueue::HandshakeQueue(std::size_t entries, std::size_t bytes)
    : m_lanes{Queue({entries, bytes}), Queue({entries, bytes}), Queue({entries, bytes}),
              Queue({entries, bytes})}
{
}

HandshakeQueue::Waiting *HandshakeQueue::add(Waiting waiting)
{
    Queue &lane = m_lanes[waiting.lane];
    const SocketAddress network = waiting.path.peer.network();
    if (!lane.takes(network, waiting.cost()))
        return nullptr;
    std::list<Waiting> added;
    added.push_back(std::move(waiting));
    return &lane.add(network, added);
}

bool HandshakeQueue::addHello(DatagramSocket &socket, const Path &path, QByteArrayView datagram,
                              const ClientHello &hello)
{
    const Lane lane = hello.cookie.isEmpty() ? FirstHellos : ReturnedHellos;
    const std::size_t hash =
        qHashBits(hello.random.data(), static_cast<std::size_t>(hello.random.size()),
                  std::hash<Path>()(path) + lane);
    if (m_hashes.contains(hash))
        return true;
    Waiting *added = add({.lane = lane,
                          .socket = &socket,
                          .path = path,
                          .bytes = datagram.toByteArray(),
                          .clientRandom = hello.random.toByteArray(),
                          .hash = hash});
    if (!added)
        return false;
    m_hashes.insert(hash);
    m_unproved[path] = added;
    return true;
}

bool HandshakeQueue::addFollowUp(DatagramSocket &socket, const Path &path, const Packet &packet)
{
    return add({.lane = FollowUps,
                .socket = &socket,
                .path = path,
                .bytes = packet.bytes.toByteArray()}) != nullptr;
}

bool HandshakeQueue::addFragment(const Path &path, const Packet &packet)
{
    const auto waitingIn = [&](const Index &index) {
        const auto found = index.find(path);
        return found == index.end() ? nullptr : found->second;
    };
    Waiting *const unproved = waitingIn(m_unproved);
    Waiting *const found = unproved ? unproved : waitingIn(m_proved);
    if (!found || found->fragments.size() >= maximumFragments)
        return false;
    Waiting &hello = *found;
    Queue &lane = m_lanes[hello.lane];
    const SocketAddress network = path.peer.network();
    const auto size = static_cast<std::size_t>(packet.bytes.size());
    if (!lane.takes(network, size))
        return false;
    lane.costHasChanged(network, 0, size);
    hello.fragments.push_back(packet.bytes.toByteArray());
    return true;
}

bool HandshakeQueue::addProved(Waiting hello, const QDtls::GeneratorParameters &cookie,
                               Clock::time_point now)
{
    hello.lane = ProvedHellos;
    hello.cookie = cookie;
    hello.since = now;
    if (const auto found = m_proved.find(hello.path); found != m_proved.end()) {
        Waiting &earlier = *found->second;
        m_lanes[ProvedHellos].costHasChanged(hello.path.peer.network(), earlier.cost(),
                                             hello.cost());
        earlier = std::move(hello);
        return true;
    }
    const Path path = hello.path;
    Waiting *added = add(std::move(hello));
    if (added)
        m_proved.emplace(path, added);
    return added != nullptr;
}

void HandshakeQueue::forgetIndex(const Waiting &waiting)
{
    Index &index = waiting.lane == ProvedHellos ? m_proved : m_unproved;
    if (const auto found = index.find(waiting.path);
        found != index.end() && found->second == &waiting)
        index.erase(found);
    if (waiting.lane == ReturnedHellos || waiting.lane == FirstHellos)
        m_hashes.erase(waiting.hash);
}

HandshakeQueue::Waiting HandshakeQueue::takeFrom(Queue &lane)
{
    forgetIndex(lane.front());
    return std::move(lane.take().front());
}

bool HandshakeQueue::hasCheap() const
{
    return std::any_of(m_lanes.begin(), m_lanes.begin() + ProvedHellos,
                       [](const Queue &lane) { return !lane.isEmpty(); });
}

HandshakeQueue::Queue &HandshakeQueue::nextLane()
{
    ++m_taken;
    for (const auto &[turns, lane] : {std::pair{turnsOfFirstHellos, FirstHellos},
                                      std::pair{turnsOfReturnedHellos, ReturnedHellos}}) {
        if (m_taken % turns == 0 && !m_lanes[lane].isEmpty())
            return m_lanes[lane];
    }
    return *std::ranges::find_if_not(m_lanes, &Queue::isEmpty);
}

std::optional<HandshakeQueue::Waiting> HandshakeQueue::take()
{
    return hasCheap() ? std::optional(takeFrom(nextLane())) : std::nullopt;
}

const HandshakeQueue::Waiting *HandshakeQueue::firstProved(const Accounts<SocketAddress> &networks)
{
    if (!hasProved())
        return nullptr;
    Queue &lane = m_lanes[ProvedHellos];
    lane.prefer(comparedNetworks, [&](auto begin, auto end) {
        return networks.lightest(begin, end, &Queue::Source::key);
    });
    return &lane.front();
}

HandshakeQueue::Waiting HandshakeQueue::takeProved()
{
    return takeFrom(m_lanes[ProvedHellos]);
}

void HandshakeQueue::forget(const DatagramSocket &socket)
{
    for (Queue &lane : m_lanes) {
        lane.removeIf([&](const Waiting &waiting) {
            if (waiting.socket != &socket)
                return false;
            forgetIndex(waiting);
            return true;
        });
    }
}

} // namespace dtlsd
