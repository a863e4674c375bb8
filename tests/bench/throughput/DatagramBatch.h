// SPDX-License-Identifier: Apache-2.0
//
// DatagramBatch: room for datagrams of a connected socket that share a system call.
#pragma once

#include <array>
#include <span>
#include <vector>

#include <sys/socket.h>

namespace dtlsd::bench {

class DatagramBatch
{
public:
    static constexpr std::size_t capacity = 64;
    static constexpr std::size_t datagramSize = 2048; ///< the rest of a longer one is lost

    DatagramBatch();
    DatagramBatch(const DatagramBatch &) = delete;
    DatagramBatch &operator=(const DatagramBatch &) = delete;

    [[nodiscard]] bool isFull() const { return m_count == capacity; }
    /// Where the next datagram goes that add() is to keep.
    [[nodiscard]] std::span<char, datagramSize> room();
    void add(std::size_t size) { m_fields[m_count++].iov_len = size; }
    /// Sends what was added, and is empty then.
    void send(int socket);

    /// Calls @p take for each datagram that waits in @p socket.
    template <class Take>
    void receive(int socket, Take take)
    {
        std::size_t count = 0;
        do {
            count = receive(socket);
            for (std::size_t i = 0; i < count; ++i)
                take(std::span<const char>(m_room[i].data(), m_messages[i].msg_len));
        } while (count == capacity);
    }

private:
    std::size_t receive(int socket);

    std::vector<std::array<char, datagramSize>> m_room;
    std::array<iovec, capacity> m_fields{};
    std::array<mmsghdr, capacity> m_messages{};
    std::size_t m_count = 0;
};

} // namespace dtlsd::bench
