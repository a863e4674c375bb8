// SPDX-License-Identifier: Apache-2.0
//
// HandshakeQueue: datagrams of handshakes until the server has time for them. A handshake costs as
// much as fifteen datagrams of open sessions: if a fleet that reconnects, or strangers, had it
// where it comes, all others would wait.
//
//   FollowUps       what half-open peers send: a handshake that ends makes room
//   ReturnedHellos  hellos with a cookie, be it a valid one: their devices have begun
//   FirstHellos     all other hellos, which anybody can send from anywhere
//
// Each of them comes in the order in which it arrived, and never has to wait for all of another.
#pragma once

#include "core/SocketAddress.h"
#include "dtls/DatagramSocket.h"

#include <QByteArray>

#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_set>

namespace dtlsd {

class HandshakeQueue
{
public:
    enum Lane { FollowUps, ReturnedHellos, FirstHellos };

    struct Waiting
    {
        Lane lane = FirstHellos;
        DatagramSocket *socket = nullptr;
        Path path;
        QByteArray bytes;     ///< the datagram
        std::size_t hash = 0; ///< of a hello: what it says and who does
    };

    /// Room for @p entries datagrams, and for @p bytes of them, in each lane. Not for a whole fleet
    /// at once: what strangers send takes room as well, and a device asks again after a second.
    explicit HandshakeQueue(std::size_t entries = 2048, qsizetype bytes = 1 << 20)
        : m_entries(entries)
        , m_bytes(bytes)
    {
    }

    /// Keeps a copy of a ClientHello with @p clientRandom, unless the same waits already: its
    /// sender became impatient. false: there is no room.
    [[nodiscard]] bool addHello(DatagramSocket &socket, const ReceivedDatagram &datagram,
                                QByteArrayView clientRandom);
    /// Keeps a copy of any other datagram. false: there is no room.
    [[nodiscard]] bool addFollowUp(DatagramSocket &socket, const ReceivedDatagram &datagram);

    /// The next one to handle.
    std::optional<Waiting> take();

    /// Those that came to @p socket, which goes.
    void forget(const DatagramSocket &socket);
    [[nodiscard]] bool isEmpty() const;

private:
    struct Line
    {
        std::deque<Waiting> datagrams;
        qsizetype bytes = 0;
    };

    [[nodiscard]] bool hasRoom(const Line &line, qsizetype bytes) const;
    Line &nextLine();

    const std::size_t m_entries; // of each line
    const qsizetype m_bytes;     // the same
    std::array<Line, FirstHellos + 1> m_lines;
    std::unordered_set<std::size_t> m_hellos; // hashes of those that wait
    unsigned m_taken = 0;
};

} // namespace dtlsd
