// SPDX-License-Identifier: Apache-2.0
//
// ReceiveBuffer: room for a batch of datagrams of any size; shared by the sockets of one thread.
#pragma once

#include "core/SocketAddress.h"
#include "net/MessageSlots.h"

#include <QByteArrayView>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace dtlsd {

struct ReceivedDatagram
{
    Path path;
    QByteArrayView bytes; ///< valid until the buffer receives again
};

class ReceiveBuffer
{
public:
    explicit ReceiveBuffer(std::size_t slots = 64);

    /// How many datagrams fit.
    [[nodiscard]] std::size_t slots() const { return m_slots; }
    /// The room for datagram @p slot.
    [[nodiscard]] std::span<char> room(std::size_t slot);
    /// The slots for recvmmsg(2), which receive into room().
    [[nodiscard]] MessageSlots &messages() { return m_messages; }
    /// Whether the kernel may have more datagrams waiting.
    [[nodiscard]] bool isFull() const { return received.size() == m_slots; }

    std::vector<ReceivedDatagram> received;

private:
    static constexpr std::size_t maximumDatagram = 65'536;

    std::size_t m_slots;
    std::unique_ptr<char[]> m_bytes; // a page is allocated only once a datagram reaches it
    MessageSlots m_messages;
};

} // namespace dtlsd
