// SPDX-License-Identifier: Apache-2.0
//
// SocketSet: the sockets of one worker, and the count of datagrams dropped there.
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
    /// Called when a socket has something to receive.
    using Ready = std::function<void(DatagramSocket &)>;

    SocketSet(Ready ready, OverflowWatch::Dropped dropped)
        : m_ready(std::move(ready))
        , m_overflow(m_sockets, std::move(dropped))
    {
    }

    void add(std::unique_ptr<DatagramSocket> socket);
    /// Its own socket at the address of @p duplicate, else one that only sends, on its behalf;
    /// nullptr: there is no room for one.
    [[nodiscard]] DatagramSocket *like(const Descriptor &duplicate);
    /// The sockets that are not retired.
    [[nodiscard]] const OverflowWatch::Sockets &all() const { return m_sockets; }
    /// Starts receiving on the paused sockets.
    void resume();
    /// Stops receiving.
    void pause();
    /// The number of sockets, or 0 if it does not receive from all of them.
    [[nodiscard]] int receiving() const;

    /// Stops receiving at @p address, but still sends; nullptr: there is no such socket.
    [[nodiscard]] DatagramSocket *retire(const SocketAddress &address, Clock::time_point now);
    /// Closes a retired socket, once nothing refers to it.
    void close(DatagramSocket &retired);

    /// Sends what is queued.
    void flush();

    [[nodiscard]] OverflowWatch &overflow() { return m_overflow; }
    [[nodiscard]] const OverflowWatch &overflow() const { return m_overflow; }

private:
    const Ready m_ready;
    OverflowWatch::Sockets m_sockets;
    OverflowWatch::Sockets m_retired;
    OverflowWatch::Sockets m_senders;
    OverflowWatch m_overflow;
};

} // namespace dtlsd
