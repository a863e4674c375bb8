// SPDX-License-Identifier: Apache-2.0
#include "bench/load/EchoLoad.h"

#include <limits>

namespace dtlsd::bench {

namespace {

// On loopback a reply is there within a millisecond; a second is what RFC 6347 §4.2.4.1 waits for.
constexpr std::chrono::seconds lostAfter{1};
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
        giveUp(lostAfter);
    }
}

bool EchoLoad::runUntil(std::size_t messages)
{
    while (m_counts.latencies.size() < messages && m_counts.lost == 0) {
        fill(messages);
        receive(longestWait);
        giveUp(receiptPatience);
    }
    return m_counts.lost == 0;
}

void EchoLoad::finish()
{
    while (m_book.underWay() > 0) {
        receive(longestWait);
        giveUp(lostAfter);
    }
}

/// Up to @p messages in all.
void EchoLoad::fill(std::size_t messages)
{
    const auto now = Clock::now();
    for (std::size_t looked = 0; looked < m_fleet.size(); ++looked) {
        if (m_book.underWay() >= m_options.underWay || m_counts.sent >= messages)
            return;
        const std::size_t client = m_turn;
        m_turn = (m_turn + 1) % m_fleet.size();
        LoadSession &session = m_fleet[client];
        if (session.state() != LoadSession::State::Open)
            continue; // closed by the server; its messages will be missed
        while (m_book.underWay(client) < m_options.window &&
               m_book.underWay() < m_options.underWay && m_counts.sent < messages) {
            session.send(m_book.issue(client, now));
            ++m_counts.sent;
        }
    }
}

void EchoLoad::receive(std::chrono::nanoseconds timeout)
{
    for (const std::size_t client : m_fleet.wait(timeout)) {
        m_fleet[client].receive([&](std::string_view reply) {
            if (const auto took = m_book.answer(client, reply, Clock::now()))
                m_counts.latencies.push_back(*took);
        });
    }
}

void EchoLoad::giveUp(std::chrono::nanoseconds age)
{
    const auto now = Clock::now();
    m_counts.lost += m_book.giveUp(now - age, now).size();
}

} // namespace dtlsd::bench
