// SPDX-License-Identifier: Apache-2.0
//
// RateLimit: the generic cell rate algorithm (ITU-T I.371): a token bucket held in one number. The
// caller passes the time. Thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace dtlsd {

class RateLimit
{
public:
    using Clock = std::chrono::steady_clock;

    /// @p perSecond on average, @p burst at once; a @p perSecond of 0 admits everything.
    RateLimit(std::int64_t perSecond, std::int64_t burst) { set(perSecond, burst); }

    /// Changes the rate. A concurrent admit() may use parts of both.
    void set(std::int64_t perSecond, std::int64_t burst)
    {
        const std::int64_t interval = perSecond > 0 ? nanosecondsPerSecond / perSecond : 0;
        m_tolerance.store(interval * (burst - 1), std::memory_order_relaxed);
        m_interval.store(interval, std::memory_order_relaxed);
    }

    /// @p now may be earlier than that of another thread.
    [[nodiscard]] bool admit(Clock::time_point now)
    {
        const std::int64_t interval = m_interval.load(std::memory_order_relaxed);
        if (interval == 0)
            return true;
        const std::int64_t at = now.time_since_epoch() / std::chrono::nanoseconds(1);
        std::int64_t expected = m_nextArrival.load(std::memory_order_relaxed);
        for (;;) {
            const std::int64_t start = expected > at ? expected : at;
            if (start - at > m_tolerance.load(std::memory_order_relaxed))
                return false;
            if (m_nextArrival.compare_exchange_weak(expected, start + interval,
                                                    std::memory_order_relaxed))
                return true;
        }
    }

    /// Takes back an admit() that returned true.
    void giveBack()
    {
        m_nextArrival.fetch_sub(m_interval.load(std::memory_order_relaxed),
                                std::memory_order_relaxed);
    }

    /// When admit() next returns true, unless another call comes first.
    [[nodiscard]] Clock::time_point due() const
    {
        const std::chrono::nanoseconds arrival(m_nextArrival.load(std::memory_order_relaxed));
        const std::chrono::nanoseconds tolerance(m_tolerance.load(std::memory_order_relaxed));
        return Clock::time_point(std::max(arrival, tolerance) - tolerance);
    }

private:
    static constexpr std::int64_t nanosecondsPerSecond = 1'000'000'000;

    std::atomic<std::int64_t> m_interval = 0;  // nanoseconds
    std::atomic<std::int64_t> m_tolerance = 0; // nanoseconds
    std::atomic<std::int64_t> m_nextArrival = INT64_MIN;
};

/// Limits for any number of keys, by a hash of the key. Keys with one limit share its rate; with a
/// secret seed nobody can choose them.
template <std::size_t count, std::int64_t perSecond, std::int64_t burst>
class HashedRateLimits
{
public:
    [[nodiscard]] bool admit(std::size_t hash, RateLimit::Clock::time_point now)
    {
        return m_limits[hash % count].admit(now);
    }
    /// Takes back an admit() that returned true.
    void giveBack(std::size_t hash) { m_limits[hash % count].giveBack(); }

private:
    struct Limit : RateLimit
    {
        Limit()
            : RateLimit(perSecond, burst)
        {
        }
    };

    std::array<Limit, count> m_limits;
};

} // namespace dtlsd
