// SPDX-License-Identifier: Apache-2.0
//
// Opening: runs the handshakes of a fleet's clients, a bounded number at a time, each with
// retransmissions and a deadline. It works in small steps, so that more urgent work can come first.
#pragma once

#include "bench/load/LoadFleet.h"

#include <chrono>
#include <deque>
#include <vector>

namespace dtlsd::bench {

class Opening
{
public:
    using Clock = LoadFleet::Clock;

    /// @p patience: how long a handshake may take.
    Opening(LoadFleet &fleet, std::size_t atATime, std::chrono::nanoseconds patience);

    /// Queues @p client, whose session is new or not yet made, for its handshake.
    void add(std::size_t client) { m_waiting.push_back(client); }
    void addAll();

    /// Sends hellos of queued clients, at most @p limit.
    void start(std::size_t limit);
    /// Takes the datagrams for @p client. true: they have opened its session.
    bool receive(std::size_t client);
    /// Retransmits flights due at @p now and gives up handshakes that have taken too long, for at
    /// most @p limit clients. Returns the clients given up.
    std::vector<std::size_t> tend(Clock::time_point now, std::size_t limit);
    /// The latest time for the next tend().
    [[nodiscard]] Clock::time_point nextLook() const;

    [[nodiscard]] bool isOver() const { return m_waiting.empty() && m_underWay == 0; }
    [[nodiscard]] bool canStart() const { return !m_waiting.empty() && m_underWay < m_atATime; }
    [[nodiscard]] std::size_t failed() const { return m_failed; }
    /// Time from hello to open session, for each.
    [[nodiscard]] const std::vector<std::chrono::nanoseconds> &durations() const
    {
        return m_durations;
    }

    /// Opens the sessions of all clients. Fails if one does not open.
    [[nodiscard]] Result<> run();

private:
    struct Look
    {
        Clock::time_point due;
        std::size_t client = 0;
        Clock::time_point begin; // tells the client's sessions apart
    };

    LoadFleet &m_fleet;
    const std::size_t m_atATime;
    const std::chrono::nanoseconds m_patience;
    std::deque<std::size_t> m_waiting;
    std::deque<Look> m_looks; // by due
    std::size_t m_underWay = 0;
    std::size_t m_failed = 0;
    std::vector<std::chrono::nanoseconds> m_durations;
};

} // namespace dtlsd::bench
