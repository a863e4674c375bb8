// SPDX-License-Identifier: Apache-2.0
//
// Outbox: sends datagrams of many clients with one system call.
#pragma once

#include <array>
#include <span>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

namespace dtlsd::bench {

/// Bytes; a longer datagram is truncated.
inline constexpr std::size_t datagramSize = 2048;

/// The route of a client's datagrams: a connected socket of its own, or a socket that it shares
/// with clients of other addresses.
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

    /// Room for the next datagram, before add(). May send the datagrams added before.
    [[nodiscard]] std::span<char, datagramSize> room(const Route &route);
    void add(const Route &route, std::size_t size);
    /// Sends all added datagrams; the outbox is empty afterwards.
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
