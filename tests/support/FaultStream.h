// SPDX-License-Identifier: Apache-2.0
//
// FaultStream: decides the faults of one client's datagrams from a plan and a seed. The n-th
// datagram of a flight and direction has the same fault in every run, whatever the timing of the
// others.
#pragma once

#include "support/FaultPlan.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <utility>

namespace dtlsd::test {

struct Decision
{
    Fault fault = Fault::None;
    std::chrono::milliseconds hold{}; ///< of a Delay
    double kept = 1;                  ///< the share of a truncated datagram that is kept

    friend bool operator==(const Decision &, const Decision &) = default;
};

class FaultStream
{
public:
    FaultStream(FaultPlan plan, std::uint64_t seed);

    [[nodiscard]] std::uint64_t seed() const { return m_seed; }
    Decision decide(const Sighting &sighting);

private:
    std::mt19937_64 &engineFor(const Sighting &sighting);
    [[nodiscard]] Fault faultByChance(const FaultRates &rates, double chance) const;

    const FaultPlan m_plan;
    const std::uint64_t m_seed;
    std::map<std::pair<Direction, Flight>, std::mt19937_64> m_engines;
};

} // namespace dtlsd::test
