// SPDX-License-Identifier: Apache-2.0
//
// CpuClock: the processor time of all threads of a process, from clock_gettime(2): in nanoseconds,
// while /proc/PID/stat counts in hundredths of a second.
#pragma once

#include <chrono>

#include <sys/types.h>
#include <time.h>

namespace dtlsd::bench {

class CpuClock
{
public:
    /// Starts the clock.
    explicit CpuClock(pid_t processId)
        : m_processId(processId)
        , m_begin(used())
    {
    }

    /// Whether there is such a process.
    [[nodiscard]] static bool isThere(pid_t processId)
    {
        clockid_t clock{};
        return clock_getcpuclockid(processId, &clock) == 0;
    }

    [[nodiscard]] std::chrono::nanoseconds elapsed() const { return used() - m_begin; }

private:
    /// 0 if the process is gone.
    [[nodiscard]] std::chrono::nanoseconds used() const
    {
        clockid_t clock{};
        timespec time{};
        if (clock_getcpuclockid(m_processId, &clock) != 0 || clock_gettime(clock, &time) != 0)
            return {};
        return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    }

    pid_t m_processId;
    std::chrono::nanoseconds m_begin;
};

} // namespace dtlsd::bench
