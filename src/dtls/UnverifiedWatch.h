// SPDX-License-Identifier: Apache-2.0
//
// UnverifiedWatch: counts what unproved sources send, so that the log gets a summary now and then
// and never a line for each.
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
    /// A datagram from a peer without a session, by its first record. A late goodbye, as a device
    /// sends it in answer to ours, does not count.
    void noteStray(const std::optional<Record> &record, Clock::time_point now);
    /// A hello without a valid cookie. Every honest handshake begins with one.
    void noteHello(Clock::time_point now);
    /// A hello whose cookie came back.
    void noteVerified() { ++m_verified; }

    /// When report() is next due; the end of time while there is nothing to report.
    [[nodiscard]] Clock::time_point due() const;
    /// Ends the period, and says what was in it unless it was harmless.
    std::optional<UnverifiedTraffic> report(Clock::time_point now);

    /// Since the beginning.
    [[nodiscard]] const UnverifiedCounts &counts() const { return m_counts; }

private:
    void begin(Clock::time_point now);

    UnverifiedCounts m_counts;
    UnverifiedCounts m_reported; // of them
    std::uint64_t m_hellos = 0;
    std::uint64_t m_verified = 0;
    std::optional<Clock::time_point> m_began;
};

} // namespace dtlsd
