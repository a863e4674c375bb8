// SPDX-License-Identifier: Apache-2.0
//
// TimeSource: the clocks that all of dtls/ reads, so that a test can set them.
#pragma once

#include <chrono>
#include <functional>

#include <time.h>

namespace dtlsd {

struct TimeSource
{
    [[nodiscard]] static std::chrono::microseconds sinceBoot()
    {
        timespec now = {};
        static_cast<void>(clock_gettime(CLOCK_BOOTTIME, &now)); // fails only for unknown clocks
        return std::chrono::seconds(now.tv_sec) + std::chrono::microseconds(now.tv_nsec / 1000);
    }

    using Clock = std::chrono::steady_clock;
    using WallClock = std::chrono::system_clock;

    /// For intervals and deadlines.
    std::function<Clock::time_point()> now = &Clock::now;
    /// For times that several machines must agree on: the period of a cookie's secret.
    std::function<WallClock::time_point()> wallTime = &WallClock::now;
    /// For what work has cost, between two looks at the sockets.
    std::function<Clock::time_point()> work = &Clock::now;
    /// For times that a next process must understand: CLOCK_BOOTTIME.
    std::function<std::chrono::microseconds()> bootTime = &sinceBoot;
};

} // namespace dtlsd
