// SPDX-License-Identifier: Apache-2.0
//
// Accounts: who holds how much of something that all workers share, such as sessions. Limits hold
// for the process, so the accounts are kept in one place; the members themselves stay with their
// workers. Any thread may call any function.
//
// An account's weight is what decides who gives way: its members and, for handshakes, those that
// have died unfinished in this period and the one before. Only that tells a network of strangers
// from a network of many honest devices, as long as both hold the same number.
#pragma once

#include <QHashFunctions>
#include <QVarLengthArray>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace dtlsd {

template <class Key>
class Accounts
{
public:
    using Clock = std::chrono::steady_clock;
    using Worker = int;

    /// How long at least, and half of how long at most, an unfinished member counts after its end.
    static constexpr std::chrono::seconds period{15};

    /// A member of @p account that is to give way, and the worker that has it. Until settle() is
    /// called with it, it does not count any more.
    struct Claim
    {
        Key account{};
        Worker worker = 0;
        std::int64_t weight = 0;       ///< of the account, with that member
        bool isToAccountAlone = false; ///< or to any that is as heavy
    };

    /// Since when the member of one worker and account that was silent longest has been silent: a
    /// time of Clock. Its worker keeps it up to date.
    using Silence = std::atomic<Clock::rep>;

    enum class End { Finished, Unfinished };

    /// @p worker has one more member of @p account. false: there are @p limit members already; 0 is
    /// no limit. @p silence is that of all its members of the account, if it keeps one.
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

    /// It has one less.
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

    /// Lets what has died unfinished count less with time.
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

    /// Of those of @p candidates that @p counts picks, the one that weighs most. There has to be
    /// one.
    template <class Range, class Projection, class Predicate>
    [[nodiscard]] auto heaviest(Range &candidates, Projection account, Predicate counts) const
    {
        const std::lock_guard lock(m_mutex);
        return std::ranges::max_element(candidates, {}, [&](const auto &candidate) {
            return counts(candidate) ? weightOf(std::invoke(account, candidate)) : -1;
        });
    }
    /// The one that weighs least.
    template <std::forward_iterator Iterator, class Projection>
    [[nodiscard]] Iterator lightest(Iterator begin, Iterator end, Projection account) const
    {
        const std::lock_guard lock(m_mutex);
        return std::ranges::min_element(begin, end, {}, [&](const auto &candidate) {
            return weightOf(std::invoke(account, candidate));
        });
    }

    /// Whether @p account weighs as much as that of @p claim did.
    [[nodiscard]] bool isAsHeavy(const Key &account, const Claim &claim) const
    {
        const std::lock_guard lock(m_mutex);
        return account == claim.account || weightOf(account) >= claim.weight;
    }

    /// The member to give way if there are more than @p limit: of the heaviest accounts, the one
    /// that was silent longest; where silence is not kept, one of @p preferred if possible. Never
    /// the newcomer, which @p preferred has just entered in the account @p newcomer, if there is
    /// one.
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

    /// The same for the members of @p account alone; @p newcomers of it, 0 or 1, are the newcomer.
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

    /// The claimed member has given way, or there was none any more.
    void settle(const Claim &claim)
    {
        const std::lock_guard lock(m_mutex);
        --m_claimed;
        const auto entry = m_accounts.find(claim.account);
        --entry->second.claimed;
        weigh(entry);
    }

private:
    /// What one worker has of an account.
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
        std::int64_t claimed = 0;             // of them
        std::int64_t unfinished = 0;          // in this period, and no longer members
        std::int64_t unfinishedBefore = 0;    // in the period before
        QVarLengthArray<Holding, 2> holdings; // by worker
    };
    using Map = std::unordered_map<Key, Account>;

    // Accounts beyond it are forgotten with their last member.
    static constexpr std::size_t rememberedAccounts = 16'384;
    // Of the heaviest: they may have no members left, or none but with other workers.
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

    // The worker that has the member of the account that was silent longest, but for @p newcomers
    // of @p preferred.
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

    mutable std::mutex m_mutex; // guards all that follows
    Map m_accounts;
    std::set<std::pair<std::int64_t, const Key *>> m_byWeight;
    std::atomic<std::int64_t> m_members = 0; // written under the mutex
    std::int64_t m_claimed = 0;
    Clock::time_point m_nextPeriod{};
};

} // namespace dtlsd
