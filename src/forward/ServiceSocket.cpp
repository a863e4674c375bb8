// SPDX-License-Identifier: Apache-2.0
#include "forward/ServiceSocket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

namespace dtlsd {

namespace {

int call(const auto &function, int descriptor, const SocketAddress &address, int family)
{
    sockaddr_storage storage{};
    const socklen_t size = address.toSockaddr(storage, family);
    return function(descriptor, reinterpret_cast<const sockaddr *>(&storage), size);
}

} // namespace

std::variant<ServiceSocket, int> ServiceSocket::open(const SocketAddress &source,
                                                     const SocketAddress &target)
{
    const int family = target.isIPv4() ? AF_INET : AF_INET6;
    ServiceSocket opened;
    opened.m_descriptor = Descriptor(socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int number = opened.descriptor();
    const int yes = 1;
    if (number < 0 || setsockopt(number, SOL_SOCKET, SO_RXQ_OVFL, &yes, sizeof yes) < 0 ||
        call(bind, number, source, family) < 0 || call(connect, number, target, family) < 0)
        return errno;
    // connect(2) keeps what came since bind(2), from anybody.
    char byte = 0;
    while (recv(number, &byte, sizeof byte, MSG_DONTWAIT) >= 0) {
    }
    return opened;
}

int ServiceSocket::send(QByteArrayView header, QByteArrayView payload)
{
    const auto part = [](QByteArrayView bytes) {
        return iovec{const_cast<char *>(bytes.data()), static_cast<std::size_t>(bytes.size())};
    };
    std::array parts{part(header), part(payload)};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    ssize_t sent = 0;
    do
        sent = sendmsg(descriptor(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? errno : 0;
}

ServiceSocket::Received ServiceSocket::receive(std::span<char> buffer)
{
    iovec part{buffer.data(), buffer.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof m_dropped)> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t size = 0;
    do
        size = recvmsg(descriptor(), &message, MSG_DONTWAIT);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return {.error = errno};
    Received received{.payload = QByteArray(buffer.data(), static_cast<qsizetype>(size))};
    const cmsghdr *dropped = CMSG_FIRSTHDR(&message);
    if (dropped && dropped->cmsg_level == SOL_SOCKET && dropped->cmsg_type == SO_RXQ_OVFL) {
        std::uint32_t count = 0; // modulo 2^32
        std::memcpy(&count, CMSG_DATA(dropped), sizeof count);
        received.dropped = count - std::exchange(m_dropped, count);
    }
    return received;
}

} // namespace dtlsd
