// SPDX-License-Identifier: Apache-2.0
#include "dtls/limits/UnverifiedWatch.h"

#include <utility>

namespace dtlsd {

namespace {

constexpr std::chrono::seconds period{10};
// Hellos without an answer in an honest fleet: cut off by a period's end, or lost.
constexpr std::uint64_t harmlessHellos = 100;

/// With an ID the type is sealed as well, but hardly anything else is as short.
bool isLikeASealedAlert(const Record &record)
{
    constexpr qsizetype longest = 8 + 2 + 1 + 16; // explicit nonce, alert, type, tag
    return record.epoch != 0 && (record.hasId() ? record.fragment().size() <= longest
                                                : record.type == ContentType::Alert);
}

} // namespace

void UnverifiedWatch::begin(Clock::time_point now)
{
    if (!m_began)
        m_began = now;
}

void UnverifiedWatch::note(Counter counter, Clock::time_point now, std::uint64_t datagrams)
{
    begin(now);
    m_counts.*counter += datagrams;
}

void UnverifiedWatch::noteStray(const std::optional<Record> &record, Clock::time_point now)
{
    if (!record)
        note(&UnverifiedCounts::malformed, now);
    else if (!isLikeASealedAlert(*record))
        note(&UnverifiedCounts::withoutSession, now);
}

void UnverifiedWatch::noteHello(Clock::time_point now)
{
    begin(now);
    ++m_hellos;
}

UnverifiedWatch::Clock::time_point UnverifiedWatch::due() const
{
    return m_began ? *m_began + period : Clock::time_point::max();
}

std::optional<UnverifiedTraffic> UnverifiedWatch::report(Clock::time_point now)
{
    if (!m_began)
        return std::nullopt;
    const std::uint64_t unanswered = m_hellos > m_verified ? m_hellos - m_verified : 0;
    if (unanswered > harmlessHellos)
        m_counts.unanswered += unanswered;
    const UnverifiedTraffic traffic{
        m_counts.since(std::exchange(m_reported, m_counts)),
        std::chrono::duration_cast<std::chrono::milliseconds>(now - *m_began)};
    m_began.reset();
    m_hellos = m_verified = 0;
    return traffic.total() > 0 ? std::optional(traffic) : std::nullopt;
}

} // namespace dtlsd
