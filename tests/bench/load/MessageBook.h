// SPDX-License-Identifier: Apache-2.0
//
// MessageBook: the messages under way, and their times. An echo has the number of its message. A
// receipt does not name its message, but a client's receipts come in the order of its messages.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dtlsd::bench {

class MessageBook
{
public:
    using Clock = std::chrono::steady_clock;

    MessageBook(std::size_t clients, std::size_t messageSize);

    /// The next message of @p client, whose latency counts from @p since. It lives until the next
    /// call.
    std::string_view issue(std::size_t client, Clock::time_point since);
    /// The latency of the message that @p reply answers; nullopt: it answers none under way.
    std::optional<std::chrono::nanoseconds> answer(std::size_t client, std::string_view reply,
                                                   Clock::time_point now);
    struct Lost
    {
        std::size_t client = 0;
        std::chrono::nanoseconds waited{}; ///< until it was given up
    };

    /// Gives up messages that have been under way since @p limit or longer.
    std::vector<Lost> giveUp(Clock::time_point limit, Clock::time_point now);

    [[nodiscard]] std::size_t underWay() const { return m_underWay; }
    [[nodiscard]] std::size_t underWay(std::size_t client) const
    {
        return m_clients[client].size();
    }

private:
    struct Entry
    {
        Clock::time_point since;
        std::size_t client = 0;
        bool isUnderWay = true;
    };

    std::chrono::nanoseconds strike(std::size_t client, std::size_t position,
                                    Clock::time_point now);
    void dropAnswered();

    std::string m_message;
    std::uint64_t m_first = 0;                         // the number of m_entries.front()
    std::deque<Entry> m_entries;                       // by number
    std::vector<std::vector<std::uint64_t>> m_clients; // numbers under way, oldest first
    std::size_t m_underWay = 0;
};

} // namespace dtlsd::bench
