// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Measuring.h"
#include "bench/dtls-bench/ServerGauge.h"
#include "bench/load/MessageBook.h"
#include "bench/load/Opening.h"

#include <algorithm>
#include <vector>

#include <sys/epoll.h>
#include <unistd.h>

namespace dtlsd::bench {

using View = QLatin1StringView;
using Clock = LoadFleet::Clock;

namespace {

constexpr std::chrono::seconds lostAfter{1};
constexpr std::chrono::seconds longestStorm{120};
constexpr std::chrono::milliseconds longestWait{50};
// What is done for the storm before the established clients are looked at again: about 0.2 ms.
constexpr std::size_t stormStep = 4;

/// Messages of established clients, each at its time whatever became of those before it. Latency
/// counts from when a message was due, so that one that was kept waiting here counts in full.
class PacedEcho
{
public:
    PacedEcho(LoadFleet &fleet, const Plan &plan)
        : m_fleet(fleet)
        , m_interval(std::chrono::nanoseconds(std::chrono::seconds(1)) /
                     static_cast<std::int64_t>(plan.rate))
        , m_book(fleet.size(), plan.payload)
    {
    }

    void start(Clock::time_point now)
    {
        m_due = now;
        m_latencies.clear();
        m_delays.clear();
        m_sent = m_lost = 0;
    }

    [[nodiscard]] Clock::time_point nextDue() const { return m_due; }

    void sendDue()
    {
        for (auto now = Clock::now(); m_due <= now; m_due += m_interval) {
            LoadSession &session = m_fleet[m_turn];
            session.send(m_book.issue(m_turn, m_due));
            m_delays.push_back(now - m_due);
            ++m_sent;
            m_turn = (m_turn + 1) % m_fleet.size();
        }
    }

    void receive()
    {
        for (const std::size_t client : m_fleet.wait({})) {
            m_fleet[client].receive([&](std::string_view reply) {
                if (const auto took = m_book.answer(client, reply, Clock::now()))
                    m_latencies.push_back(*took);
            });
        }
        giveUp(lostAfter);
    }

    /// Waits for the replies to all that was sent.
    void finish()
    {
        while (m_book.underWay() > 0) {
            waitToRead(m_fleet.descriptor(), longestWait);
            receive();
        }
    }

    /// A lost message counts with the time it was waited for.
    [[nodiscard]] const std::vector<std::chrono::nanoseconds> &latencies() const
    {
        return m_latencies;
    }
    /// By which messages were sent late.
    [[nodiscard]] const std::vector<std::chrono::nanoseconds> &delays() const { return m_delays; }
    [[nodiscard]] std::size_t sent() const { return m_sent; }
    [[nodiscard]] std::size_t lost() const { return m_lost; }

private:
    void giveUp(std::chrono::nanoseconds age)
    {
        const auto now = Clock::now();
        for (const MessageBook::Lost &lost : m_book.giveUp(now - age, now)) {
            m_latencies.push_back(lost.waited);
            ++m_lost;
        }
    }

    LoadFleet &m_fleet;
    const std::chrono::nanoseconds m_interval;
    MessageBook m_book;
    Clock::time_point m_due;
    std::size_t m_turn = 0;
    std::vector<std::chrono::nanoseconds> m_latencies;
    std::vector<std::chrono::nanoseconds> m_delays;
    std::size_t m_sent = 0;
    std::size_t m_lost = 0;
};

void runQuietly(PacedEcho &echo, LoadFleet &fleet, std::chrono::nanoseconds duration)
{
    const auto begin = Clock::now();
    echo.start(begin);
    while (echo.nextDue() < begin + duration) {
        echo.sendDue();
        fleet.flush();
        waitToRead(fleet.descriptor(), echo.nextDue() - Clock::now());
        echo.receive();
    }
    echo.finish();
}

/// Both fleets, to wait for whichever has something.
class EitherFleet
{
public:
    EitherFleet(const LoadFleet &one, const LoadFleet &other)
        : m_epoll(epoll_create1(EPOLL_CLOEXEC))
    {
        for (const int descriptor : {one.descriptor(), other.descriptor()}) {
            epoll_event event{};
            event.events = EPOLLIN;
            static_cast<void>(epoll_ctl(m_epoll, EPOLL_CTL_ADD, descriptor, &event));
        }
    }
    EitherFleet(const EitherFleet &) = delete;
    EitherFleet &operator=(const EitherFleet &) = delete;
    ~EitherFleet() { close(m_epoll); }

    void wait(Clock::time_point until) const { waitToRead(m_epoll, until - Clock::now()); }

private:
    const int m_epoll;
};

/// What is done for the storm in one step of the loop.
void stepStorm(LoadFleet &fleet, Opening &opening)
{
    opening.start(stormStep);
    for (const std::size_t client : fleet.wait({}, stormStep)) {
        if (fleet[client].state() == LoadSession::State::Opening)
            opening.receive(client);
        else
            fleet[client].receive([](std::string_view) {});
    }
    opening.tend(Clock::now(), stormStep);
    fleet.flush();
}

/// How long it took.
std::chrono::nanoseconds runStorm(PacedEcho &echo, LoadFleet &established, LoadFleet &storming,
                                  Opening &opening)
{
    const EitherFleet either(established, storming);
    const auto begin = Clock::now();
    echo.start(begin);
    while (!opening.isOver() && Clock::now() - begin < longestStorm) {
        echo.sendDue();
        echo.receive();
        stepStorm(storming, opening);
        if (!opening.canStart())
            either.wait(std::min(echo.nextDue(), opening.nextLook()));
    }
    const auto took = Clock::now() - begin;
    echo.finish();
    return took;
}

struct Phase
{
    explicit Phase(const PacedEcho &echo)
        : latencies(echo.latencies())
        , delays(echo.delays())
        , sent(echo.sent())
        , lost(echo.lost())
    {
    }

    Latencies latencies;
    Latencies delays;
    std::size_t sent;
    std::size_t lost;
};

void add(Figures &figures, const char *key, const char *title, const char *unit, double value)
{
    figures.append({View(key), View(title), View(unit), value});
}

Figures report(const Phase &quiet, const Phase &storm, const Opening &opening,
               std::chrono::nanoseconds took)
{
    const auto at = [](const Latencies &latencies, double share) {
        return microseconds(latencies.percentile(share));
    };
    const double before = at(quiet.latencies, 0.99);
    const double during = at(storm.latencies, 0.99);
    Figures figures;
    add(figures, "quiet_p50_us", "established, before: median latency", "us",
        at(quiet.latencies, 0.5));
    add(figures, "quiet_p99_us", "99 % within", "us", before);
    add(figures, "storm_p50_us", "established, in the storm: median latency", "us",
        at(storm.latencies, 0.5));
    add(figures, "storm_p99_us", "99 % within", "us", during);
    add(figures, "storm_to_quiet_p99", "the second 99 % to the first", "x", ratio(during, before));
    add(figures, "storm_max_us", "all within", "us", at(storm.latencies, 1));
    add(figures, "storm_loss_percent", "not answered in the storm", "%",
        100 * perEach(static_cast<double>(storm.lost), storm.sent));
    add(figures, "sent_late_p99_us", "99 % were sent late by no more than", "us",
        at(storm.delays, 0.99));
    add(figures, "storm_seconds", "the storm took", "s", seconds(took));
    add(figures, "storm_failed", "sessions that did not reopen", "",
        static_cast<double>(opening.failed()));
    return figures;
}

} // namespace

Result<Figures> measureStorm(const Plan &plan, const Target &target)
{
    auto established = openFleet(plan, target.server, plan.clients);
    if (!established)
        return established.error();
    auto storming = openFleet(plan, target.server, plan.storm);
    if (!storming)
        return storming.error();

    PacedEcho echo(*established.value(), plan);
    runQuietly(echo, *established.value(), plan.warmUp);
    runQuietly(echo, *established.value(), plan.duration);
    const Phase quiet(echo);

    // As after a power cut: nobody says goodbye, and all come back from new ports.
    storming = makeFleet(plan, target.server, plan.storm);
    if (!storming)
        return storming.error();
    const ServerGauge gauge(target);
    Opening opening(*storming.value(), plan.storm, longestStorm);
    opening.addAll();
    const auto took = runStorm(echo, *established.value(), *storming.value(), opening);
    const Phase storm(echo);
    Figures figures = report(quiet, storm, opening, took);
    gauge.addMemory(figures);
    closeFleet(*established.value());
    closeFleet(*storming.value());
    return figures;
}

} // namespace dtlsd::bench
