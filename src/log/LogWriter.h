// SPDX-License-Identifier: Apache-2.0
//
// LogWriter: the log thread. It moves entries from a LogQueue to a Sink, tells listeners which of
// their entries were kept, and reports lost entries once the sink takes entries again.
//
//   take ──► write each ──► settle: settled() for each entry whose fate the sink knows by now,
//    ▲                              then batchEnded() for each of their listeners
//    └──────── until entries come, or it is time to ask the sink again ──────────┘
//
// An entry is lost if the queue or the sink refuses it. Both are counted until the sink has
// accepted a report, so each loss is reported once. A time in which the sink cannot read entries
// back is reported when it begins and when it ends.
#pragma once

#include "log/LogQueue.h"
#include "log/LogState.h"
#include "log/Sink.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dtlsd {

class LogWriter
{
public:
    /// Make the records in which the log reports on itself; called in the log thread.
    struct Reports
    {
        std::function<LogRecord(const Losses &)> dropped;
        std::function<LogRecord(const Verifiability &)> verifiability;
    };

    /// Starts the thread. Continuing losses are reported once every @p reportInterval.
    LogWriter(std::unique_ptr<Sink> sink, std::size_t capacity, Reports reports,
              std::chrono::milliseconds reportInterval = std::chrono::seconds(1));
    /// Joins the thread, however long its sink takes; call stop() first to bound that. No other
    /// thread may be in push().
    ~LogWriter();

    [[nodiscard]] bool push(LogEntry entry) { return m_queue.push(std::move(entry)); }

    // From any thread:
    [[nodiscard]] LogState state() const;
    /// Whether few entries wait: the queue is at most half full, and another entry would be
    /// written within 10 ms. For producers of entries that can slow down.
    [[nodiscard]] bool keepsUp() const;

    /// Whether the log thread responds within @p timeout. Also true while its sink is at work,
    /// however long (see LogState::stalled). Not after stop().
    [[nodiscard]] bool isAlive(std::chrono::milliseconds timeout);

    /// Refuses new entries, writes the queued ones, and ends the thread once all are settled.
    /// false: not within @p timeout (steady clock); the thread goes on. May be called again.
    /// Entries pushed after it count in the last report or, if later still, in none.
    [[nodiscard]] bool stop(std::chrono::milliseconds timeout);

    /// How many entries were lost without an accepted report; valid after stop() has succeeded.
    [[nodiscard]] std::uint64_t unreported() const { return m_lost.total(); }

private:
    using Clock = std::chrono::steady_clock;

    /// An entry that was written and has no fate yet.
    struct Unsettled
    {
        AcceptanceListener *listener = nullptr;
        std::uint64_t ticket = 0;
        Losses reported = {}; ///< by this entry, if it is a report of losses
    };

    /// Sets m_isSinkAtWork while its result exists.
    auto atWork();
    void run();
    void begin(std::size_t taken);
    void write(const LogRecord &record, const Unsettled &unsettled);
    void settle();
    void conclude(const Unsettled &entry, Fate fate);
    void countLost(const Unsettled &entry);
    void reportLost();
    void reportVerifiability();
    void writeReport(const LogRecord &record, const Unsettled &unsettled);
    [[nodiscard]] std::optional<Clock::time_point> nextLook() const;

    LogQueue m_queue;
    const std::chrono::milliseconds m_reportInterval;
    // Of the log thread:
    std::unique_ptr<Sink> m_sink;
    const Reports m_reports;
    std::deque<Unsettled> m_unsettled;
    std::vector<Fate> m_fates;                     // of settle(); kept for its capacity
    std::vector<AcceptanceListener *> m_listeners; // of settle(); as few as there are workers
    Clock::duration m_pause{};                     // before the sink is asked again
    Losses m_lost;                                 // not yet reported
    Clock::time_point m_nextReport;
    Clock::time_point m_obstacleBegan;
    std::uint64_t m_unverifiedReported = 0; // of m_unverifiedInAll

    // Read by any thread:
    std::atomic<std::size_t> m_inHand = 0; // taken from the queue, and not settled
    std::atomic<std::uint64_t> m_keptInAll = 0;
    std::atomic<std::uint64_t> m_refusedInAll = 0; // by the sink, without reports
    std::atomic<std::uint64_t> m_unverifiedInAll = 0;
    std::atomic<Clock::time_point> m_progress{Clock::time_point()};
    std::atomic<Clock::time_point> m_losingSince{Clock::time_point()}; // 0: it is not
    std::atomic<bool> m_isSinkAtWork = false;

    mutable std::mutex m_mutex; // guards m_turns to m_obstacle
    std::condition_variable m_turned;
    std::uint64_t m_turns = 0;
    bool m_done = false;
    std::string m_lossReason;
    std::string m_obstacle; // as reported
    std::thread m_thread;
};

} // namespace dtlsd
