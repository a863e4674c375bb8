// SPDX-License-Identifier: Apache-2.0
#include "bench/load/Outbox.h"

#include <cerrno>
#include <cstring>

namespace dtlsd::bench {

Outbox::Outbox()
    : m_room(capacity)
{
    for (std::size_t i = 0; i < capacity; ++i) {
        m_fields[i].iov_base = m_room[i].data();
        m_messages[i].msg_hdr.msg_iov = &m_fields[i];
        m_messages[i].msg_hdr.msg_iovlen = 1;
    }
}

std::span<char, datagramSize> Outbox::room(const Route &route)
{
    if (m_count == capacity || (m_count > 0 && m_socket != route.socket))
        flush();
    return m_room[m_count];
}

void Outbox::add(const Route &route, std::size_t size)
{
    m_socket = route.socket;
    m_fields[m_count].iov_len = size;
    msghdr &header = m_messages[m_count].msg_hdr;
    header.msg_name = const_cast<sockaddr_in *>(route.server); // is read only
    header.msg_namelen = route.server != nullptr ? sizeof *route.server : 0;
    header.msg_control = route.server != nullptr ? m_controls[m_count].data() : nullptr;
    header.msg_controllen = route.server != nullptr ? m_controls[m_count].size() : 0;
    ++m_count;
    if (route.server == nullptr)
        return;
    cmsghdr *control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    in_pktinfo info{};
    info.ipi_spec_dst = route.source;
    std::memcpy(CMSG_DATA(control), &info, sizeof info);
}

void Outbox::flush()
{
    for (std::size_t sent = 0; sent < m_count;) {
        const int count =
            sendmmsg(m_socket, m_messages.data() + sent, static_cast<unsigned>(m_count - sent), 0);
        if (count > 0)
            sent += static_cast<std::size_t>(count);
        else if (errno != EINTR)
            ++sent; // refused: the server is gone, and no reply will come
    }
    m_count = 0;
}

} // namespace dtlsd::bench
