// SPDX-License-Identifier: Apache-2.0
//
// AgeOrder: sessions in the order in which they were last touched, all together and by network.
// As every session of a kind has the same deadline, the oldest is the next to expire and the first
// to give way; every operation is O(1).
#pragma once

#include "core/SocketAddress.h"

#include <chrono>
#include <cstddef>
#include <list>
#include <unordered_map>

namespace dtlsd {

class DtlsSession;

class AgeOrder
{
public:
    using Clock = std::chrono::steady_clock;
    using Sessions = std::list<DtlsSession *>;

    /// Where a session stands; part of the session.
    struct Place
    {
        Sessions::iterator inAll;
        Sessions::iterator inNetwork;
        Sessions *network = nullptr; ///< nullptr: in no order
        Clock::time_point touched;
    };

    void add(DtlsSession &session, Clock::time_point now);
    void touch(DtlsSession &session, Clock::time_point now);
    void remove(DtlsSession &session);

    /// nullptr if there is none.
    [[nodiscard]] DtlsSession *oldest() const;
    [[nodiscard]] DtlsSession *oldestOf(const SocketAddress &network) const;

    [[nodiscard]] std::size_t size() const { return m_all.size(); }
    [[nodiscard]] std::size_t sizeOf(const SocketAddress &network) const;

private:
    Sessions m_all;
    std::unordered_map<SocketAddress, Sessions> m_networks;
};

} // namespace dtlsd
