// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Measuring.h"
#include "bench/load/EchoLoad.h"
#include "bench/load/Opening.h"

#include <algorithm>
#include <vector>

namespace dtlsd::bench {

using Clock = LoadFleet::Clock;

namespace {

constexpr std::chrono::seconds longestStorm{120};
// Work for the storm between two looks at the established clients: about 0.2 ms.
constexpr std::size_t stormStep = 4;

/// Messages of established clients, each at its due time whatever happened to earlier ones. Latency
/// counts from the due time, so that a delay in this program counts in full.
class PacedEcho
{
public:
    explicit PacedEcho(LoadFleet &fleet)
        : m_clients(fleet.size())
        , m_load(fleet, {.payload = Plan::payload})
    {
    }

    void start(Clock::time_point now)
    {
        m_due = now;
        m_load.forget();
        m_delays.clear();
    }

    [[nodiscard]] Clock::time_point nextDue() const { return m_due; }

    void sendDue()
    {
        for (const auto now = Clock::now(); m_due <= now; m_due += interval) {
            m_load.send(m_turn, m_due);
            m_delays.push_back(now - m_due);
            m_turn = (m_turn + 1) % m_clients;
        }
    }

    void receive() { m_load.receive({}); }

    struct Phase
    {
        Latencies latencies; ///< a lost message counts with the time it was waited for
        Latencies delays;    ///< by which messages were sent late
        std::size_t sent = 0;
        std::size_t lost = 0;
    };

    /// Waits for the replies to all messages since start().
    Phase finish()
    {
        m_load.finish();
        const EchoLoad::Counts &counts = m_load.counts();
        auto latencies = counts.latencies;
        latencies.insert(latencies.end(), counts.lost.begin(), counts.lost.end());
        return {Latencies(latencies), Latencies(m_delays), counts.sent, counts.lost.size()};
    }

private:
    static constexpr std::chrono::nanoseconds interval{std::nano::den / Plan::rate};

    const std::size_t m_clients;
    EchoLoad m_load;
    Clock::time_point m_due;
    std::size_t m_turn = 0;
    std::vector<std::chrono::nanoseconds> m_delays;
};

PacedEcho::Phase runQuietly(PacedEcho &echo, LoadFleet &fleet, std::chrono::nanoseconds duration)
{
    const auto begin = Clock::now();
    echo.start(begin);
    while (echo.nextDue() < begin + duration) {
        echo.sendDue();
        fleet.flush();
        waitToRead({fleet.descriptor()}, echo.nextDue() - Clock::now());
        echo.receive();
    }
    return echo.finish();
}

/// Work for the storm in one step of the loop.
void stepStorm(LoadFleet &fleet, Opening &opening)
{
    opening.start(stormStep);
    for (const std::size_t client : fleet.wait({}, stormStep))
        opening.receive(client);
    opening.tend(Clock::now(), stormStep);
    fleet.flush();
}

/// Adds how long the storm took.
PacedEcho::Phase runStorm(PacedEcho &echo, LoadFleet &established, LoadFleet &storming,
                          Opening &opening, QJsonObject &figures)
{
    const auto begin = Clock::now();
    echo.start(begin);
    while (!opening.isOver() && Clock::now() - begin < longestStorm) {
        echo.sendDue();
        echo.receive();
        stepStorm(storming, opening);
        if (!opening.canStart())
            waitToRead({established.descriptor(), storming.descriptor()},
                       std::min(echo.nextDue(), opening.nextLook()) - Clock::now());
    }
    figures[QLatin1StringView("storm_seconds")] = seconds(Clock::now() - begin);
    figures[QLatin1StringView("storm_failed")] = static_cast<qint64>(opening.failed());
    return echo.finish();
}

void addPhases(QJsonObject &figures, const PacedEcho::Phase &quiet, const PacedEcho::Phase &storm)
{
    const auto add = [&](const char *key, const Latencies &latencies, double share) {
        figures[QLatin1StringView(key)] = microseconds(latencies.percentile(share));
    };
    add("quiet_p50_us", quiet.latencies, 0.5);
    add("quiet_p99_us", quiet.latencies, 0.99);
    add("storm_p50_us", storm.latencies, 0.5);
    add("storm_p99_us", storm.latencies, 0.99);
    add("storm_max_us", storm.latencies, 1);
    add("sent_late_p99_us", storm.delays, 0.99);
    figures[QLatin1StringView("storm_to_quiet_p99")] =
        seconds(storm.latencies.percentile(0.99)) / seconds(quiet.latencies.percentile(0.99));
    addLoss(figures, storm.lost, storm.sent);
}

} // namespace

Result<QJsonObject> measureStorm(const Plan &plan)
{
    auto established = openFleet(plan, plan.clients);
    if (!established)
        return established.error();
    auto storming = openFleet(plan, plan.storm);
    if (!storming)
        return storming.error();

    PacedEcho echo(*established.value());
    runQuietly(echo, *established.value(), plan.warmUp);
    const auto quiet = runQuietly(echo, *established.value(), plan.duration);

    // As after a power cut: no close_notify, and all reconnect from new ports.
    storming = makeFleet(plan, plan.storm);
    if (!storming)
        return storming.error();
    Opening opening(*storming.value(), plan.storm, longestStorm);
    opening.addAll();
    QJsonObject figures;
    const auto storm = runStorm(echo, *established.value(), *storming.value(), opening, figures);
    addPhases(figures, quiet, storm);
    addMemory(figures, plan);
    closeFleet(*established.value());
    closeFleet(*storming.value());
    return figures;
}

} // namespace dtlsd::bench
