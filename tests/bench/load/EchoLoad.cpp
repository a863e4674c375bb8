// SPDX-License-Identifier: Apache-2.0
#include "bench/load/EchoLoad.h"

#include <limits>

namespace dtlsd::bench {

namespace {

constexpr std::chrono::seconds receiptPatience{10};
constexpr std::chrono::milliseconds longestWait{50};

} // namespace

EchoLoad::EchoLoad(LoadFleet &fleet, const Options &options)
    : m_fleet(fleet)
    , m_options(options)
    , m_book(fleet.size(), options.payload)
{
}

void EchoLoad::runFor(std::chrono::nanoseconds duration)
{
    const auto end = Clock::now() + duration;
    while (Clock::now() < end) {
        fill(std::numeric_limits<std::size_t>::max());
        receive(longestWait);
    }
}

bool EchoLoad::runUntil(std::size_t messages)
{
    while (m_counts.latencies.size() < messages && m_counts.lost.empty()) {
        fill(messages);
        receive(longestWait, receiptPatience);
    }
    return m_counts.lost.empty();
}

void EchoLoad::finish()
{
    while (m_book.underWay() > 0)
        receive(longestWait);
}

void EchoLoad::send(std::size_t client, Clock::time_point since)
{
    m_fleet[client].send(m_book.issue(client, since));
    ++m_counts.sent;
}

/// Sends up to @p messages in all.
void EchoLoad::fill(std::size_t messages)
{
    const auto now = Clock::now();
    for (std::size_t looked = 0; looked < m_fleet.size(); ++looked) {
        if (m_book.underWay() >= m_options.underWay || m_counts.sent >= messages)
            return;
        const std::size_t client = m_turn;
        m_turn = (m_turn + 1) % m_fleet.size();
        if (m_fleet[client].state() != LoadSession::State::Open)
            continue; // closed by the server; its messages count as lost
        while (m_book.underWay(client) < m_options.window &&
               m_book.underWay() < m_options.underWay && m_counts.sent < messages)
            send(client, now);
    }
}

void EchoLoad::receive(std::chrono::nanoseconds timeout, std::chrono::nanoseconds patience)
{
    for (const std::size_t client : m_fleet.wait(timeout)) {
        m_fleet[client].receive([&](std::string_view reply) {
            if (const auto took = m_book.answer(client, reply, Clock::now()))
                m_counts.latencies.push_back(*took);
        });
    }
    const auto now = Clock::now();
    for (const MessageBook::Lost &lost : m_book.giveUp(now - patience, now))
        m_counts.lost.push_back(lost.waited);
}

} // namespace dtlsd::bench
