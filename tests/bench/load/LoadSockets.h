// SPDX-License-Identifier: Apache-2.0
//
// LoadSockets: the way of the clients of a fleet to a server on 127.0.0.1 and back. Clients come
// from 250 addresses of 127.0.0.0/8, as limits are counted by address. Either 250 of them share a
// socket: one system call serves many, and this process takes less of the processors than the
// server. Or each has a socket of its own, so that it can come back from another port.
#pragma once

#include "bench/load/Inbox.h"
#include "bench/load/Outbox.h"
#include "core/Result.h"

#include <chrono>
#include <deque>
#include <initializer_list>
#include <span>
#include <vector>

#include <sys/epoll.h>

namespace dtlsd::bench {

class LoadSockets
{
public:
    LoadSockets(quint16 port, std::size_t clients, bool areShared);
    LoadSockets(const LoadSockets &) = delete;
    LoadSockets &operator=(const LoadSockets &) = delete;
    ~LoadSockets();

    /// Fails when the system has not as many sockets.
    [[nodiscard]] Result<> open();
    /// Puts a new socket, and so a new port, in the place of the one of @p client, if that is its
    /// own. That one stays for some more calls: a closed one would make the kernel answer what the
    /// server still sends there, at the expense of the server. Without a socket no session opens.
    void renew(std::size_t client);
    [[nodiscard]] Route route(std::size_t client) const;

    /// Calls @p take with the client and the datagram for those that are there, at most @p limit,
    /// or come within @p timeout, which is rounded up to milliseconds.
    template <class Take>
    void receive(std::chrono::nanoseconds timeout, std::size_t limit, Take take)
    {
        for (const epoll_event &event : wait(timeout)) {
            const std::size_t socket = event.data.u64;
            limit -= m_inbox.receive(m_sockets[socket], limit,
                                     [&](std::span<const char> datagram, in_addr destination) {
                                         const std::size_t client = clientOf(socket, destination);
                                         if (client < m_clients)
                                             take(client, datagram);
                                     });
            if (limit == 0)
                return;
        }
    }
    /// Can be read when receive() has something.
    [[nodiscard]] int descriptor() const { return m_epoll; }

private:
    [[nodiscard]] int makeSocket(std::size_t socket) const;
    [[nodiscard]] std::size_t clientOf(std::size_t socket, in_addr destination) const;
    std::span<const epoll_event> wait(std::chrono::nanoseconds timeout);

    const sockaddr_in m_server;
    const std::size_t m_clients;
    const bool m_areShared; // sockets are connected unless they are
    const int m_epoll;
    std::vector<int> m_sockets;
    std::deque<int> m_former; // of clients that were renewed, the oldest first
    std::vector<epoll_event> m_events;
    Inbox m_inbox;
};

/// Waits until one of @p descriptors can be read, at most so long.
void waitToRead(std::initializer_list<int> descriptors, std::chrono::nanoseconds timeout);

} // namespace dtlsd::bench
