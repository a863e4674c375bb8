// SPDX-License-Identifier: Apache-2.0
//
// FaultPlan: what a Relay does to the datagrams of its clients: by rule, otherwise by chance.
#pragma once

#include "support/Flight.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace dtlsd::test {

enum class Fault {
    None,
    Drop,
    Delay,
    Reorder, ///< the next datagram of the same direction goes first
    Duplicate,
    Truncate
};

/// `dropped`
QString nameOf(Fault fault);

/// Names a fault for datagrams that fit all of the rest.
struct FaultRule
{
    static constexpr int forEver = std::numeric_limits<int>::max();

    Fault fault = Fault::Drop;
    std::optional<Flight> flight = {};       ///< nullopt: any
    std::optional<Direction> direction = {}; ///< nullopt: both
    int first = 1;                           ///< Sighting::transmission, from this
    int last = 1;                            ///< to this
    bool finishedOnly = false;               ///< only a datagram with the Finished

    [[nodiscard]] bool matches(const Sighting &sighting) const
    {
        return (!flight || *flight == sighting.flight) &&
               (!direction || *direction == sighting.direction) && sighting.transmission >= first &&
               sighting.transmission <= last && (!finishedOnly || sighting.hasFinished);
    }
};

/// Shares of datagrams, each 0 to 1; one datagram has at most one fault.
struct FaultRates
{
    double drop = 0;
    double delay = 0;
    double reorder = 0;
    double duplicate = 0;
    double truncate = 0;
};

struct FaultPlan
{
    std::vector<FaultRule> rules = {}; ///< the first that matches counts
    FaultRates toServer = {};          ///< for datagrams that no rule matches
    FaultRates toClient = {};
    /// A delay by chance is up to this long, a delay by rule exactly this long.
    std::chrono::milliseconds longestDelay{1500};
    bool splitRecords = false; ///< each record in a datagram of its own, as behind a small MTU
    std::uint64_t seed = 1;    ///< of the first client; the next has seed + 1, and so on
};

} // namespace dtlsd::test
