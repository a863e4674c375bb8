// SPDX-License-Identifier: Apache-2.0
//
// DaemonState: the present state of the daemon, and its counters since the start.
#pragma once

#include "core/BackendKind.h"
#include "core/KeptSessions.h"
#include "core/SocketAddress.h"
#include "dtls/Events.h"
#include "forward/ServiceEvents.h"
#include "log/LogOptions.h"
#include "log/LogState.h"

#include <QDateTime>
#include <QList>
#include <QString>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dtlsd {

/// The counters and the processor time of a worker.
struct WorkerState
{
    Statistics statistics;
    ForwardStatistics forward;
    std::uint64_t withheldReceipts = 0;
    std::chrono::microseconds cpuTime{};
};

/// A local service that an identity has.
struct ServiceState
{
    SocketAddress target;
    bool isReachable = true;
};

struct ReloadCounts
{
    enum class Outcome { None, Applied, Rejected };

    std::uint64_t applied = 0;
    std::uint64_t rejected = 0;
    Outcome last = Outcome::None;

    void count(Outcome outcome)
    {
        ++(outcome == Outcome::Applied ? applied : rejected);
        last = outcome;
    }
};

struct DaemonState
{
    QDateTime started;
    QString configFile; ///< empty: the embedded defaults
    QList<SocketAddress> addresses;
    BackendKind tlsBackend = BackendKind::Qt;
    ConnectionIdUse connectionIds = ConnectionIdUse::Off;
    KeptSessions kept = {};
    bool isSteered = false; ///< each record with a connection ID comes to its worker at once
    qsizetype identities = 0;
    std::vector<WorkerState> workers;
    std::vector<ServiceState> services = {};
    LogTarget sink = LogTarget::Text; ///< never Auto
    std::size_t logCapacity = 0;      ///< entries
    LogState log;
    ReloadCounts reloads;
    std::int64_t residentMemory = 0; ///< bytes

    /// The sum over the workers.
    [[nodiscard]] Statistics total() const
    {
        Statistics sum;
        for (const WorkerState &worker : workers)
            sum += worker.statistics;
        return sum;
    }
    [[nodiscard]] ForwardStatistics totalForwarded() const
    {
        ForwardStatistics sum;
        for (const WorkerState &worker : workers)
            sum += worker.forward;
        return sum;
    }
    [[nodiscard]] std::uint64_t withheldReceipts() const
    {
        std::uint64_t sum = 0;
        for (const WorkerState &worker : workers)
            sum += worker.withheldReceipts;
        return sum;
    }
};

/// The resident memory of this process in bytes; 0 if /proc does not tell.
[[nodiscard]] std::int64_t residentMemory();

} // namespace dtlsd
