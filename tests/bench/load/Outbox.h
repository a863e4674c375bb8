// SPDX-License-Identifier: Apache-2.0
//
// Outbox: datagrams of many clients that share a system call.
#pragma once

#include <array>
#include <span>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

namespace dtlsd::bench {

/// Of a datagram, which is cut beyond.
inline constexpr std::size_t datagramSize = 2048;

/// How a client's datagrams leave: through a socket of its own, which is connected, or through one
/// that it shares with clients of other addresses.
struct Route
{
    int socket = -1;
    const sockaddr_in *server = nullptr; ///< nullptr = the socket is connected
    in_addr source{};                    ///< the client's, unless the socket is connected
};

class Outbox
{
public:
    Outbox();
    Outbox(const Outbox &) = delete;
    Outbox &operator=(const Outbox &) = delete;

    /// Where the next datagram goes that add() is to keep. It may send what was added before.
    [[nodiscard]] std::span<char, datagramSize> room(const Route &route);
    void add(const Route &route, std::size_t size);
    /// Sends what was added, and is empty then.
    void flush();

private:
    static constexpr std::size_t capacity = 64;
    using Control = std::array<char, CMSG_SPACE(sizeof(in_pktinfo))>;

    std::vector<std::array<char, datagramSize>> m_room;
    std::array<iovec, capacity> m_fields{};
    alignas(cmsghdr) std::array<Control, capacity> m_controls{};
    std::array<mmsghdr, capacity> m_messages{};
    std::size_t m_count = 0;
    int m_socket = -1; // of all that was added
};

} // namespace dtlsd::bench
