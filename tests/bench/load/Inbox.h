// SPDX-License-Identifier: Apache-2.0
//
// Inbox: receives many datagrams from a socket with one system call.
#pragma once

#include "bench/load/Outbox.h"

#include <algorithm>

namespace dtlsd::bench {

class Inbox
{
public:
    static constexpr std::size_t capacity = 64;

    Inbox();
    Inbox(const Inbox &) = delete;
    Inbox &operator=(const Inbox &) = delete;

    /// Calls @p take with each datagram that waits in @p socket, at most @p limit, and with the
    /// address that it was sent to, if the socket has IP_PKTINFO on. Returns how many there were.
    template <class Take>
    std::size_t receive(int socket, std::size_t limit, Take take)
    {
        std::size_t total = 0;
        while (total < limit) {
            const std::size_t wanted = std::min(limit - total, capacity);
            const std::size_t count = receive(socket, wanted);
            for (std::size_t i = 0; i < count; ++i)
                take(std::span<const char>(m_room[i].data(), m_messages[i].msg_len),
                     destination(i));
            total += count;
            if (count < wanted)
                break;
        }
        return total;
    }

private:
    using Control = std::array<char, CMSG_SPACE(sizeof(in_pktinfo))>;

    std::size_t receive(int socket, std::size_t wanted);
    [[nodiscard]] in_addr destination(std::size_t datagram);

    std::vector<std::array<char, datagramSize>> m_room;
    std::array<iovec, capacity> m_fields{};
    alignas(cmsghdr) std::array<Control, capacity> m_controls{};
    std::array<mmsghdr, capacity> m_messages{};
};

} // namespace dtlsd::bench
