// SPDX-License-Identifier: Apache-2.0
#include "bench/load/LoadSockets.h"

#include <QHostAddress>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

namespace dtlsd::bench {

namespace {

constexpr quint32 firstSource = (127U << 24) + 1;
constexpr std::size_t sources = 250;
constexpr std::size_t mostFormer = 256;
constexpr rlim_t spareDescriptors = 64 + mostFormer;
constexpr std::size_t mostReady = 256;
constexpr int receiveBuffer = 4 << 20; // replies to many clients

timespec toTimespec(std::chrono::nanoseconds time)
{
    time = std::max(time, std::chrono::nanoseconds(0));
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return {seconds.count(), (time - seconds).count()};
}

bool isLoopback(const SocketAddress &server)
{
    return server.isIPv4() && server.address().isLoopback();
}

in_addr sourceOf(std::size_t client)
{
    return {htonl(firstSource + static_cast<quint32>(client % sources))};
}

/// For several fleets. Root may have more than its hard limit.
Result<> raiseDescriptorLimit(std::size_t sockets)
{
    rlimit files{};
    const rlim_t needed = sockets + spareDescriptors;
    static_cast<void>(getrlimit(RLIMIT_NOFILE, &files));
    const rlim_t plenty = std::max(files.rlim_max, 2 * needed);
    const rlimit more{plenty, plenty};
    if (setrlimit(RLIMIT_NOFILE, &more) == 0)
        return success();
    const rlimit allowed{files.rlim_max, files.rlim_max};
    if (files.rlim_max >= needed && setrlimit(RLIMIT_NOFILE, &allowed) == 0)
        return success();
    return Error{QStringLiteral("%1 clients need as many open files, and there may be %2; give "
                                "fewer clients, or raise the limit with ulimit -n")
                     .arg(sockets)
                     .arg(files.rlim_max)};
}

/// Those that are there.
void closeAll(const auto &sockets)
{
    for (const int socket : sockets) {
        if (socket >= 0)
            close(socket);
    }
}

} // namespace

void waitToRead(int descriptor, std::chrono::nanoseconds timeout)
{
    pollfd readable{descriptor, POLLIN, 0};
    const timespec time = toTimespec(timeout);
    static_cast<void>(ppoll(&readable, 1, &time, nullptr));
}

LoadSockets::LoadSockets(const SocketAddress &server, std::size_t clients, bool areShared)
    : m_server(server)
    , m_clients(clients)
    , m_areShared(areShared && isLoopback(server))
    , m_epoll(epoll_create1(EPOLL_CLOEXEC))
    , m_sockets(m_areShared ? (clients + sources - 1) / sources : clients, -1)
    , m_events(mostReady)
{
    if (!m_areShared)
        return;
    sockaddr_storage storage{};
    server.toSockaddr(storage, AF_INET);
    std::memcpy(&m_serverAddress, &storage, sizeof m_serverAddress);
}

LoadSockets::~LoadSockets()
{
    closeAll(m_sockets);
    closeAll(m_former);
    close(m_epoll);
}

Result<> LoadSockets::open()
{
    if (auto raised = raiseDescriptorLimit(m_sockets.size()); !raised)
        return raised;
    for (std::size_t socket = 0; socket < m_sockets.size(); ++socket) {
        m_sockets[socket] = makeSocket(socket);
        if (m_sockets[socket] < 0 || !watch(socket))
            return Error{QStringLiteral("no socket for client %1 of %2: %3")
                             .arg(socket + 1)
                             .arg(m_sockets.size())
                             .arg(QString::fromLocal8Bit(std::strerror(errno)))};
    }
    return success();
}

bool LoadSockets::renew(std::size_t client)
{
    if (m_areShared)
        return true;
    epoll_ctl(m_epoll, EPOLL_CTL_DEL, m_sockets[client], nullptr);
    m_former.push_back(m_sockets[client]);
    if (m_former.size() > mostFormer) {
        close(m_former.front());
        m_former.pop_front();
    }
    m_sockets[client] = makeSocket(client);
    return m_sockets[client] >= 0 && watch(client);
}

Route LoadSockets::route(std::size_t client) const
{
    if (m_areShared)
        return {m_sockets[client / sources], &m_serverAddress, sourceOf(client)};
    return {m_sockets[client], nullptr, {}};
}

/// -1: the system has none. The errors of connect() show when no session opens.
int LoadSockets::makeSocket(std::size_t socket) const
{
    const int family = m_server.isIPv4() ? AF_INET : AF_INET6;
    const int descriptor = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    if (m_areShared) {
        const int on = 1;
        static_cast<void>(setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on));
        static_cast<void>(
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, sizeof receiveBuffer));
        static_cast<void>(
            bind(descriptor, reinterpret_cast<const sockaddr *>(&source), sizeof source));
        return descriptor;
    }
    if (isLoopback(m_server)) {
        source.sin_addr = sourceOf(socket);
        static_cast<void>(
            bind(descriptor, reinterpret_cast<const sockaddr *>(&source), sizeof source));
    }
    sockaddr_storage server{};
    const socklen_t size = m_server.toSockaddr(server, family);
    static_cast<void>(connect(descriptor, reinterpret_cast<const sockaddr *>(&server), size));
    return descriptor;
}

bool LoadSockets::watch(std::size_t socket) const
{
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = socket;
    return epoll_ctl(m_epoll, EPOLL_CTL_ADD, m_sockets[socket], &event) == 0;
}

/// No client's number if the destination is none's address.
std::size_t LoadSockets::clientOf(std::size_t socket, in_addr destination) const
{
    if (!m_areShared)
        return socket;
    const std::size_t offset = ntohl(destination.s_addr) - firstSource;
    return offset < sources ? socket * sources + offset : m_clients;
}

/// The sockets that have something to read.
const std::vector<std::size_t> &LoadSockets::wait(std::chrono::nanoseconds timeout)
{
    const auto time = std::chrono::ceil<std::chrono::milliseconds>(timeout);
    const int count = epoll_wait(m_epoll, m_events.data(), static_cast<int>(m_events.size()),
                                 std::max(0, static_cast<int>(time.count())));
    m_ready.clear();
    for (int i = 0; i < count; ++i)
        m_ready.push_back(static_cast<std::size_t>(m_events[static_cast<std::size_t>(i)].data.u64));
    return m_ready;
}

} // namespace dtlsd::bench
