// SPDX-License-Identifier: Apache-2.0
//
// LoadSockets: the sockets of a fleet's clients to a server on 127.0.0.1. Clients have 250
// addresses of 127.0.0.0/8, as limits are counted by address. Either 250 clients share a socket, so
// that one system call serves many and this process needs less processor time than the server, or
// each has its own socket, so that it can reconnect from another port.
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

    /// Fails if the system does not grant that many sockets.
    [[nodiscard]] Result<> open();
    /// Gives @p client a new socket, and so a new port, if it has its own. The old socket stays
    /// open for some more calls: if it were closed, the kernel would answer late datagrams of the
    /// server with ICMP errors, at the server's expense. Without a socket no session opens.
    void renew(std::size_t client);
    [[nodiscard]] Route route(std::size_t client) const;

    /// Calls @p take with client and datagram, for at most @p limit datagrams that have come or
    /// come within @p timeout, which is rounded up to milliseconds.
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
    /// Readable when receive() has datagrams.
    [[nodiscard]] int descriptor() const { return m_epoll; }

private:
    [[nodiscard]] int makeSocket(std::size_t socket) const;
    [[nodiscard]] std::size_t clientOf(std::size_t socket, in_addr destination) const;
    std::span<const epoll_event> wait(std::chrono::nanoseconds timeout);

    const sockaddr_in m_server;
    const std::size_t m_clients;
    const bool m_areShared; // sockets that are not shared are connected
    const int m_epoll;
    std::vector<int> m_sockets;
    std::deque<int> m_former; // old sockets of renewed clients, the oldest first
    std::vector<epoll_event> m_events;
    Inbox m_inbox;
};

/// Waits until one of @p descriptors is readable, at most @p timeout.
void waitToRead(std::initializer_list<int> descriptors, std::chrono::nanoseconds timeout);

} // namespace dtlsd::bench
