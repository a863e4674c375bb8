// SPDX-License-Identifier: Apache-2.0
//
// MessageSlots: what recvmmsg(2) and sendmmsg(2) need for a batch of datagrams, and what the kernel
// says about each or is told. Set up once, as the arrays are large.
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

    /// Where slot @p index has its datagram; when it is to receive one, how much room there is.
    void setData(std::size_t index, std::span<char> data);

    /// Receives what is waiting at @p descriptor, without waiting itself, and returns how many
    /// slots that has filled.
    std::size_t receive(int descriptor);
    /// How long the datagram is that slot @p index has received.
    [[nodiscard]] std::size_t size(std::size_t index) const { return m_messages[index].msg_len; }
    /// Who sent it, and to which of our addresses; @p bound if the kernel does not say.
    [[nodiscard]] Path path(std::size_t index, const SocketAddress &bound);

    /// Where the datagram of slot @p index goes from a socket of @p family at @p bound.
    void setPath(std::size_t index, const Path &path, const SocketAddress &bound, int family);
    /// Sends those of the first @p count slots. What the kernel does not take at once is lost.
    void send(int descriptor, std::size_t count);

private:
    // Room for an in6_pktinfo, behind the timestamp that a socket unit may ask for.
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
