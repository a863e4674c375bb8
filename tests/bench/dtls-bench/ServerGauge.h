// SPDX-License-Identifier: Apache-2.0
//
// ServerGauge: the processor time and the memory of the server, beside the processor time of this
// process. Of a server that is not known it says nothing.
#pragma once

#include "bench/dtls-bench/Figures.h"
#include "bench/dtls-bench/Plan.h"
#include "bench/load/CpuClock.h"

#include <chrono>
#include <optional>

namespace dtlsd::bench {

class ServerGauge
{
public:
    /// Its clocks run from here.
    explicit ServerGauge(const Target &target);

    /// Processor time of the server, and of this process, for each of @p count things.
    void addCpu(Figures &figures, std::size_t count, QLatin1StringView title) const;
    /// Of the server, in hundredths of the time that has passed since.
    void addLoad(Figures &figures) const;
    /// What is resident.
    void addMemory(Figures &figures) const;

    /// Bytes that are resident; nullopt: it is not known or gone.
    [[nodiscard]] std::optional<double> memory() const;

private:
    const std::optional<pid_t> m_processId;
    const std::optional<CpuClock> m_server;
    const CpuClock m_own;
    const std::chrono::steady_clock::time_point m_begin;
};

} // namespace dtlsd::bench
