// SPDX-License-Identifier: Apache-2.0
//
// IdentityRates: `datagrams_per_second`, kept for each identity over all its sessions and workers.
// An identity's rate outlives its sessions: opening a new one starts nothing afresh.
#pragma once

#include "dtls/Events.h"
#include "dtls/Psk.h"
#include "dtls/RateLimit.h"

#include <QByteArray>
#include <QHashFunctions>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace dtlsd {

/// One identity's. Any thread may call any function.
class IdentityRate
{
public:
    using Clock = RateLimit::Clock;

    static constexpr std::chrono::minutes reportInterval{1};

    explicit IdentityRate(QByteArray identityAccount)
        : account(std::move(identityAccount))
    {
    }

    void set(std::int64_t perSecond)
    {
        m_limit.set(perSecond, perSecond);
        m_perSecond = perSecond;
    }
    [[nodiscard]] std::int64_t perSecond() const { return m_perSecond; }

    /// Whether one more datagram is within the rate. Counts it if not.
    [[nodiscard]] bool admit(Clock::time_point now)
    {
        const bool isWithin = m_limit.admit(now);
        m_refused += isWithin ? 0 : 1;
        return isWithin;
    }

    /// When report() next returns something, if datagrams were refused since.
    [[nodiscard]] Clock::time_point due() const { return Clock::time_point(m_due.load()); }
    /// How many datagrams were refused since the last report; at most one a minute over all
    /// workers.
    std::optional<std::uint64_t> report(Clock::time_point now);

    const QByteArray account; ///< as PskStore::account() names it

private:
    RateLimit m_limit{0, 0};
    std::atomic<std::int64_t> m_perSecond = 0;
    std::atomic<std::uint64_t> m_refused = 0; // not yet reported
    std::atomic<Clock::duration> m_due{};
};

class IdentityRates
{
public:
    /// The rate of @p account, which is @p perSecond from now on; nullptr if that is 0, for no
    /// limit.
    std::shared_ptr<IdentityRate> of(const QByteArray &account, std::int64_t perSecond);
    /// Forgets the rates of identities that @p identities does not have.
    void keepOnly(const PskStore &identities);

private:
    std::mutex m_mutex;
    std::unordered_map<QByteArray, std::shared_ptr<IdentityRate>> m_rates; // guarded by m_mutex
};

/// The rates of which one worker has refused datagrams and has yet to tell.
class RateReports
{
public:
    using Clock = IdentityRate::Clock;

    void note(const std::shared_ptr<IdentityRate> &rate);
    /// What is due by now.
    [[nodiscard]] std::vector<IdentityLimited> report(Clock::time_point now);
    /// When report() has something; the end of time if it has not.
    [[nodiscard]] Clock::time_point due() const;

private:
    std::vector<std::shared_ptr<IdentityRate>> m_rates;
};

} // namespace dtlsd
