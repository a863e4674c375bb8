// SPDX-License-Identifier: Apache-2.0
//
// TimeSource: the clocks that all of dtls/ reads, so that a test can set them.
#pragma once

#include <chrono>
#include <functional>

namespace dtlsd {

struct TimeSource
{
    using Clock = std::chrono::steady_clock;
    using WallClock = std::chrono::system_clock;

    /// For intervals and deadlines.
    std::function<Clock::time_point()> now = &Clock::now;
    /// For times that several machines must agree on: the period of a cookie's secret.
    std::function<WallClock::time_point()> wallTime = &WallClock::now;
    /// For what work has cost, between two looks at the sockets.
    std::function<Clock::time_point()> work = &Clock::now;
};

} // namespace dtlsd
