// SPDX-License-Identifier: Apache-2.0
#include "bench/load/LoadSockets.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <unistd.h>

namespace dtlsd::bench {

namespace {

constexpr quint32 firstSource = (127U << 24) + 1;
constexpr std::size_t sources = 250;
constexpr std::size_t mostFormer = 256;
constexpr std::size_t mostReady = 256;
constexpr int receiveBuffer = 4 << 20; // replies to many clients

timespec toTimespec(std::chrono::nanoseconds time)
{
    time = std::max(time, std::chrono::nanoseconds(0));
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return {seconds.count(), (time - seconds).count()};
}

in_addr sourceOf(std::size_t client)
{
    return {htonl(firstSource + static_cast<quint32>(client % sources))};
}

sockaddr_in toSockaddr(in_addr address, quint16 port)
{
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_addr = address;
    result.sin_port = htons(port);
    return result;
}

} // namespace

void waitToRead(std::initializer_list<int> descriptors, std::chrono::nanoseconds timeout)
{
    std::vector<pollfd> readable;
    for (const int descriptor : descriptors)
        readable.push_back({descriptor, POLLIN, 0});
    const timespec time = toTimespec(timeout);
    static_cast<void>(ppoll(readable.data(), readable.size(), &time, nullptr));
}

LoadSockets::LoadSockets(quint16 port, std::size_t clients, bool areShared)
    : m_server(toSockaddr({htonl(INADDR_LOOPBACK)}, port))
    , m_clients(clients)
    , m_areShared(areShared)
    , m_epoll(epoll_create1(EPOLL_CLOEXEC))
    , m_sockets(m_areShared ? (clients + sources - 1) / sources : clients, -1)
    , m_events(mostReady)
{
}

LoadSockets::~LoadSockets()
{
    for (const int socket : m_sockets)
        close(socket);
    for (const int socket : m_former)
        close(socket);
    close(m_epoll);
}

Result<> LoadSockets::open()
{
    for (std::size_t socket = 0; socket < m_sockets.size(); ++socket) {
        m_sockets[socket] = makeSocket(socket);
        if (m_sockets[socket] < 0)
            return Error{QStringLiteral("no socket for client %1 of %2: %3")
                             .arg(socket + 1)
                             .arg(m_sockets.size())
                             .arg(QString::fromLocal8Bit(std::strerror(errno)))};
    }
    return success();
}

void LoadSockets::renew(std::size_t client)
{
    if (m_areShared)
        return;
    epoll_ctl(m_epoll, EPOLL_CTL_DEL, m_sockets[client], nullptr);
    m_former.push_back(m_sockets[client]);
    if (m_former.size() > mostFormer) {
        close(m_former.front());
        m_former.pop_front();
    }
    m_sockets[client] = makeSocket(client);
}

Route LoadSockets::route(std::size_t client) const
{
    if (m_areShared)
        return {m_sockets[client / sources], &m_server, sourceOf(client)};
    return {m_sockets[client], nullptr, {}};
}

/// -1: the system has none. The errors of other calls show when no session opens.
int LoadSockets::makeSocket(std::size_t socket) const
{
    const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return descriptor;
    const auto put = [descriptor](const sockaddr_in &address, auto *call) {
        static_cast<void>(
            call(descriptor, reinterpret_cast<const sockaddr *>(&address), sizeof address));
    };
    const auto set = [descriptor](int level, int option, int value) {
        static_cast<void>(setsockopt(descriptor, level, option, &value, sizeof value));
    };
    if (m_areShared) {
        set(IPPROTO_IP, IP_PKTINFO, 1);
        set(SOL_SOCKET, SO_RCVBUF, receiveBuffer);
        put(toSockaddr({INADDR_ANY}, 0), bind);
    } else {
        put(toSockaddr(sourceOf(socket), 0), bind);
        put(m_server, connect);
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = socket;
    static_cast<void>(epoll_ctl(m_epoll, EPOLL_CTL_ADD, descriptor, &event));
    return descriptor;
}

/// No client's number if the destination is none's address.
std::size_t LoadSockets::clientOf(std::size_t socket, in_addr destination) const
{
    if (!m_areShared)
        return socket;
    const std::size_t offset = ntohl(destination.s_addr) - firstSource;
    return offset < sources ? socket * sources + offset : m_clients;
}

/// Of the sockets that have something to read.
std::span<const epoll_event> LoadSockets::wait(std::chrono::nanoseconds timeout)
{
    const auto time = std::chrono::ceil<std::chrono::milliseconds>(timeout);
    const int count = epoll_wait(m_epoll, m_events.data(), static_cast<int>(m_events.size()),
                                 std::max(0, static_cast<int>(time.count())));
    return std::span(m_events).first(static_cast<std::size_t>(std::max(0, count)));
}

} // namespace dtlsd::bench
