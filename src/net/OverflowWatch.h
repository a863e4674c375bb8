// SPDX-License-Identifier: Apache-2.0
//
// OverflowWatch: asks the kernel how many datagrams it has dropped. The counter is cumulative, so
// this can wait; at each wake-up it would be one of three system calls.
#pragma once

#include "net/DatagramSocket.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace dtlsd {

class OverflowWatch
{
public:
    using Clock = std::chrono::steady_clock;
    using Sockets = std::vector<std::unique_ptr<DatagramSocket>>;

    static constexpr std::chrono::milliseconds interval{100};

    /// Called with the number of datagrams dropped, if above 0, when the kernel is asked.
    using Dropped = std::function<void(std::uint64_t count, Clock::time_point now)>;

    /// @p sockets must outlive this.
    OverflowWatch(const Sockets &sockets, Dropped dropped)
        : m_sockets(sockets)
        , m_dropped(std::move(dropped))
    {
    }

    /// Datagrams were received. Asks at once if their batch was full (@p wasFull), because there
    /// were many; otherwise once in an interval.
    void noteReceived(bool wasFull, Clock::time_point now)
    {
        m_isOwed = true;
        if (wasFull || now >= m_next)
            ask(now);
    }

    /// When to check() without a further datagram; Clock::time_point::max() if there is no need.
    [[nodiscard]] Clock::time_point due() const
    {
        return m_isOwed ? m_next : Clock::time_point::max();
    }

    /// Asks the kernel if that is due.
    void check(Clock::time_point now)
    {
        if (due() <= now)
            ask(now);
    }

    /// Asks the kernel, due or not: the count of a socket is lost once it is closed.
    void ask(Clock::time_point now)
    {
        m_isOwed = false;
        m_next = now + interval;
        for (const auto &socket : m_sockets) {
            if (const std::uint64_t count = socket->takeOverflow())
                m_dropped(count, now);
        }
    }

private:
    const Sockets &m_sockets;
    const Dropped m_dropped;
    Clock::time_point m_next = Clock::time_point::min();
    bool m_isOwed = false; // datagrams were received since the last ask()
};

} // namespace dtlsd
