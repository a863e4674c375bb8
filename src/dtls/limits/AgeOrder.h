// SPDX-License-Identifier: Apache-2.0
//
// AgeOrder: the open sessions of one worker: in the order in which they were last heard of, in the
// order in which they were opened, and by account. The first of each order is the next to expire,
// and the first to give way. Every operation is O(1), or O(log) of the accounts, and in memory of
// its own: the neighbours of a session in the order are any others.
#pragma once

#include "dtls/limits/Accounts.h"

#include <QByteArray>

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>

namespace dtlsd {

class DtlsSession;

class AgeOrder
{
public:
    using Clock = std::chrono::steady_clock;
    using Sessions = std::pmr::list<DtlsSession *>;

    /// The sessions of one account.
    struct OfAccount
    {
        using allocator_type = std::pmr::polymorphic_allocator<>;
        using Silence = Accounts<QByteArray>::Silence;

        explicit OfAccount(const allocator_type &allocator)
            : sessions(allocator)
        {
        }

        /// Says since when the first has been silent, if that has changed by much.
        void publish();

        Sessions sessions; ///< the one that was silent longest comes first
        std::shared_ptr<Silence> silence = std::make_shared<Silence>();
    };

    /// Where a session stands; part of the session.
    struct Place
    {
        bool isIn = false;            ///< any order
        Sessions::iterator inAll;     // of an AgeOrder: among those with IDs, or those without
        Sessions::iterator inOpened;  // of an AgeOrder alone
        Sessions::iterator inAccount; // the same
        OfAccount *ofAccount = nullptr;
        Clock::time_point touched;
    };

    /// Enters its sessions in @p accounts, which outlive it, as those of @p worker.
    AgeOrder(Accounts<QByteArray> &accounts, int worker)
        : m_accounts(accounts)
        , m_worker(worker)
    {
    }

    void add(DtlsSession &session, Clock::time_point now);
    void touch(DtlsSession &session, Clock::time_point now);
    /// Another account's from now on, as if it had been silent longest of all in it.
    void moveTo(const QByteArray &account, DtlsSession &session);
    void remove(DtlsSession &session);

    /// Those with connection IDs, or those without; the one that was silent longest comes first.
    [[nodiscard]] const Sessions &all(bool withId) const { return withId ? m_withId : m_withoutId; }
    [[nodiscard]] std::size_t size() const { return m_opened.size(); }
    /// The one that was opened first comes first.
    [[nodiscard]] const Sessions &opened() const { return m_opened; }
    /// When the first of @p sessions, which is all() of either kind, will not have been touched for
    /// @p timeout; the end of time if there is none.
    [[nodiscard]] static Clock::time_point due(const Sessions &sessions,
                                               std::chrono::milliseconds timeout);

    /// The session to give way for @p newcomer by @p claim: the one that was silent longest of the
    /// accounts that are as heavy as that of the claim, as far as it can be found among the oldest;
    /// else, or if the claim is to that account alone, of that account. nullptr: there is none but
    /// the newcomer.
    [[nodiscard]] DtlsSession *toGiveWay(const Accounts<QByteArray>::Claim &claim,
                                         const DtlsSession *newcomer) const;

private:
    void enter(DtlsSession &session);
    void leave(DtlsSession &session);
    [[nodiscard]] Sessions &like(const DtlsSession &session);

    Accounts<QByteArray> &m_accounts;
    const int m_worker;
    std::pmr::unsynchronized_pool_resource m_memory;
    Sessions m_withId{&m_memory};
    Sessions m_withoutId{&m_memory};
    Sessions m_opened{&m_memory};
    std::pmr::map<QByteArray, OfAccount> m_byAccount{&m_memory}; // no hash table: see Accounts
};

} // namespace dtlsd
