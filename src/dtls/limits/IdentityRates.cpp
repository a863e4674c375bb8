// SPDX-License-Identifier: Apache-2.0
#include "dtls/limits/IdentityRates.h"

#include <algorithm>

namespace dtlsd {

std::optional<std::uint64_t> IdentityRate::report(Clock::time_point now)
{
    Clock::duration due = m_due;
    if (now.time_since_epoch() < due || m_refused == 0 ||
        !m_due.compare_exchange_strong(due, (now + reportInterval).time_since_epoch()))
        return std::nullopt;
    const std::uint64_t refused = m_refused.exchange(0);
    return refused > 0 ? std::optional(refused) : std::nullopt;
}

std::shared_ptr<IdentityRate> IdentityRates::of(const QByteArray &account, std::int64_t perSecond)
{
    const std::lock_guard lock(m_mutex);
    if (perSecond == 0) {
        m_rates.erase(account);
        return nullptr;
    }
    std::shared_ptr<IdentityRate> &rate = m_rates[account];
    if (!rate)
        rate = std::make_shared<IdentityRate>(account);
    if (rate->perSecond() != perSecond)
        rate->set(perSecond);
    return rate;
}

void IdentityRates::keepOnly(const PskStore &identities)
{
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_rates, [&](const auto &rate) {
        return rate.first != PskStore::wildcardAccount() &&
               identities.account(rate.first) != rate.first;
    });
}

void RateReports::note(const std::shared_ptr<IdentityRate> &rate)
{
    if (std::ranges::find(m_rates, rate) == m_rates.end())
        m_rates.push_back(rate);
}

std::vector<IdentityLimited> RateReports::report(Clock::time_point now)
{
    std::vector<IdentityLimited> events;
    std::erase_if(m_rates, [&](const std::shared_ptr<IdentityRate> &rate) {
        if (rate->due() > now)
            return false;
        if (const auto count = rate->report(now))
            events.push_back({rate->account, rate->perSecond(), *count});
        return true;
    });
    return events;
}

RateReports::Clock::time_point RateReports::due() const
{
    Clock::time_point due = Clock::time_point::max();
    for (const auto &rate : m_rates)
        due = std::min(due, rate->due());
    return due;
}

} // namespace dtlsd
