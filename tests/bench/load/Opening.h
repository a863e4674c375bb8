// SPDX-License-Identifier: Apache-2.0
//
// Opening: handshakes of clients of a fleet, no more at a time than is wanted, each with its
// retransmissions and a deadline. All work is done in steps, so that it can stand behind what is
// more urgent.
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

    /// @p client, whose session is new, is to open it.
    void add(std::size_t client) { m_waiting.push_back(client); }
    void addAll();

    /// Sends hellos of those that wait, at most @p limit.
    void start(std::size_t limit);
    /// Takes what has come for @p client. true: its session is open since.
    bool receive(std::size_t client);
    /// Sends again what is due at @p now and gives up what has taken too long, for at most
    /// @p limit clients. Returns those given up.
    std::vector<std::size_t> tend(Clock::time_point now, std::size_t limit);
    /// When tend() has something to do; never later than that.
    [[nodiscard]] Clock::time_point nextLook() const;

    [[nodiscard]] bool isOver() const { return m_waiting.empty() && m_underWay == 0; }
    [[nodiscard]] bool canStart() const { return !m_waiting.empty() && m_underWay < m_atATime; }
    [[nodiscard]] std::size_t failed() const { return m_failed; }
    /// From each hello to the session.
    [[nodiscard]] const std::vector<std::chrono::nanoseconds> &durations() const
    {
        return m_durations;
    }

    /// Opens the sessions of all clients. Fails when not all opened.
    [[nodiscard]] Result<> run();

private:
    struct Look
    {
        Clock::time_point due;
        std::size_t client = 0;
        Clock::time_point begin; // which of the client's sessions is meant
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
