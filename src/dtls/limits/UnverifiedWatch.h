// SPDX-License-Identifier: Apache-2.0
//
// UnverifiedWatch: counts the traffic of unproved sources, so that the log gets a summary now and
// then, and not a line for each datagram.
#pragma once

#include "dtls/Events.h"
#include "wire/Record.h"

#include <chrono>
#include <cstdint>
#include <optional>

namespace dtlsd {

class UnverifiedWatch
{
public:
    using Clock = std::chrono::steady_clock;

    using Counter = std::uint64_t UnverifiedCounts::*;

    /// One more datagram of that kind, or @p datagrams.
    void note(Counter counter, Clock::time_point now, std::uint64_t datagrams = 1);
    /// A datagram from a peer without a session, by its first record. A sealed alert does not
    /// count: devices answer our close_notify with one.
    void noteStray(const std::optional<Record> &record, Clock::time_point now);
    /// A hello without a valid cookie. Every honest handshake begins with one.
    void noteHello(Clock::time_point now);
    /// A hello with a valid cookie.
    void noteVerified() { ++m_verified; }

    /// When report() is due; Clock::time_point::max() while there is nothing to report.
    [[nodiscard]] Clock::time_point due() const;
    /// Ends the period; returns its counts unless they are harmless.
    std::optional<UnverifiedTraffic> report(Clock::time_point now);

    /// Totals of all periods.
    [[nodiscard]] const UnverifiedCounts &counts() const { return m_counts; }

private:
    void begin(Clock::time_point now);

    UnverifiedCounts m_counts;
    UnverifiedCounts m_reported; // as of the last report
    std::uint64_t m_hellos = 0;
    std::uint64_t m_verified = 0;
    std::optional<Clock::time_point> m_began;
};

} // namespace dtlsd
