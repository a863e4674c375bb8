// SPDX-License-Identifier: Apache-2.0
#include "log/LogQueue.h"

#include <utility>

namespace dtlsd {

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
    if (m_sources.empty())
        return true;
    if (source == 0)
        return m_waiting.hasRoom(bytes, m_capacity);
    const auto own = m_sources.find(source);
    const bool isNew = own == m_sources.end();
    return FairShare::takes(bytes, isNew ? FairShare{} : own->second.waiting,
                            m_sources.size() + (isNew ? 1 : 0), m_waiting, m_capacity);
}

bool LogQueue::push(LogEntry entry)
{
    const std::size_t bytes = sizeInBytes(entry.record);
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
        wasEmpty = m_sources.empty();
        const auto [own, isNew] = m_sources.try_emplace(source);
        if (isNew)
            m_turns.push_back(&*own);
        own->second.entries.splice(own->second.entries.end(), pushed);
        own->second.waiting.add(bytes);
        m_waiting.add(bytes);
    }
    if (wasEmpty) // the log thread waits for nothing else
        m_filled.notify_one();
    return true;
}

bool LogQueue::take(std::list<LogEntry> &batch, std::size_t most, Deadline deadline)
{
    batch.clear(); // not under the lock: it frees memory
    std::unique_lock lock(m_mutex);
    const auto isWorthWaking = [this] { return m_closed || m_nudged || !m_sources.empty(); };
    if (deadline)
        m_filled.wait_until(lock, *deadline, isWorthWaking);
    else
        m_filled.wait(lock, isWorthWaking);
    m_nudged = false;
    while (batch.size() < most && !m_turns.empty())
        takeNext(batch);
    return !m_closed || !batch.empty();
}

void LogQueue::takeNext(std::list<LogEntry> &batch)
{
    Sources::value_type *const next = m_turns.front();
    m_turns.pop_front();
    Source &source = next->second;
    const std::size_t bytes = sizeInBytes(source.entries.front().record);
    batch.splice(batch.end(), source.entries, source.entries.begin());
    source.waiting.remove(bytes);
    m_waiting.remove(bytes);
    if (source.entries.empty())
        m_sources.erase(m_sources.find(next->first));
    else
        m_turns.push_back(next);
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
    return m_sources.empty() || m_waiting.hasRoom(0, m_capacity, 2);
}

std::size_t LogQueue::size() const
{
    const std::lock_guard lock(m_mutex);
    return m_waiting.entries;
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
