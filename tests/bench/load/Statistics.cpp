// SPDX-License-Identifier: Apache-2.0
#include "bench/load/Statistics.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace dtlsd::bench {

Latencies::Latencies(std::vector<std::chrono::nanoseconds> times)
    : m_times(std::move(times))
{
    std::sort(m_times.begin(), m_times.end());
}

std::chrono::nanoseconds Latencies::percentile(double share) const
{
    if (m_times.empty())
        return {};
    const double rank = std::ceil(share * static_cast<double>(m_times.size()));
    return m_times[static_cast<std::size_t>(
        std::clamp(rank - 1, 0.0, static_cast<double>(m_times.size() - 1)))];
}

} // namespace dtlsd::bench
