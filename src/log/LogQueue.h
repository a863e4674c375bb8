// SPDX-License-Identifier: Apache-2.0
//
// LogQueue: the bounded way from every thread to the log thread.
#pragma once

#include "core/FairShare.h"
#include "log/LogRecord.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace dtlsd {

/// Who waits to hear what became of an entry. Called in the log thread only, for its entries in
/// the order in which they were pushed.
class AcceptanceListener
{
public:
    AcceptanceListener() = default;
    AcceptanceListener(const AcceptanceListener &) = delete;
    AcceptanceListener &operator=(const AcceptanceListener &) = delete;
    virtual ~AcceptanceListener() = default;

    /// One of its entries was taken by the sink, or was lost.
    virtual void settled(bool accepted) = 0;
    /// The batch in which settled() was called has ended: a good moment to pass the news on.
    virtual void batchEnded() = 0;
};

struct LogEntry
{
    LogRecord record;
    AcceptanceListener *listener = nullptr; ///< outlives the log thread
    std::size_t source = 0; ///< a hash of whom it comes from, for fairness; 0 = from ourselves
};

/// Bounded by entries and by bytes: a device may send 16 KiB in a datagram, and as many of those
/// as there may be short ones would be a way to use up the memory while the journal stalls.
///
/// Its room is a FairShare among the sources that have entries in it. Entries of our own may have
/// all of it.
class LogQueue
{
public:
    static constexpr std::size_t defaultMaximumBytes = std::size_t{64} << 20;

    /// @p capacity in entries, at least 1; @p maximumBytes of messages and fields, but one entry
    /// always fits. What take() has given out counts no longer, so that twice of both may be in
    /// memory.
    explicit LogQueue(std::size_t capacity, std::size_t maximumBytes = defaultMaximumBytes);

    /// false: full or closed; the entry is counted as dropped and its listener hears nothing.
    /// Never blocks for longer than another push.
    [[nodiscard]] bool push(LogEntry entry);

    using Deadline = std::optional<std::chrono::steady_clock::time_point>;

    /// Blocks until there are entries, and moves all of them into @p batch (cleared first), which
    /// is empty if none came before @p deadline or a nudge(). false: closed and empty. For one
    /// thread only.
    [[nodiscard]] bool take(std::vector<LogEntry> &batch, Deadline deadline = {});

    /// Lets a take() that waits return at once, or the next one.
    void nudge();

    /// Whether at least half of its room is left. While it is, it takes entries from any source.
    [[nodiscard]] bool hasAmpleRoom() const;

    /// How many entries wait.
    [[nodiscard]] std::size_t size() const;

    /// push() refuses from now on; take() gives out what is left.
    void close();

    /// How many pushes were refused until now.
    [[nodiscard]] std::uint64_t dropped() const;

    /// How many pushes were refused since this was last asked. Whatever was refused because the
    /// queue was full is in the answer once take() has emptied it.
    [[nodiscard]] std::uint64_t takeDropped();

private:
    [[nodiscard]] bool accepts(std::size_t source, std::size_t bytes) const;

    const FairShare m_capacity;
    mutable std::mutex m_mutex; // guards all that follows
    std::condition_variable m_filled;
    std::vector<LogEntry> m_entries;
    FairShare m_waiting;                                    // in m_entries
    std::unordered_map<std::size_t, FairShare> m_waitingOf; // the same by source
    std::uint64_t m_dropped = 0;
    std::uint64_t m_droppedTaken = 0; // by takeDropped()
    bool m_nudged = false;
    bool m_closed = false;
};

} // namespace dtlsd
