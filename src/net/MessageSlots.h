// SPDX-License-Identifier: Apache-2.0
//
// MessageSlots: the arrays of recvmmsg(2) and sendmmsg(2) for a batch of datagrams and their
// control data. Set up once, because they are large.
#pragma once

#include "core/SocketAddress.h"

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <sys/socket.h>

namespace dtlsd {

class MessageSlots
{
public:
    explicit MessageSlots(std::size_t count);
    MessageSlots(const MessageSlots &) = delete;
    MessageSlots &operator=(const MessageSlots &) = delete;

    /// Sets the datagram that slot @p index sends, or the room in which it receives one.
    void setData(std::size_t index, std::span<char> data);

    /// Receives what is waiting at @p descriptor, without blocking, and returns the number of slots
    /// filled.
    std::size_t receive(int descriptor);
    /// The length of the datagram received in slot @p index.
    [[nodiscard]] std::size_t size(std::size_t index) const { return m_messages[index].msg_len; }
    /// Its sender, and the local address it came to, or @p bound if the kernel does not tell.
    [[nodiscard]] Path path(std::size_t index, const SocketAddress &bound);

    /// Addresses the datagram of slot @p index, for a socket of @p family bound to @p bound.
    void setPath(std::size_t index, const Path &path, const SocketAddress &bound, int family);
    /// Sends the first @p count slots. Datagrams that the kernel does not take are lost.
    void send(int descriptor, std::size_t count);

private:
    // Room for an in6_pktinfo after the timestamp that a socket unit may enable.
    static constexpr std::size_t controlSize = 128;

    struct Slot
    {
        iovec data{};
        sockaddr_storage peer{};
        alignas(cmsghdr) std::array<char, controlSize> control{};
    };

    void prepareToReceive(std::size_t count);

    std::vector<Slot> m_slots;
    std::vector<mmsghdr> m_messages;
    std::size_t m_received = 0; // slots that the kernel has written to
};

} // namespace dtlsd
