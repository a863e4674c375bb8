// SPDX-License-Identifier: Apache-2.0
//
// The modes of dtls-bench: each opens its sessions, runs its load, closes them, and returns figures
// with the names of tests/bench/README.md. They fail if sessions do not open.
#pragma once

#include "bench/dtls-bench/Plan.h"
#include "bench/load/CpuClock.h"
#include "bench/load/LoadFleet.h"
#include "bench/load/Statistics.h"
#include "core/Result.h"

#include <QJsonObject>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

namespace dtlsd::bench {

Result<QJsonObject> measureEcho(const Plan &plan);
Result<QJsonObject> measureChurn(const Plan &plan);
Result<QJsonObject> measureRamp(const Plan &plan);
Result<QJsonObject> measureStorm(const Plan &plan);
Result<QJsonObject> measureHold(const Plan &plan);
/// Without DTLS, and so without reach().
Result<QJsonObject> measurePlain(const Plan &plan);

/// Opens a session and closes it, repeatedly until that succeeds. Fails if it takes too long.
Result<> reach(const Plan &plan);

// Shared by the modes:

inline constexpr std::chrono::seconds lostAfter{1};
inline constexpr std::chrono::milliseconds longestWait{50}; // between looks at what is due
inline constexpr std::chrono::milliseconds attempt{200};
inline constexpr std::size_t stepSize = 64;

Result<std::unique_ptr<LoadFleet>> makeFleet(const Plan &plan, std::size_t clients,
                                             bool sharesSockets = true);
/// Returns a fleet whose sessions are all open.
Result<std::unique_ptr<LoadFleet>> openFleet(const Plan &plan, std::size_t clients);
void closeFleet(LoadFleet &fleet);
/// The load of measureEcho(), with a fleet that is open, and its figures.
QJsonObject echo(LoadFleet &fleet, const Plan &plan);

/// Processor time since its construction.
struct Clocks
{
    explicit Clocks(const Plan &plan);

    CpuClock server;
    std::optional<CpuClock> service; ///< if the plan has one
    CpuClock own;                    ///< of this process
};

/// Adds the processor time per item, for @p count items, in microseconds.
void addCpu(QJsonObject &figures, const Clocks &clocks, std::size_t count);
/// The server's resident memory in bytes; 0: it is gone.
double memory(const Plan &plan);
/// Waits for work of the server after its handshakes.
void settle();
/// The server's processor time while its sessions are idle, in percent of one processor.
void addIdleCpu(QJsonObject &figures, const Plan &plan);
/// Adds memory() in units of 1000 bytes.
void addMemory(QJsonObject &figures, const Plan &plan);
/// p50, p90, p99, p99.9 and the longest, in microseconds.
void addPercentiles(QJsonObject &figures, const Latencies &latencies);
/// Adds @p lost as a percentage of @p sent.
void addLoss(QJsonObject &figures, std::size_t lost, std::size_t sent);

} // namespace dtlsd::bench
