// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace dtlsd {

/// A counter that tells when to report: at the first count, then at most once a minute.
class ReportedCount
{
public:
    using Clock = std::chrono::steady_clock;

    /// Counts one more. Returns the unreported count if a report is due.
    [[nodiscard]] std::optional<std::uint64_t> note(Clock::time_point now)
    {
        ++m_total;
        if (m_lastReport && now - *m_lastReport < std::chrono::minutes{1})
            return std::nullopt;
        m_lastReport = now;
        return m_total - std::exchange(m_reported, m_total);
    }
    [[nodiscard]] std::uint64_t total() const { return m_total; }
    [[nodiscard]] std::uint64_t unreported() const { return m_total - m_reported; }

private:
    std::uint64_t m_total = 0;
    std::uint64_t m_reported = 0;
    std::optional<Clock::time_point> m_lastReport;
};

} // namespace dtlsd
