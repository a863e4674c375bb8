// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Measuring.h"
#include "bench/load/MessageBook.h"
#include "bench/load/Opening.h"

namespace dtlsd::bench {

using Clock = LoadFleet::Clock;

namespace {

constexpr QLatin1StringView perSecond("handshakes_per_second");

/// Handshake, one message, close_notify, repeated by each client, each time on a new socket.
class Churn
{
public:
    Churn(LoadFleet &fleet, const Plan &plan)
        : m_fleet(fleet)
        , m_opening(fleet, fleet.size(), plan.timeout)
        , m_book(fleet.size(), Plan::payload)
    {
        m_opening.addAll();
    }

    void runFor(std::chrono::nanoseconds duration)
    {
        for (const auto end = Clock::now() + duration; Clock::now() < end;) {
            m_opening.start(stepSize);
            const auto timeout = m_opening.canStart() ? Clock::duration::zero() : longestWait;
            for (const std::size_t client : m_fleet.wait(timeout))
                advance(client);
            const auto now = Clock::now();
            for (const std::size_t client : m_opening.tend(now, stepSize))
                again(client);
            for (const MessageBook::Lost &lost : m_book.giveUp(now - lostAfter, now)) {
                ++m_lost;
                again(lost.client);
            }
        }
    }

    [[nodiscard]] std::size_t cycles() const { return m_cycles; }
    [[nodiscard]] std::size_t lost() const { return m_lost + m_opening.failed(); }
    [[nodiscard]] const Opening &opening() const { return m_opening; }

private:
    void advance(std::size_t client)
    {
        LoadSession &session = m_fleet[client];
        if (session.state() == LoadSession::State::Opening) {
            if (m_opening.receive(client))
                session.send(m_book.issue(client, Clock::now()));
            return;
        }
        bool isAnswered = false;
        session.receive([&](std::string_view reply) {
            isAnswered = m_book.answer(client, reply, Clock::now()).has_value() || isAnswered;
        });
        if (!isAnswered)
            return;
        ++m_cycles;
        again(client);
    }

    void again(std::size_t client)
    {
        m_fleet[client].close();
        m_fleet.renew(client);
        m_opening.add(client);
    }

    LoadFleet &m_fleet;
    Opening m_opening;
    MessageBook m_book;
    std::size_t m_cycles = 0;
    std::size_t m_lost = 0;
};

} // namespace

Result<QJsonObject> measureChurn(const Plan &plan)
{
    auto fleet = makeFleet(plan, plan.clients, false);
    if (!fleet)
        return fleet.error();
    Churn churn(*fleet.value(), plan);
    churn.runFor(plan.warmUp);
    const std::size_t before = churn.cycles();
    const std::size_t lostBefore = churn.lost();
    const auto warmUps = static_cast<std::ptrdiff_t>(churn.opening().durations().size());

    const Clocks clocks(plan);
    churn.runFor(plan.duration);
    const std::size_t cycles = churn.cycles() - before;
    const std::size_t lost = churn.lost() - lostBefore;
    const auto &durations = churn.opening().durations();
    QJsonObject figures;
    figures[perSecond] = static_cast<double>(cycles) / seconds(plan.duration);
    addCpu(figures, clocks, cycles);
    addLoss(figures, lost, cycles + lost);
    addPercentiles(figures, Latencies({durations.begin() + warmUps, durations.end()}));
    addMemory(figures, plan);
    closeFleet(*fleet.value());
    return figures;
}

Result<QJsonObject> measureRamp(const Plan &plan)
{
    auto fleet = makeFleet(plan, plan.clients);
    if (!fleet)
        return fleet.error();
    settle();
    const Clocks clocks(plan);
    const double memoryBefore = memory(plan);
    const auto begin = Clock::now();
    Opening opening(*fleet.value(), Plan::atATime, plan.timeout);
    if (auto opened = opening.run(); !opened)
        return opened.error();

    QJsonObject figures;
    figures[perSecond] = static_cast<double>(plan.clients) / seconds(Clock::now() - begin);
    addCpu(figures, clocks, plan.clients);
    settle();
    figures[QLatin1StringView("session_kb")] =
        perEach(memory(plan) - memoryBefore, plan.clients) / 1000;
    addPercentiles(figures, Latencies(opening.durations()));
    addMemory(figures, plan);
    addIdleCpu(figures, plan);
    closeFleet(*fleet.value());
    return figures;
}

} // namespace dtlsd::bench
