// SPDX-License-Identifier: Apache-2.0
//
// HandshakeQueue: datagrams of handshakes until the server has time for them. A handshake costs as
// much as fifteen datagrams of open sessions: processed on arrival, a fleet that reconnects, or a
// flood of strangers, would delay every session.
//
//   FollowUps       from peers whose handshake is under way
//   ReturnedHellos  hellos with a cookie, valid or not
//   FirstHellos     hellos without one, which anybody can send from anywhere
//   ProvedHellos    hellos whose cookie is valid: each may cost a handshake
//
// Each lane is a FairQueue of networks. No cheap lane waits for all of another; when a ProvedHello
// has its turn is for Handshakes to say.
#pragma once

#include "core/FairQueue.h"
#include "core/SocketAddress.h"
#include "dtls/limits/Accounts.h"
#include "net/DatagramSocket.h"
#include "wire/Packet.h"

#include <QByteArray>
#include <QDtls>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace dtlsd {

class HandshakeQueue
{
public:
    using Clock = std::chrono::steady_clock;

    enum Lane { FollowUps, ReturnedHellos, FirstHellos, ProvedHellos };

    struct Waiting
    {
        Lane lane = FirstHellos;
        DatagramSocket *socket = nullptr;
        Path path;
        QByteArray bytes;                    ///< the datagram
        std::vector<QByteArray> fragments{}; ///< further datagrams of a hello that came in several
        QDtls::GeneratorParameters cookie{}; ///< of a ProvedHello: what its cookie was made with
        Clock::time_point since{};           ///< of a ProvedHello: when it last arrived
        QByteArray clientRandom{};           ///< of a hello
        std::size_t hash = 0;                ///< of an unproved hello: its path and random

        [[nodiscard]] std::size_t cost() const;
    };

    /// Room for @p entries datagrams, and for @p bytes of them, in each lane. Not for a whole fleet
    /// at once: a device repeats its hello after a second.
    explicit HandshakeQueue(std::size_t entries = 2048, std::size_t bytes = 1 << 20);

    // Each keeps a copy; false: there is no room.
    /// @p datagram, with the first fragment of @p hello; not kept if it waits already.
    [[nodiscard]] bool addHello(DatagramSocket &socket, const Path &path, QByteArrayView datagram,
                                const ClientHello &hello);
    /// A datagram of a handshake under way.
    [[nodiscard]] bool addFollowUp(DatagramSocket &socket, const Path &path, const Packet &packet);
    /// A further fragment of a hello that waits. false also if none of that path does.
    [[nodiscard]] bool addFragment(const Path &path, const Packet &packet);
    /// @p hello, which was taken here and has proved its source with @p cookie. It replaces an
    /// earlier one of its path: the client has repeated it, or has begun anew.
    [[nodiscard]] bool addProved(Waiting hello, const QDtls::GeneratorParameters &cookie,
                                 Clock::time_point now);

    /// The next of the cheap lanes to process.
    [[nodiscard]] std::optional<Waiting> take();

    /// The ProvedHello to process next, of the network that weighs least in @p networks; nullptr if
    /// there is none. Valid until anything is added or taken.
    [[nodiscard]] const Waiting *firstProved(const Accounts<SocketAddress> &networks);
    /// Takes the one that firstProved() has just returned.
    [[nodiscard]] Waiting takeProved();

    /// Drops everything that came to @p socket, which is about to be closed.
    void forget(const DatagramSocket &socket);
    /// Whether take() has something.
    [[nodiscard]] bool hasCheap() const;
    [[nodiscard]] bool hasProved() const { return !m_lanes[ProvedHellos].isEmpty(); }

private:
    using Queue = FairQueue<SocketAddress, Waiting>;
    using Index = std::unordered_map<Path, Waiting *>;

    Waiting *add(Waiting waiting);
    [[nodiscard]] Waiting takeFrom(Queue &lane);
    void forgetIndex(const Waiting &waiting);
    Queue &nextLane();

    std::array<Queue, ProvedHellos + 1> m_lanes;
    std::unordered_set<std::size_t> m_hashes; // of the unproved hellos that wait
    Index m_unproved;                         // the latest that waits, by path
    Index m_proved;
    unsigned m_taken = 0;
};

} // namespace dtlsd
