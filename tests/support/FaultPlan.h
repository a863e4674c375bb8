// SPDX-License-Identifier: Apache-2.0
//
// What a Relay is to do to the datagrams of its clients: by rule, else by chance. Plain values.
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
    std::optional<Flight> flight = {};       ///< nothing: any
    std::optional<Direction> direction = {}; ///< nothing: either
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

/// Of datagrams, each in 0 to 1; one datagram has one fault at most.
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
    FaultRates toServer = {};          ///< for what no rule matches
    FaultRates toClient = {};
    /// Chance delays by anything up to this, a rule by exactly this.
    std::chrono::milliseconds longestDelay{1500};
    bool splitRecords = false; ///< each record in a datagram of its own, as behind a small MTU
    std::uint64_t seed = 1;    ///< of the first client; the next has seed + 1, and so on
};

} // namespace dtlsd::test
