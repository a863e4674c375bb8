// SPDX-License-Identifier: Apache-2.0
//
// RateLimit: the generic cell rate algorithm (ITU-T I.371): a token bucket that is one number.
// Time is an argument. Any thread may ask.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace dtlsd {

class RateLimit
{
public:
    using Clock = std::chrono::steady_clock;

    /// @p perSecond on average, @p burst at once; a @p perSecond of 0 admits everything.
    RateLimit(std::int64_t perSecond, std::int64_t burst)
        : m_interval(perSecond > 0 ? std::chrono::nanoseconds(std::chrono::seconds(1)) / perSecond
                                   : std::chrono::nanoseconds(0))
        , m_tolerance(m_interval * (burst - 1))
    {
    }

    /// @p now may be behind that of another thread.
    [[nodiscard]] bool admit(Clock::time_point now)
    {
        if (m_interval.count() == 0)
            return true;
        const std::int64_t at = now.time_since_epoch() / std::chrono::nanoseconds(1);
        std::int64_t expected = m_nextArrival.load(std::memory_order_relaxed);
        for (;;) {
            const std::int64_t start = expected > at ? expected : at;
            if (start - at > m_tolerance.count())
                return false;
            if (m_nextArrival.compare_exchange_weak(expected, start + m_interval.count(),
                                                    std::memory_order_relaxed))
                return true;
        }
    }

private:
    const std::chrono::nanoseconds m_interval;
    const std::chrono::nanoseconds m_tolerance;
    std::atomic<std::int64_t> m_nextArrival = INT64_MIN;
};

} // namespace dtlsd
