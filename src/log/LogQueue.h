// SPDX-License-Identifier: Apache-2.0
//
// LogQueue: the bounded way from every thread to the log thread.
#pragma once

#include "core/FairQueue.h"
#include "log/LogRecord.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>

namespace dtlsd {

/// Who waits to hear what became of an entry. Called in the log thread only; the order is the
/// log's.
class AcceptanceListener
{
public:
    AcceptanceListener() = default;
    AcceptanceListener(const AcceptanceListener &) = delete;
    AcceptanceListener &operator=(const AcceptanceListener &) = delete;
    virtual ~AcceptanceListener() = default;

    /// Its entry with that @p ticket was taken by the sink, or was lost.
    virtual void settled(std::uint64_t ticket, bool accepted) = 0;
    /// The batch in which settled() was called has ended: a good moment to pass the news on.
    virtual void batchEnded() = 0;
};

struct LogEntry
{
    LogRecord record;
    AcceptanceListener *listener = nullptr; ///< outlives the log thread
    std::size_t source = 0;   ///< a hash of whom it comes from, for fairness; 0 = from ourselves
    std::uint64_t ticket = 0; ///< by which its listener knows it

    /// Bytes of what a peer can make large; the rest is bounded by the number of entries.
    [[nodiscard]] std::size_t cost() const;
};

/// Bounded by entries and by bytes: a device may send 16 KiB in a datagram, and as many of those
/// as there may be short ones would be a way to use up the memory while the journal stalls.
///
/// It is a FairQueue of the sources; entries of our own may use all of its room.
class LogQueue
{
public:
    static constexpr std::size_t defaultMaximumBytes = std::size_t{64} << 20;

    /// @p capacity in entries, at least 1; @p maximumBytes of messages and fields, but one entry
    /// always fits.
    explicit LogQueue(std::size_t capacity, std::size_t maximumBytes = defaultMaximumBytes);

    /// false: full or closed; the entry is counted as dropped and its listener hears nothing.
    /// Never blocks for longer than another push.
    [[nodiscard]] bool push(LogEntry entry);

    using Deadline = std::optional<std::chrono::steady_clock::time_point>;

    /// Blocks until there are entries, and moves up to @p most of them into @p batch (cleared
    /// first), which is empty if none came before @p deadline or a nudge(). false: closed and
    /// empty. For one thread only.
    [[nodiscard]] bool take(std::list<LogEntry> &batch, std::size_t most, Deadline deadline = {});

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

    /// How many pushes were refused since this was last asked.
    [[nodiscard]] std::uint64_t takeDropped();

private:
    [[nodiscard]] bool accepts(std::size_t source, std::size_t bytes) const;

    mutable std::mutex m_mutex; // guards all that follows
    std::condition_variable m_filled;
    FairQueue<std::size_t, LogEntry> m_queue;
    std::uint64_t m_dropped = 0;
    std::uint64_t m_droppedTaken = 0; // by takeDropped()
    bool m_nudged = false;
    bool m_closed = false;
};

} // namespace dtlsd
