// SPDX-License-Identifier: Apache-2.0
#include "log/LogWriter.h"

#include <QScopeGuard>

#include <algorithm>

#include <pthread.h>

namespace dtlsd {

namespace {

using namespace std::chrono_literals;

// Entries taken together leave the queue's fair order, and are settled together.
constexpr std::size_t takenTogether = 64;

// The journal takes 20 to 100 µs an entry, so 10 ms at most for these.
constexpr std::size_t fewEntries = 100;

// At first less than an idle journald needs for an entry; then longer and longer, for a stalled
// one.
constexpr auto firstPause = 50us;
constexpr auto longestPause = 20ms;

// Between two looks at a sink that has an obstacle, but no entries.
constexpr auto obstaclePause = 100ms;

} // namespace

/// Marks the time in which the sink is at work.
auto LogWriter::atWork()
{
    m_isSinkAtWork = true;
    return qScopeGuard([this] { m_isSinkAtWork = false; });
}

LogWriter::LogWriter(std::unique_ptr<Sink> sink, std::size_t capacity, Reports reports,
                     std::chrono::milliseconds reportInterval)
    : m_queue(capacity)
    , m_reportInterval(reportInterval)
    , m_sink(std::move(sink))
    , m_reports(std::move(reports))
    , m_thread(&LogWriter::run, this)
{
}

LogWriter::~LogWriter()
{
    m_queue.close();
    m_thread.join();
}

LogState LogWriter::state() const
{
    const auto since = [](Clock::time_point began) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
    };
    LogState state;
    const std::size_t inHand = m_inHand;
    state.waiting = m_queue.size() + inHand;
    state.kept = m_keptInAll;
    state.lost = m_queue.dropped() + m_refusedInAll;
    state.unverified = m_unverifiedInAll;
    // Entries in the queue wait for the log thread, not for its sink.
    if (inHand > 0)
        state.stalled = since(m_progress);
    const Clock::time_point losingSince = m_losingSince;
    const std::lock_guard lock(m_mutex);
    if (losingSince != Clock::time_point()) {
        state.losing = since(losingSince);
        state.lossReason = m_lossReason;
    }
    state.obstacle = m_obstacle;
    return state;
}

bool LogWriter::keepsUp() const
{
    return m_queue.hasAmpleRoom() && m_queue.size() + m_inHand < fewEntries;
}

bool LogWriter::isAlive(std::chrono::milliseconds timeout)
{
    std::unique_lock lock(m_mutex);
    const std::uint64_t before = m_turns;
    m_queue.nudge();
    return m_turned.wait_for(
        lock, timeout, [this, before] { return m_turns != before || m_isSinkAtWork || m_done; });
}

bool LogWriter::stop(std::chrono::milliseconds timeout)
{
    m_queue.close();
    std::unique_lock lock(m_mutex);
    return m_turned.wait_for(lock, timeout, [this] { return m_done; });
}

void LogWriter::run()
{
    pthread_setname_np(pthread_self(), "log"); // as ps(1) and top(1) show it
    std::list<LogEntry> batch;
    while (m_queue.take(batch, takenTogether, nextLook())) {
        begin(batch.size());
        for (const LogEntry &entry : batch)
            write(entry.record, {.listener = entry.listener, .ticket = entry.ticket});
        batch.clear(); // payloads need not stay in memory until the next entry comes
        reportLost();
        settle();
        reportVerifiability();
    }
    m_nextReport = {};
    reportLost(); // losses since the last batch, or of a sink that may have recovered
    for (settle(); !m_unsettled.empty(); settle())
        std::this_thread::sleep_for(m_pause);
    {
        const std::lock_guard lock(m_mutex);
        m_done = true;
    }
    m_turned.notify_all();
}

void LogWriter::begin(std::size_t taken)
{
    if (m_inHand == 0)
        m_progress = Clock::now();
    m_inHand += taken;
    {
        const std::lock_guard lock(m_mutex);
        ++m_turns;
    }
    m_turned.notify_all();
}

std::optional<LogWriter::Clock::time_point> LogWriter::nextLook() const
{
    if (!m_unsettled.empty())
        return Clock::now() + m_pause;
    std::optional<Clock::time_point> next;
    if (m_lost.total() > 0)
        next = m_nextReport;
    if (!m_obstacle.empty())
        next = std::min(next.value_or(Clock::time_point::max()), Clock::now() + obstaclePause);
    return next;
}

void LogWriter::write(const LogRecord &record, const Unsettled &unsettled)
{
    {
        const auto marked = atWork();
        m_sink->write(record);
    }
    m_unsettled.push_back(unsettled);
    m_pause = firstPause;
}

void LogWriter::settle()
{
    m_fates.clear();
    {
        const auto marked = atWork();
        m_sink->settle(m_fates);
    }
    if (!m_fates.empty())
        m_progress = Clock::now();
    for (const Fate fate : m_fates) {
        conclude(m_unsettled.front(), fate);
        m_unsettled.pop_front();
    }
    for (AcceptanceListener *listener : m_listeners)
        listener->batchEnded();
    m_listeners.clear();
    m_pause = m_fates.empty() ? std::min<Clock::duration>(m_pause * 3 / 2, longestPause)
                              : Clock::duration(firstPause);
}

void LogWriter::conclude(const Unsettled &entry, Fate fate)
{
    --m_inHand;
    switch (fate) {
    case Fate::Kept:
        ++m_keptInAll;
        m_losingSince = Clock::time_point();
        break;
    case Fate::Lost:
        countLost(entry);
        break;
    case Fate::Unverified: // a report too: it may be in the log, so it is not repeated
        ++m_unverifiedInAll;
        break;
    }
    if (entry.listener == nullptr)
        return;
    entry.listener->settled(entry.ticket, fate == Fate::Kept);
    if (std::find(m_listeners.begin(), m_listeners.end(), entry.listener) == m_listeners.end())
        m_listeners.push_back(entry.listener);
}

void LogWriter::countLost(const Unsettled &entry)
{
    if (entry.reported.total() > 0) {
        m_lost += entry.reported;
    } else {
        ++m_lost.refused;
        ++m_refusedInAll;
    }
    if (m_losingSince.load() == Clock::time_point())
        m_losingSince = Clock::now();
    const std::lock_guard lock(m_mutex);
    m_lossReason = m_sink->lossReason();
}

void LogWriter::reportLost()
{
    m_lost.crowdedOut += m_queue.takeDropped();
    const Clock::time_point now = Clock::now();
    if (m_lost.total() == 0 || now < m_nextReport)
        return;
    m_nextReport = now + m_reportInterval;
    writeReport(m_reports.dropped(m_lost), {.reported = m_lost});
    m_lost = {};
}

/// Reports that an obstacle has come or gone.
void LogWriter::reportVerifiability()
{
    const std::string obstacle = m_sink->obstacle();
    if (obstacle == m_obstacle)
        return;
    const bool wasThere = !m_obstacle.empty();
    {
        const std::lock_guard lock(m_mutex);
        m_obstacle = obstacle;
    }
    if (wasThere && !obstacle.empty())
        return; // another obstacle in place of the first
    const Clock::time_point now = Clock::now();
    Verifiability report{obstacle, {}, 0};
    if (wasThere) {
        report.lasted =
            std::chrono::duration_cast<std::chrono::milliseconds>(now - m_obstacleBegan);
        report.unverified =
            m_unverifiedInAll - std::exchange(m_unverifiedReported, m_unverifiedInAll);
    } else {
        m_obstacleBegan = now;
    }
    writeReport(m_reports.verifiability(report), {});
}

void LogWriter::writeReport(const LogRecord &record, const Unsettled &unsettled)
{
    if (m_inHand++ == 0)
        m_progress = Clock::now();
    write(record, unsettled);
}

} // namespace dtlsd
