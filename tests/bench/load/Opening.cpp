// SPDX-License-Identifier: Apache-2.0
#include "bench/load/Opening.h"

#include <numeric>

namespace dtlsd::bench {

namespace {

using State = LoadSession::State;

// OpenSSL decides what is due: a flight is due 1 s after it was sent, then twice as long each time.
constexpr std::chrono::milliseconds lookInterval{250};
constexpr std::size_t stepSize = 64;

} // namespace

Opening::Opening(LoadFleet &fleet, std::size_t atATime, std::chrono::nanoseconds patience)
    : m_fleet(fleet)
    , m_atATime(atATime)
    , m_patience(patience)
{
}

void Opening::addAll()
{
    m_waiting.resize(m_fleet.size());
    std::iota(m_waiting.begin(), m_waiting.end(), 0);
}

void Opening::start(std::size_t limit)
{
    for (; limit > 0 && canStart(); --limit) {
        const std::size_t client = m_waiting.front();
        m_waiting.pop_front();
        m_fleet.provide(client);
        LoadSession &session = m_fleet[client];
        session.open();
        ++m_underWay;
        m_looks.push_back({session.begin() + lookInterval, client, session.begin()});
    }
}

bool Opening::receive(std::size_t client)
{
    LoadSession &session = m_fleet[client];
    const bool wasOpening = session.state() == State::Opening;
    session.receive([](std::string_view) {});
    if (!wasOpening || session.state() == State::Opening || session.state() == State::Failed)
        return false; // tend() handles failures
    m_durations.push_back(Clock::now() - session.begin());
    --m_underWay;
    return true;
}

std::vector<std::size_t> Opening::tend(Clock::time_point now, std::size_t limit)
{
    std::vector<std::size_t> givenUp;
    for (; limit > 0 && !m_looks.empty() && m_looks.front().due <= now; --limit) {
        Look look = m_looks.front();
        m_looks.pop_front();
        if (!m_fleet.has(look.client))
            continue;
        LoadSession &session = m_fleet[look.client];
        if (session.begin() != look.begin || session.state() == State::Open ||
            session.state() == State::Closed)
            continue;
        if (session.state() == State::Failed || now - look.begin >= m_patience) {
            givenUp.push_back(look.client);
            --m_underWay;
            ++m_failed;
            continue;
        }
        session.retransmit();
        look.due = now + lookInterval;
        m_looks.push_back(look);
    }
    return givenUp;
}

Opening::Clock::time_point Opening::nextLook() const
{
    return m_looks.empty() ? Clock::now() + lookInterval : m_looks.front().due;
}

Result<> Opening::run()
{
    addAll();
    while (!isOver()) {
        start(stepSize);
        const auto timeout = canStart() ? Clock::duration::zero() : nextLook() - Clock::now();
        for (const std::size_t client : m_fleet.wait(timeout))
            receive(client);
        tend(Clock::now(), stepSize);
    }
    if (m_failed == 0)
        return success();
    return Error{QStringLiteral("%1 of %2 sessions with port %3 did not open; the server is not "
                                "there, does not accept this identity and key, or limits them")
                     .arg(m_failed)
                     .arg(m_failed + m_durations.size())
                     .arg(m_fleet.port())};
}

} // namespace dtlsd::bench
