// SPDX-License-Identifier: Apache-2.0
//
// LoadSockets: the way of the clients of a fleet to the server and back. To a server on
// 127.0.0.0/8, clients come from 250 addresses there and share a socket: one system call serves
// many of them, and this process takes less of the processors than the server. To any other server
// each client has a socket.
#pragma once

#include "bench/load/Inbox.h"
#include "bench/load/Outbox.h"
#include "core/Result.h"
#include "core/SocketAddress.h"

#include <chrono>
#include <deque>
#include <span>
#include <vector>

#include <sys/epoll.h>

namespace dtlsd::bench {

class LoadSockets
{
public:
    /// @p areShared = false: even on loopback each client has a socket.
    LoadSockets(const SocketAddress &server, std::size_t clients, bool areShared);
    LoadSockets(const LoadSockets &) = delete;
    LoadSockets &operator=(const LoadSockets &) = delete;
    ~LoadSockets();

    /// Fails when the system has not as many sockets.
    [[nodiscard]] Result<> open();
    /// Puts a new socket, and so a new port, in the place of the one of @p client, if that is its
    /// own. That one stays for some more calls: a closed one would make the kernel answer what the
    /// server still sends there, at the expense of the server. false: the system has none.
    bool renew(std::size_t client);
    [[nodiscard]] Route route(std::size_t client) const;

    /// Calls @p take with the client and the datagram for those that are there, at most @p limit,
    /// or come within @p timeout, which is rounded up to milliseconds.
    template <class Take>
    void receive(std::chrono::nanoseconds timeout, std::size_t limit, Take take)
    {
        for (const std::size_t socket : wait(timeout)) {
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
    bool watch(std::size_t socket) const;
    [[nodiscard]] std::size_t clientOf(std::size_t socket, in_addr destination) const;
    const std::vector<std::size_t> &wait(std::chrono::nanoseconds timeout);

    const SocketAddress m_server;
    const std::size_t m_clients;
    const bool m_areShared;
    sockaddr_in m_serverAddress{}; // unless sockets are connected
    const int m_epoll;
    std::vector<int> m_sockets;
    std::deque<int> m_former; // of clients that were renewed, the oldest first
    std::vector<epoll_event> m_events;
    std::vector<std::size_t> m_ready;
    Inbox m_inbox;
};

/// Waits until @p descriptor can be read, at most so long.
void waitToRead(int descriptor, std::chrono::nanoseconds timeout);

} // namespace dtlsd::bench
