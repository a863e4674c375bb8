// SPDX-License-Identifier: Apache-2.0
//
// The modes of dtls-bench: each opens its sessions with the target, does what it is named after,
// closes them, and says what it found. They fail when sessions do not open.
#pragma once

#include "bench/dtls-bench/Figures.h"
#include "bench/dtls-bench/Plan.h"
#include "bench/load/LoadFleet.h"
#include "bench/load/Statistics.h"
#include "core/Result.h"

#include <memory>

namespace dtlsd::bench {

Result<Figures> measureEcho(const Plan &plan, const Target &target);
Result<Figures> measureChurn(const Plan &plan, const Target &target);
Result<Figures> measureRamp(const Plan &plan, const Target &target);
Result<Figures> measureBlast(const Plan &plan, const Target &target);
Result<Figures> measureStorm(const Plan &plan, const Target &target);

/// The one that @p plan names.
Result<Figures> measure(const Plan &plan, const Target &target);

/// Opens a session and closes it. Fails when there is none within @p patience.
Result<> reach(const Plan &plan, const SocketAddress &server, std::chrono::nanoseconds patience);

// What they have in common.

Result<std::unique_ptr<LoadFleet>> makeFleet(const Plan &plan, const SocketAddress &server,
                                             std::size_t clients, bool sharesSockets = true);
/// All sessions are open then.
Result<std::unique_ptr<LoadFleet>> openFleet(const Plan &plan, const SocketAddress &server,
                                             std::size_t clients);
void closeFleet(LoadFleet &fleet);

/// p50, p90, p99, p99.9 and the longest.
void addPercentiles(Figures &figures, const Latencies &latencies);
void addLoss(Figures &figures, std::size_t lost, std::size_t sent);

} // namespace dtlsd::bench
