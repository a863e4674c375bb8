// SPDX-License-Identifier: Apache-2.0
//
// LogState: what the log thread tells other threads about itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace dtlsd {

struct LogState
{
    std::size_t waiting = 0; ///< entries whose fate is not known yet
    std::uint64_t kept = 0;
    std::uint64_t lost = 0;
    std::uint64_t unverified = 0;        ///< may be kept, but could not be read back
    std::chrono::milliseconds stalled{}; ///< how long the sink has settled none of its entries
    std::chrono::milliseconds losing{};  ///< how long it has lost entries and kept none
    std::string lossReason;              ///< while it is losing entries
    std::string obstacle;                ///< Sink::obstacle()
};

/// Lost entries, by cause.
struct Losses
{
    std::uint64_t crowdedOut = 0; ///< found no room in the queue
    std::uint64_t refused = 0;    ///< by the sink

    [[nodiscard]] std::uint64_t total() const { return crowdedOut + refused; }
    Losses &operator+=(const Losses &other)
    {
        crowdedOut += other.crowdedOut;
        refused += other.refused;
        return *this;
    }
};

/// A change: entries cannot be read back any more, or can again.
struct Verifiability
{
    std::string obstacle;               ///< empty: they can
    std::chrono::milliseconds lasted{}; ///< how long a past obstacle lasted
    std::uint64_t unverified = 0;       ///< entries whose fate stays unknown because of it
};

} // namespace dtlsd
