// SPDX-License-Identifier: Apache-2.0
//
// IdentityRates: enforces `datagrams_per_second` for each identity over all its sessions and
// workers. A rate outlives the sessions: a new session does not reset it.
#pragma once

#include "dtls/Events.h"
#include "dtls/Psk.h"
#include "dtls/limits/RateLimit.h"

#include <QByteArray>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace dtlsd {

/// The rate of one identity. Thread-safe.
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

    /// Whether one more datagram is within the rate. Counts the datagram if not.
    [[nodiscard]] bool admit(Clock::time_point now)
    {
        const bool isWithin = m_limit.admit(now);
        m_refused += isWithin ? 0 : 1;
        return isWithin;
    }

    /// When report() next returns a count, if datagrams were refused since the last one.
    [[nodiscard]] Clock::time_point due() const { return Clock::time_point(m_due.load()); }
    /// The number of datagrams refused since the last report; at most one report a minute over all
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
    /// The rate of @p account, set to @p perSecond; nullptr if @p perSecond is 0, for no limit.
    std::shared_ptr<IdentityRate> of(const QByteArray &account, std::int64_t perSecond);
    /// Forgets the rates of identities that @p identities does not have.
    void keepOnly(const PskStore &identities);

private:
    std::mutex m_mutex;
    std::map<QByteArray, std::shared_ptr<IdentityRate>> m_rates; // guarded by m_mutex
};

/// The rates by which one worker has refused datagrams that are not reported yet.
class RateReports
{
public:
    using Clock = IdentityRate::Clock;

    void note(const std::shared_ptr<IdentityRate> &rate);
    /// The events due by @p now.
    [[nodiscard]] std::vector<IdentityLimited> report(Clock::time_point now);
    /// When report() has an event; Clock::time_point::max() if it has none.
    [[nodiscard]] Clock::time_point due() const;

private:
    std::vector<std::shared_ptr<IdentityRate>> m_rates;
};

} // namespace dtlsd
