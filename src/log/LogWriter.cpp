// SPDX-License-Identifier: Apache-2.0
#include "log/LogWriter.h"

#include <algorithm>

#include <pthread.h>

namespace dtlsd {

namespace {

using namespace std::chrono_literals;

// A large batch is settled piece by piece, so that nobody waits for the end of it.
constexpr std::size_t settledTogether = 64;

// Less than an idle journald needs for an entry; then ever longer, for one that is stalled.
constexpr auto firstPause = 50us;
constexpr auto longestPause = 20ms;

} // namespace

class LogWriter::AtWork
{
public:
    explicit AtWork(LogWriter &writer)
        : m_isAtWork(writer.m_isSinkAtWork)
    {
        m_isAtWork = true;
    }
    ~AtWork() { m_isAtWork = false; }
    AtWork(const AtWork &) = delete;
    AtWork &operator=(const AtWork &) = delete;

private:
    std::atomic<bool> &m_isAtWork;
};

LogWriter::LogWriter(std::unique_ptr<Sink> sink, std::size_t capacity, DroppedRecord droppedRecord,
                     std::chrono::milliseconds reportInterval)
    : m_queue(capacity)
    , m_reportInterval(reportInterval)
    , m_sink(std::move(sink))
    , m_droppedRecord(std::move(droppedRecord))
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
    const std::size_t inHand = m_inHand;
    const Clock::duration since = Clock::now() - m_progress.load();
    // What is still in the queue waits for the log thread, not for its sink.
    return {m_queue.size() + inHand, m_keptInAll, m_queue.dropped() + m_refusedInAll,
            inHand > 0 ? std::chrono::duration_cast<std::chrono::milliseconds>(since)
                       : std::chrono::milliseconds::zero()};
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
    pthread_setname_np(pthread_self(), "log"); // for whoever looks at the process
    std::vector<LogEntry> batch;
    while (m_queue.take(batch, nextLook())) {
        begin(batch);
        writeBatch(batch);
        batch.clear(); // payloads do not stay in memory until the next entry comes
        reportLost();
        settle();
    }
    m_nextReport = {};
    reportLost(); // what was refused after the last batch, or by a sink that may be back
    for (settle(); !m_unsettled.empty(); settle())
        std::this_thread::sleep_for(m_pause);
    {
        const std::lock_guard lock(m_mutex);
        m_done = true;
    }
    m_turned.notify_all();
}

void LogWriter::begin(const std::vector<LogEntry> &batch)
{
    if (m_inHand == 0)
        m_progress = Clock::now();
    m_inHand += batch.size();
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
    if (m_lost > 0)
        return m_nextReport;
    return std::nullopt;
}

void LogWriter::writeBatch(const std::vector<LogEntry> &batch)
{
    std::size_t written = 0;
    for (const LogEntry &entry : batch) {
        write(entry.record, {entry.listener, 0});
        if (++written % settledTogether == 0)
            settle();
    }
}

void LogWriter::write(const LogRecord &record, const Unsettled &unsettled)
{
    {
        const AtWork atWork(*this);
        m_sink->write(record);
    }
    m_unsettled.push_back(unsettled);
    m_pause = firstPause;
}

void LogWriter::settle()
{
    m_outcomes.clear();
    {
        const AtWork atWork(*this);
        m_sink->settle(m_outcomes);
    }
    if (!m_outcomes.empty())
        m_progress = Clock::now();
    for (const bool accepted : m_outcomes) {
        conclude(m_unsettled.front(), accepted);
        m_unsettled.pop_front();
    }
    for (AcceptanceListener *listener : m_listeners)
        listener->batchEnded();
    m_listeners.clear();
    m_pause = m_outcomes.empty() ? std::min<Clock::duration>(m_pause * 3 / 2, longestPause)
                                 : Clock::duration(firstPause);
}

void LogWriter::conclude(const Unsettled &entry, bool accepted)
{
    --m_inHand;
    if (accepted) {
        ++m_keptInAll;
    } else if (entry.reported > 0) {
        m_lost += entry.reported;
    } else {
        ++m_lost;
        ++m_refusedInAll;
    }
    if (entry.listener == nullptr)
        return;
    entry.listener->settled(accepted);
    if (std::find(m_listeners.begin(), m_listeners.end(), entry.listener) == m_listeners.end())
        m_listeners.push_back(entry.listener);
}

void LogWriter::reportLost()
{
    m_lost += m_queue.takeDropped();
    const Clock::time_point now = Clock::now();
    if (m_lost == 0 || now < m_nextReport)
        return;
    m_nextReport = now + m_reportInterval;
    ++m_inHand;
    write(m_droppedRecord(m_lost), {nullptr, m_lost});
    m_lost = 0;
}

} // namespace dtlsd
