// SPDX-License-Identifier: Apache-2.0
//
// AgeOrder: sessions in the order in which they were last touched, all together and by where they
// come from. As every session of a kind has the same deadline, the oldest is the next to expire and
// the first to give way; every operation is O(1), and in memory of its own: the neighbours of a
// session in the order are any others.
#pragma once

#include "core/SocketAddress.h"

#include <array>
#include <chrono>
#include <list>
#include <memory_resource>
#include <unordered_map>
#include <vector>

namespace dtlsd {

class DtlsSession;

class AgeOrder
{
public:
    using Clock = std::chrono::steady_clock;
    using Sessions = std::pmr::list<DtlsSession *>; ///< the oldest first

    /// SocketAddress::network() and SocketAddress::site()
    enum Grouping { ByNetwork, BySite };

    /// Where a session stands; part of the session.
    struct Place
    {
        struct InGroup
        {
            Sessions *group = nullptr;
            Sessions::iterator at;
        };

        [[nodiscard]] bool isInAnOrder() const { return in[ByNetwork].group != nullptr; }

        Sessions::iterator inAll;
        std::array<InGroup, 2> in; ///< by Grouping
        Clock::time_point touched;
    };

    /// Groups up to @p widest are kept.
    explicit AgeOrder(Grouping widest)
        : m_groups(widest + 1U, &m_memory)
    {
    }
    AgeOrder(const AgeOrder &) = delete;
    AgeOrder &operator=(const AgeOrder &) = delete;

    void add(DtlsSession &session, Clock::time_point now);
    void touch(DtlsSession &session, Clock::time_point now);
    void remove(DtlsSession &session);

    [[nodiscard]] const Sessions &all() const { return m_all; }
    /// Those that come from where @p session does, which is one of them; of a group that is kept.
    [[nodiscard]] static const Sessions &neighbours(const DtlsSession &session, Grouping by);

    /// nullptr if there is none.
    [[nodiscard]] DtlsSession *oldest() const { return m_all.empty() ? nullptr : m_all.front(); }
    /// When the oldest will not have been touched for @p timeout; the end of time if there is none.
    [[nodiscard]] Clock::time_point due(std::chrono::milliseconds timeout) const;

private:
    using Groups = std::pmr::unordered_map<SocketAddress, Sessions>;

    std::pmr::unsynchronized_pool_resource m_memory;
    Sessions m_all{&m_memory};
    std::pmr::vector<Groups> m_groups; // by Grouping
};

} // namespace dtlsd
