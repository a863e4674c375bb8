// SPDX-License-Identifier: Apache-2.0
#include "bench/load/Inbox.h"

#include <cstring>

namespace dtlsd::bench {

Inbox::Inbox()
    : m_room(capacity)
{
    for (std::size_t i = 0; i < capacity; ++i) {
        m_fields[i] = {m_room[i].data(), datagramSize};
        m_messages[i].msg_hdr.msg_iov = &m_fields[i];
        m_messages[i].msg_hdr.msg_iovlen = 1;
        m_messages[i].msg_hdr.msg_control = m_controls[i].data();
    }
}

std::size_t Inbox::receive(int socket, std::size_t wanted)
{
    for (mmsghdr &message : std::span(m_messages).first(wanted))
        message.msg_hdr.msg_controllen = sizeof(Control);
    const int count =
        recvmmsg(socket, m_messages.data(), static_cast<unsigned>(wanted), MSG_DONTWAIT, nullptr);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

in_addr Inbox::destination(std::size_t datagram)
{
    msghdr &header = m_messages[datagram].msg_hdr;
    const cmsghdr *control = CMSG_FIRSTHDR(&header);
    in_pktinfo info{};
    if (control != nullptr && control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO)
        std::memcpy(&info, CMSG_DATA(control), sizeof info);
    return info.ipi_addr;
}

} // namespace dtlsd::bench
