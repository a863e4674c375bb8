// SPDX-License-Identifier: Apache-2.0
//
// Whereabouts: the path of a session, and what may be sent along it. A session with a connection ID
// moves (RFC 9146 §6).
//
// A move is no proof: somebody on the path can forward a copy of a record, with any source address,
// before the original arrives, and the next one too. Proved is the handshake's path alone, by its
// cookie, and a path that has answered a challenge (RFC 9853). To any other path no more is sent
// than three times the bytes of authentic new records that came along it.
#pragma once

#include "dtls/limits/RateLimit.h"
#include "dtls/store/SessionSlot.h"
#include "net/DatagramSocket.h"

#include <QByteArray>
#include <QByteArrayView>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace dtlsd {

class Whereabouts
{
public:
    using Clock = std::chrono::steady_clock;
    using Allowance = DatagramSocket::Allowance;

    /// Of a handshake, which proves @p path. @p socket must outlive it, and so must that of a move.
    Whereabouts(DatagramSocket &socket, const Path &path)
        : m_socket(&socket)
        , m_path(path)
    {
    }

    /// The handshake's path was another.
    void setProved(const Path &path)
    {
        if (path != m_path)
            journey().proved = path;
    }
    /// What the next process has to know; it gives an unproved path a new allowance, of nothing.
    [[nodiscard]] SessionSlot::Place kept() const
    {
        return {m_path, m_journey ? m_journey->proved : m_path, m_socket->group()};
    }

    [[nodiscard]] DatagramSocket &socket() const { return *m_socket; }
    [[nodiscard]] bool isProved(const Path &path) const
    {
        return m_journey ? path == m_journey->proved : path == m_path;
    }

    /// Whether a record from elsewhere may be opened, from the network with that hash: anybody who
    /// has seen the ID can forge one.
    [[nodiscard]] bool mayTry(std::size_t network, Clock::time_point now)
    {
        return journey().tries.admit(network, now);
    }

    /// The record, which came along @p path, was authentic, so that mayTry() was no attempt.
    void giveBackTry(const Path &path, std::size_t network)
    {
        if (!isProved(path)) // for which mayTry() is not asked
            journey().tries.giveBack(network);
    }

    /// What an authentic new record of @p size bytes earns its path.
    [[nodiscard]] static Allowance earnedBy(qsizetype size) { return {3 * size}; }
    /// For what is sent along the session's path.
    [[nodiscard]] QUdpSocket *output();
    /// For the answers to a record that came along @p path, elsewhere, to @p socket.
    [[nodiscard]] QUdpSocket *output(DatagramSocket &socket, const Path &path, Allowance &earned);
    /// How many datagrams were more than the session's path had earned.
    [[nodiscard]] std::uint64_t dropped() const { return m_journey ? m_journey->left.dropped : 0; }

    /// An authentic new record of @p size bytes came along the session's path.
    void earn(qsizetype size);
    /// The session goes on along @p path, which has @p left of what it has earned.
    void moveTo(DatagramSocket &socket, const Path &path, const Allowance &left);

    /// A message to the session's path, the same until it is answered or the session moves; who
    /// answers can read it, so the path is proved. Empty: it is.
    [[nodiscard]] QByteArray challenge();
    /// The answer to @p message, which came along the session's path; empty: none.
    [[nodiscard]] QByteArray answerTo(QByteArrayView message);

private:
    /// What a session needs that has been elsewhere.
    struct Journey
    {
        Path proved;
        Allowance left = {};       // of the session's path, if it is not proved
        QByteArray challenge = {}; // empty: none is open
        // By network, so that one of them cannot take those of others.
        HashedRateLimits<16, 5, 16> tries = {};
    };

    [[nodiscard]] Journey &journey();

    DatagramSocket *m_socket;
    Path m_path;
    std::unique_ptr<Journey> m_journey; // once it is needed
};

} // namespace dtlsd
