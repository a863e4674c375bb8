// SPDX-License-Identifier: Apache-2.0
//
// EchoLoad: open sessions that send messages and take the replies. The run functions send as many
// messages as allowed: each client up to its window, all together up to a number under way. Clients
// take turns, so that a server with many clients serves each after all others. A message without a
// reply is not sent again.
#pragma once

#include "bench/load/LoadFleet.h"
#include "bench/load/MessageBook.h"

#include <chrono>
#include <cstddef>
#include <vector>

namespace dtlsd::bench {

class EchoLoad
{
public:
    using Clock = LoadFleet::Clock;

    struct Options
    {
        std::size_t window = 1;
        std::size_t underWay = 256;
        std::size_t payload = 64;
    };

    struct Counts
    {
        std::size_t sent = 0;
        std::vector<std::chrono::nanoseconds> latencies; ///< of answered messages
        std::vector<std::chrono::nanoseconds> lost;      ///< how long it waited for each
    };

    EchoLoad(LoadFleet &fleet, const Options &options);

    void runFor(std::chrono::nanoseconds duration);
    /// Runs until @p messages are sent and answered. false: one was not answered in time.
    [[nodiscard]] bool runUntil(std::size_t messages);
    /// Waits for messages under way, but sends no more.
    void finish();

    /// Sends a message of @p client, whose latency counts from @p since.
    void send(std::size_t client, Clock::time_point since);
    /// Takes the replies that are there, or come within @p timeout, and gives up messages that
    /// have waited for @p patience.
    void receive(std::chrono::nanoseconds timeout, std::chrono::nanoseconds patience = lostAfter);

    [[nodiscard]] const Counts &counts() const { return m_counts; }
    /// Resets the counts; messages under way remain under way.
    void forget() { m_counts = {}; }

private:
    // On loopback a reply takes less than a millisecond; a second is the timer of RFC 6347
    // §4.2.4.1.
    static constexpr std::chrono::seconds lostAfter{1};

    void fill(std::size_t messages);

    LoadFleet &m_fleet;
    const Options m_options;
    MessageBook m_book;
    std::size_t m_turn = 0; // the client whose turn it is
    Counts m_counts;
};

} // namespace dtlsd::bench
