// SPDX-License-Identifier: Apache-2.0
#include "log/LogWriter.h"

#include <algorithm>

namespace dtlsd {

namespace {

using namespace std::chrono_literals;

// A large batch is settled piece by piece, so that nobody waits for the end of it.
constexpr std::size_t settledTogether = 64;

// Less than an idle journald needs for an entry; then ever longer, for one that is stalled.
constexpr auto firstPause = 50us;
constexpr auto longestPause = 20ms;

} // namespace

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

bool LogWriter::stop(std::chrono::milliseconds timeout)
{
    m_queue.close();
    std::unique_lock lock(m_mutex);
    return m_ended.wait_for(lock, timeout, [this] { return m_done; });
}

void LogWriter::run()
{
    std::vector<LogEntry> batch;
    while (m_queue.take(batch, nextLook())) {
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
    m_ended.notify_all();
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
    m_sink->write(record);
    m_unsettled.push_back(unsettled);
    m_pause = firstPause;
}

void LogWriter::settle()
{
    m_outcomes.clear();
    m_sink->settle(m_outcomes);
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
    if (!accepted)
        m_lost += entry.reported > 0 ? entry.reported : 1;
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
    write(m_droppedRecord(m_lost), {nullptr, m_lost});
    m_lost = 0;
}

} // namespace dtlsd
