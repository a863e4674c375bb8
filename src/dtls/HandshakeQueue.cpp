// SPDX-License-Identifier: Apache-2.0
#include "dtls/HandshakeQueue.h"

#include <QHashFunctions>

#include <algorithm>
#include <iterator>
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

std::size_t sizeOf(const QByteArray &bytes)
{
    return static_cast<std::size_t>(bytes.size());
}

std::size_t sizeOf(const HandshakeQueue::Waiting &waiting)
{
    std::size_t size = sizeOf(waiting.bytes);
    for (const QByteArray &fragment : waiting.fragments)
        size += sizeOf(fragment);
    return size;
}

} // namespace

HandshakeQueue::Waiting *HandshakeQueue::add(Waiting waiting)
{
    LaneState &lane = m_lanes[waiting.lane];
    const SocketAddress network = waiting.path.peer.network();
    const std::size_t size = sizeOf(waiting);
    const auto found = lane.byNetwork.find(network);
    const bool isNew = found == lane.byNetwork.end();
    const FairShare own = isNew ? FairShare{} : found->second->used;
    const std::size_t sources = lane.byNetwork.size() + (isNew ? 1 : 0);
    if (!FairShare::takes(size, own, sources, lane.used, m_capacity))
        return nullptr;
    if (isNew)
        lane.sources.push_back({network, {}});
    const auto source = isNew ? std::prev(lane.sources.end()) : found->second;
    if (isNew)
        lane.byNetwork.emplace(network, source);
    lane.used.add(size);
    source->used.add(size);
    return &source->waiting.emplace_back(std::move(waiting));
}

bool HandshakeQueue::addHello(DatagramSocket &socket, const Path &path, const Packet &packet)
{
    const ClientHello &hello = *packet.hello;
    const Lane lane = hello.cookie.isEmpty() ? FirstHellos : ReturnedHellos;
    const std::size_t hash =
        qHashBits(hello.random.data(), static_cast<std::size_t>(hello.random.size()),
                  std::hash<Path>()(path) + lane);
    if (m_hashes.contains(hash))
        return true;
    Waiting *added = add({.lane = lane,
                          .socket = &socket,
                          .path = path,
                          .bytes = packet.bytes.toByteArray(),
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
    LaneState &lane = m_lanes[hello.lane];
    const auto size = static_cast<std::size_t>(packet.bytes.size());
    Source &source = *lane.byNetwork.at(path.peer.network());
    if (!FairShare::takes(size, source.used, lane.sources.size(), lane.used, m_capacity))
        return false;
    lane.used.bytes += size;
    source.used.bytes += size;
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
        LaneState &lane = m_lanes[ProvedHellos];
        for (FairShare *share : {&lane.used, &lane.byNetwork.at(hello.path.peer.network())->used}) {
            share->remove(sizeOf(earlier));
            share->add(sizeOf(hello));
        }
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

HandshakeQueue::Waiting HandshakeQueue::takeFrom(LaneState &lane, Sources::iterator source)
{
    forgetIndex(source->waiting.front());
    Waiting taken = std::move(source->waiting.front());
    source->waiting.pop_front();
    lane.used.remove(sizeOf(taken));
    source->used.remove(sizeOf(taken));
    if (source->waiting.empty()) {
        lane.byNetwork.erase(source->network);
        lane.sources.erase(source);
    } else {
        lane.sources.splice(lane.sources.end(), lane.sources, source);
    }
    return taken;
}

bool HandshakeQueue::hasCheap() const
{
    return std::any_of(m_lanes.begin(), m_lanes.begin() + ProvedHellos,
                       [](const LaneState &lane) { return lane.used.entries > 0; });
}

HandshakeQueue::LaneState &HandshakeQueue::nextLane()
{
    ++m_taken;
    for (const auto &[turns, lane] : {std::pair{turnsOfFirstHellos, FirstHellos},
                                      std::pair{turnsOfReturnedHellos, ReturnedHellos}}) {
        if (m_taken % turns == 0 && m_lanes[lane].used.entries > 0)
            return m_lanes[lane];
    }
    return *std::ranges::find_if(m_lanes,
                                 [](const LaneState &lane) { return lane.used.entries > 0; });
}

std::optional<HandshakeQueue::Waiting> HandshakeQueue::take()
{
    if (!hasCheap())
        return std::nullopt;
    LaneState &lane = nextLane();
    return takeFrom(lane, lane.sources.begin());
}

const HandshakeQueue::Waiting *HandshakeQueue::firstProved(const Accounts<SocketAddress> &networks)
{
    LaneState &lane = m_lanes[ProvedHellos];
    if (!hasProved())
        return nullptr;
    // Those that were compared go behind the others, so that each is looked at in its turn.
    const auto end = std::ranges::next(lane.sources.begin(), comparedNetworks, lane.sources.end());
    if (lane.sources.size() > 1) {
        const auto lightest = networks.lightest(lane.sources.begin(), end, &Source::network);
        lane.sources.splice(lane.sources.end(), lane.sources, lane.sources.begin(), end);
        lane.sources.splice(lane.sources.begin(), lane.sources, lightest);
    }
    return &lane.sources.front().waiting.front();
}

HandshakeQueue::Waiting HandshakeQueue::takeProved()
{
    LaneState &lane = m_lanes[ProvedHellos];
    return takeFrom(lane, lane.sources.begin());
}

void HandshakeQueue::forget(const DatagramSocket &socket)
{
    for (LaneState &lane : m_lanes) {
        for (auto next = lane.sources.begin(); next != lane.sources.end();) {
            const auto source = next++;
            for (auto waiting = source->waiting.begin(); waiting != source->waiting.end();) {
                if (waiting->socket != &socket) {
                    ++waiting;
                    continue;
                }
                forgetIndex(*waiting);
                lane.used.remove(sizeOf(*waiting));
                source->used.remove(sizeOf(*waiting));
                waiting = source->waiting.erase(waiting);
            }
            if (source->waiting.empty()) {
                lane.byNetwork.erase(source->network);
                lane.sources.erase(source);
            }
        }
    }
}

} // namespace dtlsd
