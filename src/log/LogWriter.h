// SPDX-License-Identifier: Apache-2.0
//
// LogWriter: the log thread. It moves entries from a LogQueue to a Sink, tells listeners what was
// accepted, and says how many entries were lost once the sink takes entries again.
//
// It goes batch by batch, a batch being all that has come in while the last one was written:
//
//   take ──► write, settled() for each entry ──► batchEnded() for each listener ──► report
//
// An entry can be lost in two places: the queue refuses it, or the sink does. Both are counted
// until a report has been accepted by the sink, so that each loss is reported once.
#pragma once

#include "log/LogQueue.h"
#include "log/Sink.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace dtlsd {

class LogWriter
{
public:
    /// Makes the `entries-dropped` record for a number of lost entries.
    using DroppedRecord = std::function<LogRecord(std::uint64_t count)>;

    /// Starts the thread.
    LogWriter(std::unique_ptr<Sink> sink, std::size_t capacity, DroppedRecord droppedRecord);
    LogWriter(const LogWriter &) = delete;
    LogWriter &operator=(const LogWriter &) = delete;
    /// Waits for the thread, however long its sink takes; call stop() first to bound that. No
    /// other thread may be in push().
    ~LogWriter();

    [[nodiscard]] bool push(LogEntry entry) { return m_queue.push(std::move(entry)); }

    /// Refuses new entries, writes what is queued, and ends the thread. false: the sink has not
    /// taken everything within @p timeout (steady clock); the thread is still in it. May be called
    /// again. What is pushed after this is in the last report or, later still, in none.
    [[nodiscard]] bool stop(std::chrono::milliseconds timeout);

private:
    void run();
    void writeBatch(const std::vector<LogEntry> &batch);
    void reportLost();

    LogQueue m_queue;
    std::unique_ptr<Sink> m_sink;  // log thread
    DroppedRecord m_droppedRecord; // log thread
    std::uint64_t m_lost = 0;      // log thread: not yet reported
    std::mutex m_mutex;
    std::condition_variable m_ended;
    bool m_done = false; // guarded by m_mutex
    std::thread m_thread;
};

} // namespace dtlsd
