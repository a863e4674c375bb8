// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Measuring.h"
#include "bench/dtls-bench/ServerGauge.h"
#include "bench/load/EchoLoad.h"
#include "bench/load/Message.h"

#include <string>

namespace dtlsd::bench {

using View = QLatin1StringView;

namespace {

constexpr View perEcho("server CPU per echoed datagram");
constexpr std::size_t burst = 16; // messages of a client at its turn
constexpr std::chrono::milliseconds lastReplies{500};

} // namespace

Result<Figures> measureEcho(const Plan &plan, const Target &target)
{
    auto fleet = openFleet(plan, target.server, plan.clients);
    if (!fleet)
        return fleet.error();
    EchoLoad load(*fleet.value(), {plan.window, plan.underWay, plan.payload});
    load.runFor(plan.warmUp);
    load.forget();

    const ServerGauge gauge(target);
    load.runFor(plan.duration);
    Figures figures;
    const std::size_t answered = load.counts().latencies.size();
    figures.append({View("datagrams_per_second"), View("echoed datagrams"), View("/s"),
                    static_cast<double>(answered) / seconds(plan.duration)});
    gauge.addCpu(figures, answered, perEcho);
    load.finish();
    addLoss(figures, load.counts().lost, load.counts().sent);
    addPercentiles(figures, Latencies(load.counts().latencies));
    gauge.addMemory(figures);
    closeFleet(*fleet.value());
    return figures;
}

namespace {

/// Messages without a thought of replies, which are only counted.
class Blast
{
public:
    Blast(LoadFleet &fleet, std::size_t payload)
        : m_fleet(fleet)
        , m_message(message(0, payload))
    {
    }

    void runFor(std::chrono::nanoseconds duration)
    {
        const auto end = LoadFleet::Clock::now() + duration;
        for (; LoadFleet::Clock::now() < end; m_turn = (m_turn + 1) % m_fleet.size()) {
            LoadSession &session = m_fleet[m_turn];
            for (std::size_t i = 0; i < burst && session.state() == LoadSession::State::Open; ++i) {
                writeNumber(m_message.data(), m_sent++);
                session.send(m_message);
            }
            receive({});
        }
    }

    void receive(std::chrono::nanoseconds timeout)
    {
        for (const std::size_t client : m_fleet.wait(timeout))
            m_answered +=
                static_cast<std::size_t>(m_fleet[client].receive([](std::string_view) {}));
    }

    [[nodiscard]] std::size_t sent() const { return m_sent; }
    [[nodiscard]] std::size_t answered() const { return m_answered; }

private:
    LoadFleet &m_fleet;
    std::string m_message;
    std::size_t m_turn = 0;
    std::size_t m_sent = 0;
    std::size_t m_answered = 0;
};

} // namespace

Result<Figures> measureBlast(const Plan &plan, const Target &target)
{
    auto fleet = openFleet(plan, target.server, plan.clients);
    if (!fleet)
        return fleet.error();
    Blast blast(*fleet.value(), plan.payload);
    const ServerGauge gauge(target);
    blast.runFor(plan.duration);
    Figures figures;
    const auto rate = [&](std::size_t count) {
        return static_cast<double>(count) / seconds(plan.duration);
    };
    figures.append({View("sent_per_second"), View("sent"), View("/s"), rate(blast.sent())});
    figures.append({View("datagrams_per_second"), View("echoed datagrams"), View("/s"),
                    rate(blast.answered())});
    gauge.addCpu(figures, blast.answered(), perEcho);
    const auto end = LoadFleet::Clock::now() + lastReplies;
    while (LoadFleet::Clock::now() < end)
        blast.receive(end - LoadFleet::Clock::now());
    addLoss(figures, blast.sent() - std::min(blast.sent(), blast.answered()), blast.sent());
    gauge.addMemory(figures);
    closeFleet(*fleet.value());
    return figures;
}

} // namespace dtlsd::bench
