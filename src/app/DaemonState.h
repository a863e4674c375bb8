// SPDX-License-Identifier: Apache-2.0
//
// DaemonState: what the daemon is and has done until now, for whoever asks.
#pragma once

#include "app/Worker.h"
#include "core/SocketAddress.h"
#include "log/LogWriter.h"
#include "log/SinkKind.h"

#include <QDateTime>
#include <QList>
#include <QString>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dtlsd {

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
    qsizetype identities = 0;
    std::vector<WorkerState> workers;
    SinkKind sink = SinkKind::Text;
    std::size_t logCapacity = 0; ///< entries
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
    [[nodiscard]] std::uint64_t withheldReceipts() const
    {
        std::uint64_t sum = 0;
        for (const WorkerState &worker : workers)
            sum += worker.withheldReceipts;
        return sum;
    }
};

} // namespace dtlsd
