// SPDX-License-Identifier: Apache-2.0
//
// SocketSet: the sockets of one worker, and what the kernel has dropped there.
#pragma once

#include "net/DatagramSocket.h"
#include "net/OverflowWatch.h"

#include <functional>
#include <memory>
#include <utility>

namespace dtlsd {

class SocketSet
{
public:
    using Clock = OverflowWatch::Clock;
    /// Called when something has arrived at a socket.
    using Ready = std::function<void(DatagramSocket &)>;

    SocketSet(Ready ready, OverflowWatch::Dropped dropped)
        : m_ready(std::move(ready))
        , m_overflow(m_sockets, std::move(dropped))
    {
    }

    void add(std::unique_ptr<DatagramSocket> socket);
    /// Those that receive, or will after resume().
    [[nodiscard]] const OverflowWatch::Sockets &all() const { return m_sockets; }
    /// Begins to receive where that is paused.
    void resume();
    /// How many there are, if it receives from each of them; otherwise 0.
    [[nodiscard]] int receiving() const;

    /// Receives no more at @p address, but still sends; nullptr: there is no such socket.
    [[nodiscard]] DatagramSocket *retire(const SocketAddress &address, Clock::time_point now);
    /// Closes one that was retired, once nothing refers to it.
    void close(DatagramSocket &retired);

    /// Sends what is queued.
    void flush();

    /// See OverflowWatch.
    [[nodiscard]] OverflowWatch &overflow() { return m_overflow; }
    [[nodiscard]] const OverflowWatch &overflow() const { return m_overflow; }

private:
    const Ready m_ready;
    OverflowWatch::Sockets m_sockets;
    OverflowWatch::Sockets m_retired;
    OverflowWatch m_overflow;
};

} // namespace dtlsd
