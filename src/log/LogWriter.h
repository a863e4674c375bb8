// SPDX-License-Identifier: Apache-2.0
//
// LogWriter: the log thread. It moves entries from a LogQueue to a Sink, tells listeners what was
// accepted, and says how many entries were lost once the sink takes entries again.
//
//   take ──► write each ──► settle: settled() for each entry whose fate the sink knows by now,
//    ▲                              then batchEnded() for each of their listeners
//    └──────── until entries come, or it is time to ask the sink again ──────────┘
//
// An entry can be lost in two places: the queue refuses it, or the sink does. Both are counted
// until a report has been accepted by the sink, so that each loss is reported once. A sink that
// cannot tell for a time is reported when that begins and when it ends.
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
    /// The records in which the log tells of itself; called in its thread.
    struct Reports
    {
        std::function<LogRecord(const Losses &)> dropped;
        std::function<LogRecord(const Verifiability &)> verifiability;
    };

    /// Starts the thread. Losses that go on are reported once every @p reportInterval.
    LogWriter(std::unique_ptr<Sink> sink, std::size_t capacity, Reports reports,
              std::chrono::milliseconds reportInterval = std::chrono::seconds(1));
    /// Waits for the thread, however long its sink takes; call stop() first to bound that. No
    /// other thread may be in push().
    ~LogWriter();

    [[nodiscard]] bool push(LogEntry entry) { return m_queue.push(std::move(entry)); }

    // From any thread:
    [[nodiscard]] LogState state() const;
    /// Whether few entries wait: the queue is at most half full, and another entry would be
    /// written within a hundredth of a second. For those who can produce entries more slowly.
    [[nodiscard]] bool keepsUp() const;

    /// Whether the log thread shows life within @p timeout; also true while its sink is at work,
    /// however long: that it is stalled is another question. Not after stop().
    [[nodiscard]] bool isAlive(std::chrono::milliseconds timeout);

    /// Refuses new entries, writes what is queued, and ends the thread once all of it is settled.
    /// false: that did not happen within @p timeout (steady clock); the thread is still at it. May
    /// be called again. What is pushed after this is in the last report or, later still, in none.
    [[nodiscard]] bool stop(std::chrono::milliseconds timeout);

    /// How many entries were lost without a report that was accepted; after stop() has succeeded.
    [[nodiscard]] std::uint64_t unreported() const { return m_lost.total(); }

private:
    using Clock = std::chrono::steady_clock;

    /// Written, and its fate not known yet.
    struct Unsettled
    {
        AcceptanceListener *listener = nullptr;
        std::uint64_t ticket = 0;
        Losses reported = {}; ///< by this entry, if it is a report of losses
    };

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
    std::uint64_t m_unverifiedReported = 0; // of those in all

    // For everybody to read:
    std::atomic<std::size_t> m_inHand = 0; // taken from the queue, and not settled
    std::atomic<std::uint64_t> m_keptInAll = 0;
    std::atomic<std::uint64_t> m_refusedInAll = 0; // by the sink, reports apart
    std::atomic<std::uint64_t> m_unverifiedInAll = 0;
    std::atomic<Clock::time_point> m_progress{Clock::time_point()};
    std::atomic<Clock::time_point> m_losingSince{Clock::time_point()}; // 0: it is not
    std::atomic<bool> m_isSinkAtWork = false;

    mutable std::mutex m_mutex; // guards what follows
    std::condition_variable m_turned;
    std::uint64_t m_turns = 0;
    bool m_done = false;
    std::string m_lossReason;
    std::string m_obstacle; // as reported
    std::thread m_thread;
};

} // namespace dtlsd
