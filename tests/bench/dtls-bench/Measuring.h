// SPDX-License-Identifier: Apache-2.0
//
// The modes of dtls-bench: each opens its sessions, does what it is named after, closes them, and
// says what it found, by the names of tests/bench/README.md. They fail when sessions do not open.
#pragma once

#include "bench/dtls-bench/Plan.h"
#include "bench/load/CpuClock.h"
#include "bench/load/LoadFleet.h"
#include "bench/load/Statistics.h"
#include "core/Result.h"

#include <QJsonObject>

#include <memory>

namespace dtlsd::bench {

Result<QJsonObject> measureEcho(const Plan &plan);
Result<QJsonObject> measureChurn(const Plan &plan);
Result<QJsonObject> measureRamp(const Plan &plan);
Result<QJsonObject> measureStorm(const Plan &plan);

/// Opens a session and closes it, again and again until it works. Fails when that takes too long.
Result<> reach(const Plan &plan);

// What they have in common.

Result<std::unique_ptr<LoadFleet>> makeFleet(const Plan &plan, std::size_t clients,
                                             bool sharesSockets = true);
/// All sessions are open then.
Result<std::unique_ptr<LoadFleet>> openFleet(const Plan &plan, std::size_t clients);
void closeFleet(LoadFleet &fleet);

/// Processor time from where it is made.
struct Clocks
{
    explicit Clocks(const Plan &plan);

    CpuClock server;
    CpuClock own; ///< of this process
};

/// For each of @p count things, in microseconds.
void addCpu(QJsonObject &figures, const Clocks &clocks, std::size_t count);
/// Bytes of the server that are resident; 0: it is gone.
double memory(const Plan &plan);
/// The same in units of 1000 bytes.
void addMemory(QJsonObject &figures, const Plan &plan);
/// p50, p90, p99, p99.9 and the longest, in microseconds.
void addPercentiles(QJsonObject &figures, const Latencies &latencies);
/// In hundredths of what was sent.
void addLoss(QJsonObject &figures, std::size_t lost, std::size_t sent);

} // namespace dtlsd::bench
