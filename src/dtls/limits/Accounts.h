// SPDX-License-Identifier: Apache-2.0
//
// Accounts: counts, by account, the members (sessions or handshakes) that each worker holds. Limits
// hold for the process, so the counts are in one place; the members themselves stay with their
// workers. Thread-safe.
//
// At a limit the account of the greatest weight loses a member. The weight is the number of members
// plus, for handshakes, the members that ended unfinished in this period or the one before:
// otherwise a network of strangers would weigh no more than one of as many honest devices.
#pragma once

#include <QByteArray>
#include <QHashFunctions>
#include <QVarLengthArray>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

namespace dtlsd {

template <class Key>
class Accounts
{
public:
    using Clock = std::chrono::steady_clock;
    using Worker = int;

    /// An unfinished member adds to the weight for one to two periods after its end.
    static constexpr std::chrono::seconds period{15};

    /// A member to be evicted, and its worker. It is left out of weights and of further claims, and
    /// settle() must follow.
    struct Claim
    {
        Key account{};
        Worker worker = 0;
        std::int64_t weight = 0;       ///< of the account, including this member
        bool isToAccountAlone = false; ///< false: or to any account as heavy
    };

    /// When the longest-idle member of one worker and account was last active, as a count of Clock.
    /// That worker keeps it up to date.
    using Silence = std::atomic<Clock::rep>;

    enum class End { Finished, Unfinished };

    /// Adds a member of @p account held by @p worker. false: there are @p limit members already; 0
    /// is no limit. @p silence, if any, is that of all the worker's members of the account.
    bool enter(const Key &account, Worker worker, std::int64_t limit = 0,
               const std::shared_ptr<const Silence> &silence = {})
    {
        const std::lock_guard lock(m_mutex);
        if (limit > 0 && m_members >= limit)
            return false;
        ++m_members;
        const auto entry = m_accounts.try_emplace(account).first;
        auto &holdings = entry->second.holdings;
        if (holdings.size() <= worker)
            holdings.resize(worker + 1);
        ++holdings[worker].members;
        holdings[worker].silence = silence;
        ++entry->second.members;
        weigh(entry);
        return true;
    }

    /// Removes a member that enter() has added.
    void leave(const Key &account, Worker worker, End end)
    {
        const std::lock_guard lock(m_mutex);
        --m_members;
        const auto entry = m_accounts.find(account);
        --entry->second.holdings[worker].members;
        --entry->second.members;
        if (end == End::Unfinished && m_accounts.size() <= rememberedAccounts)
            ++entry->second.unfinished;
        weigh(entry);
    }

    /// Begins a new period if the current one is over.
    void age(Clock::time_point now)
    {
        const std::lock_guard lock(m_mutex);
        if (now < m_nextPeriod)
            return;
        m_nextPeriod = now + period;
        for (auto next = m_accounts.begin(); next != m_accounts.end();) {
            const auto entry = next++;
            entry->second.unfinishedBefore = std::exchange(entry->second.unfinished, 0);
            weigh(entry);
        }
    }

    [[nodiscard]] std::int64_t members() const { return m_members; }
    [[nodiscard]] std::int64_t membersOf(const Key &account) const
    {
        const std::lock_guard lock(m_mutex);
        const auto found = m_accounts.find(account);
        return found == m_accounts.end() ? 0 : found->second.members;
    }

    /// The candidate with the heaviest account, of the candidates for which @p counts is true.
    /// There must be one.
    template <class Range, class Projection, class Predicate>
    [[nodiscard]] auto heaviest(Range &candidates, Projection account, Predicate counts) const
    {
        const std::lock_guard lock(m_mutex);
        return std::ranges::max_element(candidates, {}, [&](const auto &candidate) {
            return counts(candidate) ? weightOf(std::invoke(account, candidate)) : -1;
        });
    }
    /// The candidate with the lightest account.
    template <std::forward_iterator Iterator, class Projection>
    [[nodiscard]] Iterator lightest(Iterator begin, Iterator end, Projection account) const
    {
        const std::lock_guard lock(m_mutex);
        return std::ranges::min_element(begin, end, {}, [&](const auto &candidate) {
            return weightOf(std::invoke(account, candidate));
        });
    }

    /// Whether @p account is the one in @p claim, or at least as heavy as that was then.
    [[nodiscard]] bool isAsHeavy(const Key &account, const Claim &claim) const
    {
        const std::lock_guard lock(m_mutex);
        return account == claim.account || weightOf(account) >= claim.weight;
    }

    /// Claims a member if there are more than @p limit: of the heaviest accounts, the member idle
    /// longest; where silence is not kept, preferably one of @p preferred. Never the newcomer: the
    /// member that @p preferred has just entered in the account @p newcomer, unless that is
    /// nullptr.
    [[nodiscard]] std::optional<Claim> claim(std::int64_t limit, const Key *newcomer,
                                             Worker preferred)
    {
        const std::lock_guard lock(m_mutex);
        if (m_members - m_claimed <= limit || m_byWeight.empty())
            return std::nullopt;
        std::optional<Claim> found;
        Clock::rep silence{};
        auto next = m_byWeight.rbegin();
        for (int i = 0; i < heaviestLookedAt && next != m_byWeight.rend(); ++i, ++next) {
            const auto &[weight, account] = *next;
            if (found && weight < found->weight)
                break;
            const bool isOfNewcomer = newcomer && *newcomer == *account;
            const auto holder = holderOf(*account, isOfNewcomer ? 1 : 0, preferred);
            if (!holder || (found && holder->silentSince >= silence))
                continue;
            found = Claim{*account, holder->worker, weight, false};
            silence = holder->silentSince;
        }
        return claimed(found);
    }

    /// claim() within @p account alone; @p newcomers of its members, 0 or 1, is the newcomer.
    [[nodiscard]] std::optional<Claim> claimOfOwn(std::int64_t limit, const Key &account,
                                                  int newcomers, Worker preferred)
    {
        const std::lock_guard lock(m_mutex);
        const auto found = m_accounts.find(account);
        if (found == m_accounts.end() || found->second.members - found->second.claimed <= limit)
            return std::nullopt;
        const auto holder = holderOf(account, newcomers, preferred);
        return claimed(
            holder ? std::optional(Claim{account, holder->worker, found->second.weight, true})
                   : std::nullopt);
    }

    /// The claimed member has been evicted, or had already ended.
    void settle(const Claim &claim)
    {
        const std::lock_guard lock(m_mutex);
        --m_claimed;
        const auto entry = m_accounts.find(claim.account);
        --entry->second.claimed;
        weigh(entry);
    }

private:
    /// One worker's share of an account.
    struct Holding
    {
        std::int32_t members = 0;
        std::shared_ptr<const Silence> silence;
    };

    struct Holder
    {
        Worker worker = 0;
        Clock::rep silentSince{};
    };

    struct Account
    {
        std::int64_t weight = 0;
        std::int64_t members = 0;
        std::int64_t claimed = 0;             // members picked by a claim
        std::int64_t unfinished = 0;          // members that ended in this period
        std::int64_t unfinishedBefore = 0;    // and in the period before
        QVarLengthArray<Holding, 2> holdings; // by worker
    };
    // There may be a million identities, and a hash table that grows would hold up all workers for
    // a second.
    using Map = std::map<Key, Account>;

    // With more accounts than this, ends of unfinished members are not counted.
    static constexpr std::size_t rememberedAccounts = 16'384;
    // Accounts that claim() looks at: the heaviest may have no member left to evict.
    static constexpr int heaviestLookedAt = 64;

    [[nodiscard]] std::int64_t weightOf(const Key &account) const
    {
        const auto found = m_accounts.find(account);
        return found == m_accounts.end() ? 0 : found->second.weight;
    }

    void weigh(typename Map::iterator entry)
    {
        Account &account = entry->second;
        const std::int64_t weight =
            account.members - account.claimed + account.unfinished + account.unfinishedBefore;
        const std::int64_t before = std::exchange(account.weight, weight);
        if (before > 0)
            m_byWeight.erase({before, &entry->first});
        if (weight > 0)
            m_byWeight.emplace(weight, &entry->first);
        else if (account.members == 0 && account.claimed == 0)
            m_accounts.erase(entry);
    }

    // The worker with the longest-idle member of the account; @p newcomers members of @p preferred
    // are not considered.
    [[nodiscard]] std::optional<Holder> holderOf(const Key &account, int newcomers,
                                                 Worker preferred) const
    {
        std::optional<Holder> found;
        const auto &holdings = m_accounts.at(account).holdings;
        for (Worker worker = 0; worker < holdings.size(); ++worker) {
            const Holding &holding = holdings[worker];
            if (holding.members <= (worker == preferred ? newcomers : 0))
                continue;
            const Clock::rep silentSince = holding.silence
                                               ? holding.silence->load(std::memory_order_relaxed)
                                               : Clock::rep{worker == preferred ? 0 : 1};
            if (!found || silentSince < found->silentSince)
                found = Holder{worker, silentSince};
        }
        return found;
    }

    std::optional<Claim> claimed(std::optional<Claim> claim)
    {
        if (claim) {
            ++m_claimed;
            const auto entry = m_accounts.find(claim->account);
            ++entry->second.claimed;
            weigh(entry);
        }
        return claim;
    }

    mutable std::mutex m_mutex; // guards the members below
    Map m_accounts;
    std::set<std::pair<std::int64_t, const Key *>> m_byWeight;
    std::atomic<std::int64_t> m_members = 0; // written under the mutex
    std::int64_t m_claimed = 0;
    Clock::time_point m_nextPeriod{};
};

} // namespace dtlsd
