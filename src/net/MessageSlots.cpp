// SPDX-License-Identifier: Apache-2.0
#include "net/MessageSlots.h"

#include <cerrno>
#include <cstring>

#include <netinet/in.h>

namespace dtlsd {

namespace {

/// The local address in the control data of @p header, or @p bound if there is none.
SocketAddress destination(msghdr &header, const SocketAddress &bound)
{
    for (cmsghdr *control = CMSG_FIRSTHDR(&header); control;
         control = CMSG_NXTHDR(&header, control)) {
        if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(control), sizeof info);
            sockaddr_in in{};
            in.sin_family = AF_INET;
            in.sin_port = htons(bound.port());
            // A datagram from before IP_PKTINFO was set only has ipi_addr, from its header.
            in.sin_addr = info.ipi_spec_dst.s_addr != 0 ? info.ipi_spec_dst : info.ipi_addr;
            return SocketAddress::fromSockaddr(reinterpret_cast<const sockaddr *>(&in));
        }
        if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(control), sizeof info);
            sockaddr_in6 in6{};
            in6.sin6_family = AF_INET6;
            in6.sin6_port = htons(bound.port());
            in6.sin6_addr = info.ipi6_addr;
            if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
                in6.sin6_scope_id = info.ipi6_ifindex;
            return SocketAddress::fromSockaddr(reinterpret_cast<const sockaddr *>(&in6));
        }
    }
    return bound;
}

template <class Info>
void setControl(msghdr &header, int level, int type, const Info &info)
{
    header.msg_controllen = CMSG_SPACE(sizeof info);
    cmsghdr *control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = level;
    control->cmsg_type = type;
    control->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(control), &info, sizeof info);
}

/// Sends from @p local, whichever address the kernel would pick.
void setSource(msghdr &header, const SocketAddress &local, int family)
{
    sockaddr_storage storage{};
    local.toSockaddr(storage, family);
    if (family == AF_INET) {
        in_pktinfo info{};
        info.ipi_spec_dst = reinterpret_cast<const sockaddr_in &>(storage).sin_addr;
        setControl(header, IPPROTO_IP, IP_PKTINFO, info);
    } else {
        const auto &in6 = reinterpret_cast<const sockaddr_in6 &>(storage);
        in6_pktinfo info{};
        info.ipi6_addr = in6.sin6_addr;
        info.ipi6_ifindex = in6.sin6_scope_id;
        setControl(header, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
}

/// sendmmsg(2) for one datagram, as most of handshakes are; the kernel has less to copy.
void sendAlone(int descriptor, const msghdr &header)
{
    ssize_t sent = 0;
    do
        sent = sendto(descriptor, header.msg_iov->iov_base, header.msg_iov->iov_len, MSG_DONTWAIT,
                      static_cast<const sockaddr *>(header.msg_name), header.msg_namelen);
    while (sent < 0 && errno == EINTR);
}

} // namespace

MessageSlots::MessageSlots(std::size_t count)
    : m_slots(count)
    , m_messages(count)
    , m_received(count)
{
    for (std::size_t i = 0; i < count; ++i) {
        msghdr &header = m_messages[i].msg_hdr;
        header.msg_name = &m_slots[i].peer;
        header.msg_iov = &m_slots[i].data;
        header.msg_iovlen = 1;
        header.msg_control = m_slots[i].control.data();
    }
}

void MessageSlots::setData(std::size_t index, std::span<char> data)
{
    m_slots[index].data = {data.data(), data.size()};
}

/// recvmmsg(2) overwrites the sizes of the buffers with lengths.
void MessageSlots::prepareToReceive(std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) {
        msghdr &header = m_messages[i].msg_hdr;
        header.msg_namelen = sizeof m_slots[i].peer;
        header.msg_controllen = m_slots[i].control.size();
    }
}

std::size_t MessageSlots::receive(int descriptor)
{
    prepareToReceive(m_received);
    // An error pending on the socket, such as ICMP, is reported once and cleared by that; the
    // notifier fires again while there is something to read.
    const int count = recvmmsg(descriptor, m_messages.data(),
                               static_cast<unsigned>(m_messages.size()), MSG_DONTWAIT, nullptr);
    m_received = count > 0 ? static_cast<std::size_t>(count) : 0;
    return m_received;
}

Path MessageSlots::path(std::size_t index, const SocketAddress &bound)
{
    const auto *peer = reinterpret_cast<const sockaddr *>(&m_slots[index].peer);
    return {SocketAddress::fromSockaddr(peer), destination(m_messages[index].msg_hdr, bound)};
}

void MessageSlots::setPath(std::size_t index, const Path &path, const SocketAddress &bound,
                           int family)
{
    msghdr &header = m_messages[index].msg_hdr;
    header.msg_namelen = path.peer.toSockaddr(m_slots[index].peer, family);
    header.msg_controllen = 0;
    if (path.local != bound) // otherwise the kernel has no choice
        setSource(header, path.local, family);
}

void MessageSlots::send(int descriptor, std::size_t count)
{
    if (count == 1 && m_messages.front().msg_hdr.msg_controllen == 0) {
        sendAlone(descriptor, m_messages.front().msg_hdr);
        return;
    }
    for (std::size_t sent = 0; sent < count;) {
        const int taken = sendmmsg(descriptor, m_messages.data() + sent,
                                   static_cast<unsigned>(count - sent), MSG_DONTWAIT);
        if (taken > 0)
            sent += static_cast<std::size_t>(taken);
        else if (errno != EINTR)
            ++sent; // skips the datagram that failed: no route, full, refused
    }
}

} // namespace dtlsd
