// SPDX-License-Identifier: Apache-2.0
#include "log/LogQueue.h"

#include <type_traits>
#include <utility>

namespace dtlsd {

// Otherwise a growing vector copies its entries, under the lock.
static_assert(std::is_nothrow_move_constructible_v<LogEntry>);

namespace {

/// Of what a peer can make large; the rest is bounded by the number of entries.
std::size_t sizeInBytes(const LogRecord &record)
{
    qsizetype bytes = record.message.size();
    for (const LogField &field : record.fields)
        bytes += field.value.size();
    return static_cast<std::size_t>(bytes);
}

} // namespace

LogQueue::LogQueue(std::size_t capacity, std::size_t maximumBytes)
    : m_capacity{capacity, maximumBytes}
{
}

bool LogQueue::accepts(std::size_t source, std::size_t bytes) const
{
    if (m_closed)
        return false;
    if (m_entries.empty())
        return true;
    if (source == 0)
        return m_waiting.hasRoom(bytes, m_capacity);
    const auto own = m_waitingOf.find(source);
    const bool isNew = own == m_waitingOf.end();
    return FairShare::takes(bytes, isNew ? FairShare{} : own->second,
                            m_waitingOf.size() + (isNew ? 1 : 0), m_waiting, m_capacity);
}

bool LogQueue::push(LogEntry entry)
{
    const std::size_t bytes = sizeInBytes(entry.record);
    bool wasEmpty = false;
    {
        const std::lock_guard lock(m_mutex);
        if (!accepts(entry.source, bytes)) {
            ++m_dropped;
            return false;
        }
        wasEmpty = m_entries.empty();
        m_waiting.add(bytes);
        m_waitingOf[entry.source].add(bytes);
        m_entries.push_back(std::move(entry));
    }
    if (wasEmpty) // the log thread waits for nothing else
        m_filled.notify_one();
    return true;
}

bool LogQueue::take(std::vector<LogEntry> &batch, Deadline deadline)
{
    batch.clear(); // not under the lock: it frees memory
    std::unique_lock lock(m_mutex);
    const auto isWorthWaking = [this] { return m_closed || m_nudged || !m_entries.empty(); };
    if (deadline)
        m_filled.wait_until(lock, *deadline, isWorthWaking);
    else
        m_filled.wait(lock, isWorthWaking);
    m_nudged = false;
    m_entries.swap(batch);
    m_waiting = {};
    m_waitingOf.clear();
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
    return m_entries.empty() || m_waiting.hasRoom(0, m_capacity, 2);
}

std::size_t LogQueue::size() const
{
    const std::lock_guard lock(m_mutex);
    return m_entries.size();
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
