// SPDX-License-Identifier: Apache-2.0
#include "log/LogWriter.h"

#include <algorithm>

namespace dtlsd {

LogWriter::LogWriter(std::unique_ptr<Sink> sink, std::size_t capacity, DroppedRecord droppedRecord)
    : m_queue(capacity)
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
    while (m_queue.take(batch)) {
        writeBatch(batch);
        batch.clear(); // payloads do not stay in memory until the next entry comes
        reportLost();
    }
    reportLost(); // what was refused after the last batch, or by a sink that may be back
    {
        const std::lock_guard lock(m_mutex);
        m_done = true;
    }
    m_ended.notify_all();
}

void LogWriter::writeBatch(const std::vector<LogEntry> &batch)
{
    std::vector<AcceptanceListener *> listeners; // as few as there are workers
    for (const LogEntry &entry : batch) {
        const bool accepted = m_sink->write(entry.record);
        if (!accepted)
            ++m_lost;
        if (entry.listener == nullptr)
            continue;
        entry.listener->settled(accepted);
        if (std::find(listeners.begin(), listeners.end(), entry.listener) == listeners.end())
            listeners.push_back(entry.listener);
    }
    for (AcceptanceListener *listener : listeners)
        listener->batchEnded();
}

void LogWriter::reportLost()
{
    m_lost += m_queue.takeDropped();
    if (m_lost > 0 && m_sink->write(m_droppedRecord(m_lost)))
        m_lost = 0;
}

} // namespace dtlsd
