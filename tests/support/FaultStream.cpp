// SPDX-License-Identifier: Apache-2.0
#include "support/FaultStream.h"

#include <algorithm>
#include <array>

namespace dtlsd::test {

namespace {

double draw(std::mt19937_64 &engine)
{
    return std::generate_canonical<double, 53>(engine);
}

} // namespace

QString nameOf(Fault fault)
{
    constexpr std::array names{"passed on", "dropped", "delayed", "overtaken", "doubled", "cut"};
    return QString::fromLatin1(names.at(static_cast<std::size_t>(fault)));
}

FaultStream::FaultStream(FaultPlan plan, std::uint64_t seed)
    : m_plan(std::move(plan))
    , m_seed(seed)
{
}

std::mt19937_64 &FaultStream::engineFor(const Sighting &sighting)
{
    const auto key = std::pair(sighting.direction, sighting.flight);
    auto engine = m_engines.find(key);
    if (engine == m_engines.end()) {
        std::seed_seq words{static_cast<std::uint32_t>(m_seed),
                            static_cast<std::uint32_t>(m_seed >> 32),
                            static_cast<std::uint32_t>(sighting.direction),
                            static_cast<std::uint32_t>(sighting.flight)};
        engine = m_engines.emplace(key, std::mt19937_64(words)).first;
    }
    return engine->second;
}

Fault FaultStream::faultByChance(const FaultRates &rates, double chance) const
{
    const std::array<std::pair<Fault, double>, 5> bands{{{Fault::Drop, rates.drop},
                                                         {Fault::Delay, rates.delay},
                                                         {Fault::Reorder, rates.reorder},
                                                         {Fault::Duplicate, rates.duplicate},
                                                         {Fault::Truncate, rates.truncate}}};
    for (const auto &[fault, rate] : bands) {
        if (chance < rate)
            return fault;
        chance -= rate;
    }
    return Fault::None;
}

Decision FaultStream::decide(const Sighting &sighting)
{
    // Always the same number of draws, so that a rule does not change later draws.
    std::mt19937_64 &engine = engineFor(sighting);
    const double chance = draw(engine);
    const double hold = draw(engine);
    const double kept = draw(engine);

    const auto rule = std::find_if(m_plan.rules.begin(), m_plan.rules.end(),
                                   [&](const FaultRule &one) { return one.matches(sighting); });
    if (rule != m_plan.rules.end())
        return {rule->fault, m_plan.longestDelay, 0.5};
    const bool toServer = sighting.direction == Direction::ToServer;
    const double delay = hold * static_cast<double>(m_plan.longestDelay.count());
    return {faultByChance(toServer ? m_plan.toServer : m_plan.toClient, chance),
            std::chrono::milliseconds(static_cast<std::int64_t>(delay)), kept};
}

} // namespace dtlsd::test
