// SPDX-License-Identifier: Apache-2.0
#include "bench/throughput/DatagramBatch.h"

#include <cerrno>

namespace dtlsd::bench {

DatagramBatch::DatagramBatch()
    : m_room(capacity)
{
    for (std::size_t i = 0; i < capacity; ++i) {
        m_fields[i].iov_base = m_room[i].data();
        m_messages[i].msg_hdr.msg_iov = &m_fields[i];
        m_messages[i].msg_hdr.msg_iovlen = 1;
    }
}

std::span<char, DatagramBatch::datagramSize> DatagramBatch::room()
{
    return m_room[m_count];
}

void DatagramBatch::send(int socket)
{
    for (std::size_t sent = 0; sent < m_count;) {
        const int count =
            sendmmsg(socket, m_messages.data() + sent, static_cast<unsigned>(m_count - sent), 0);
        if (count > 0)
            sent += static_cast<std::size_t>(count);
        else if (errno != EINTR)
            break; // refused: the server is gone, and no receipt will come
    }
    m_count = 0;
}

std::size_t DatagramBatch::receive(int socket)
{
    for (iovec &field : m_fields)
        field.iov_len = datagramSize;
    const int count = recvmmsg(socket, m_messages.data(), capacity, MSG_DONTWAIT, nullptr);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

} // namespace dtlsd::bench
