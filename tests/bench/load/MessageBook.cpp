// SPDX-License-Identifier: Apache-2.0
#include "bench/load/MessageBook.h"

#include "bench/load/Message.h"

#include <algorithm>

namespace dtlsd::bench {

MessageBook::MessageBook(std::size_t clients, std::size_t messageSize)
    : m_message(message(0, messageSize))
    , m_clients(clients)
{
}

std::string_view MessageBook::issue(std::size_t client, Clock::time_point since)
{
    const std::uint64_t number = m_first + m_entries.size();
    writeNumber(m_message.data(), number);
    m_entries.push_back({since, client});
    m_clients[client].push_back(number);
    ++m_underWay;
    return m_message;
}

std::optional<std::chrono::nanoseconds>
MessageBook::answer(std::size_t client, std::string_view reply, Clock::time_point now)
{
    const auto &numbers = m_clients[client];
    if (numbers.empty())
        return std::nullopt;
    const auto number = readNumber(reply);
    const auto found =
        number ? std::find(numbers.begin(), numbers.end(), *number) : numbers.begin();
    if (found == numbers.end())
        return std::nullopt; // a duplicate, or given up
    const auto took = strike(client, static_cast<std::size_t>(found - numbers.begin()), now);
    dropAnswered();
    return took;
}

std::vector<MessageBook::Lost> MessageBook::giveUp(Clock::time_point limit, Clock::time_point now)
{
    std::vector<Lost> lost;
    while (!m_entries.empty() && m_entries.front().since <= limit) {
        const std::size_t client = m_entries.front().client;
        lost.push_back({client, strike(client, 0, now)});
        dropAnswered();
    }
    return lost;
}

std::chrono::nanoseconds MessageBook::strike(std::size_t client, std::size_t position,
                                             Clock::time_point now)
{
    auto &numbers = m_clients[client];
    Entry &entry = m_entries[numbers[position] - m_first];
    numbers.erase(numbers.begin() + static_cast<std::ptrdiff_t>(position));
    entry.isUnderWay = false;
    --m_underWay;
    return now - entry.since;
}

void MessageBook::dropAnswered()
{
    while (!m_entries.empty() && !m_entries.front().isUnderWay) {
        m_entries.pop_front();
        ++m_first;
    }
}

} // namespace dtlsd::bench
