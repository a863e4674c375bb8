// SPDX-License-Identifier: Apache-2.0
//
// Percentiles and units.
#pragma once

#include <chrono>
#include <vector>

namespace dtlsd::bench {

inline double microseconds(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double, std::micro>(time).count();
}

inline double seconds(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double>(time).count();
}

/// @p amount divided by @p count; 0 if @p count is 0.
inline double perEach(double amount, std::size_t count)
{
    return count == 0 ? 0 : amount / static_cast<double>(count);
}

/// Percentiles of durations.
class Latencies
{
public:
    explicit Latencies(std::vector<std::chrono::nanoseconds> times);

    [[nodiscard]] std::size_t count() const { return m_times.size(); }
    /// The time within which a @p share of all (0 to 1) was done, by the nearest rank; 0 if there
    /// are none.
    [[nodiscard]] std::chrono::nanoseconds percentile(double share) const;

private:
    std::vector<std::chrono::nanoseconds> m_times; // shortest first
};

} // namespace dtlsd::bench
