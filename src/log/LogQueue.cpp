// SPDX-License-Identifier: Apache-2.0
#include "log/LogQueue.h"

#include <utility>

namespace dtlsd {

std::size_t LogEntry::cost() const
{
    qsizetype bytes = record.message.size();
    for (const LogField &field : record.fields)
        bytes += field.value.size();
    return static_cast<std::size_t>(bytes);
}

LogQueue::LogQueue(std::size_t capacity, std::size_t maximumBytes)
    : m_queue({capacity, maximumBytes})
{
}

bool LogQueue::accepts(std::size_t source, std::size_t bytes) const
{
    if (m_closed || m_queue.isEmpty())
        return !m_closed;
    return source == 0 ? m_queue.hasRoom(bytes) : m_queue.takes(source, bytes);
}

bool LogQueue::push(LogEntry entry)
{
    const std::size_t bytes = entry.cost();
    const std::size_t source = entry.source;
    std::list<LogEntry> pushed; // memory is allocated and freed outside the lock
    pushed.push_back(std::move(entry));
    bool wasEmpty = false;
    {
        const std::lock_guard lock(m_mutex);
        if (!accepts(source, bytes)) {
            ++m_dropped;
            return false;
        }
        wasEmpty = m_queue.isEmpty();
        m_queue.add(source, pushed);
    }
    if (wasEmpty) // the log thread waits for nothing else
        m_filled.notify_one();
    return true;
}

bool LogQueue::take(std::list<LogEntry> &batch, std::size_t most, Deadline deadline)
{
    batch.clear(); // not under the lock: it frees memory
    std::unique_lock lock(m_mutex);
    const auto isWorthWaking = [this] { return m_closed || m_nudged || !m_queue.isEmpty(); };
    if (deadline)
        m_filled.wait_until(lock, *deadline, isWorthWaking);
    else
        m_filled.wait(lock, isWorthWaking);
    m_nudged = false;
    while (batch.size() < most && !m_queue.isEmpty())
        batch.splice(batch.end(), m_queue.take());
    return !m_closed || !batch.empty();
}

void LogQueue::nudge()
{
    {
        const std::lock_guard lock(m_mutex);
        m_nudged = true;
    }
    m_filled.notify_one();
}

bool LogQueue::hasAmpleRoom() const
{
    const std::lock_guard lock(m_mutex);
    return m_queue.isEmpty() || m_queue.hasRoom(0, 2);
}

std::size_t LogQueue::size() const
{
    const std::lock_guard lock(m_mutex);
    return m_queue.size();
}

void LogQueue::close()
{
    {
        const std::lock_guard lock(m_mutex);
        m_closed = true;
    }
    m_filled.notify_one();
}

std::uint64_t LogQueue::dropped() const
{
    const std::lock_guard lock(m_mutex);
    return m_dropped;
}

std::uint64_t LogQueue::takeDropped()
{
    const std::lock_guard lock(m_mutex);
    return m_dropped - std::exchange(m_droppedTaken, m_dropped);
}

} // namespace dtlsd
