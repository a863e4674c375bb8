// SPDX-License-Identifier: Apache-2.0
#include "support/SpoofedPeers.h"

#include <QtEndian>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dtlsd::test {

namespace {

constexpr std::uint32_t network = 0x7f400000; // 127.64.0.0/10
constexpr std::uint32_t mask = 0xffc00000;
constexpr std::size_t batchSize = 64;
constexpr std::size_t headersSize = sizeof(iphdr) + sizeof(udphdr);
constexpr int receiveBuffer = 64 << 20;

/// Both are in network byte order.
struct Headers
{
    iphdr ip;
    udphdr udp;
};
static_assert(sizeof(Headers) == headersSize);

std::uint32_t ipv4(const SocketAddress &address)
{
    return address.address().toIPv4Address();
}

QByteArray packet(const SocketAddress &from, const SocketAddress &to, QByteArrayView payload)
{
    Headers headers{};
    headers.ip.version = 4;
    headers.ip.ihl = 5;
    headers.ip.ttl = 64;
    headers.ip.protocol = IPPROTO_UDP; // the kernel adds length, identification and checksum
    headers.ip.saddr = qToBigEndian(ipv4(from));
    headers.ip.daddr = qToBigEndian(ipv4(to));
    headers.udp.source = qToBigEndian(from.port());
    headers.udp.dest = qToBigEndian(to.port());
    headers.udp.len =
        qToBigEndian(static_cast<quint16>(qsizetype{sizeof(udphdr)} + payload.size()));
    QByteArray bytes(reinterpret_cast<const char *>(&headers), sizeof headers);
    return bytes.append(payload); // without a UDP checksum, which IPv4 allows
}

/// Passes only datagrams from @p port to 127.64.0.0/10, of all the machine's traffic.
bool keepAnswersOf(std::uint16_t port, int socket)
{
    std::array<sock_filter, 7> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(iphdr, daddr)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, network, 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, sizeof(iphdr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

} // namespace

Result<std::unique_ptr<SpoofedPeers>> SpoofedPeers::against(const SocketAddress &server)
{
    const int sender = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    const int receiver = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
    const int size = receiveBuffer;
    if (sender < 0 || receiver < 0 ||
        setsockopt(receiver, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0 ||
        !keepAnswersOf(server.port(), receiver)) {
        const int error = errno;
        for (const int descriptor : {sender, receiver}) {
            if (descriptor >= 0)
                ::close(descriptor);
        }
        return Error{QStringLiteral("cannot forge source addresses: %1")
                         .arg(QString::fromLocal8Bit(std::strerror(error)))};
    }
    // Without the filter it has received anything that was sent on this machine.
    char byte = 0;
    while (recv(receiver, &byte, sizeof byte, MSG_DONTWAIT) >= 0) {
    }
    return std::unique_ptr<SpoofedPeers>(new SpoofedPeers(server, sender, receiver));
}

SpoofedPeers::SpoofedPeers(const SocketAddress &server, int sender, int receiver)
    : m_server(server)
    , m_sender(sender)
    , m_receiver(receiver)
{
}

SpoofedPeers::~SpoofedPeers()
{
    ::close(m_sender);
    ::close(m_receiver);
}

SocketAddress SpoofedPeers::at(std::uint32_t number, std::uint16_t port)
{
    return {QHostAddress(network | (number & ~mask)), port};
}

void SpoofedPeers::send(const SocketAddress &source, QByteArrayView datagram)
{
    if (m_queue.size() == batchSize)
        flush();
    m_queue.push_back(packet(source, m_server, datagram));
    if ((ipv4(source) & mask) != network)
        return;
    Exchange &exchange = m_exchanges[source];
    for (Tally *tally : {&m_sent, &exchange.sent}) {
        ++tally->datagrams;
        tally->bytes += datagram.size();
    }
}

void SpoofedPeers::flush()
{
    sockaddr_storage to{};
    const socklen_t length = m_server.toSockaddr(to, AF_INET);
    std::array<iovec, batchSize> data{};
    std::array<mmsghdr, batchSize> messages{};
    for (std::size_t i = 0; i < m_queue.size(); ++i) {
        data[i] = {m_queue[i].data(), static_cast<std::size_t>(m_queue[i].size())};
        messages[i].msg_hdr.msg_name = &to;
        messages[i].msg_hdr.msg_namelen = length;
        messages[i].msg_hdr.msg_iov = &data[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (std::size_t sent = 0; sent < m_queue.size();) {
        const int count = sendmmsg(m_sender, messages.data() + sent,
                                   static_cast<unsigned>(m_queue.size() - sent), 0);
        if (count > 0)
            sent += static_cast<std::size_t>(count);
        else if (errno != EINTR && errno != EAGAIN && errno != ENOBUFS)
            qFatal("cannot send a forged datagram: %s", std::strerror(errno));
    }
    m_queue.clear();
}

void SpoofedPeers::receive(const Look &look)
{
    std::array<char, 65536> room{};
    for (;;) {
        const ssize_t size = recv(m_receiver, room.data(), room.size(), MSG_DONTWAIT);
        if (size < 0)
            return;
        take({room.data(), size}, look);
    }
}

void SpoofedPeers::take(QByteArrayView packet, const Look &look)
{
    if (packet.size() < static_cast<qsizetype>(headersSize))
        return;
    Headers headers{};
    std::memcpy(&headers, packet.data(), sizeof headers);
    const SocketAddress source(QHostAddress(qFromBigEndian<quint32>(headers.ip.daddr)),
                               qFromBigEndian(headers.udp.dest));
    const QByteArrayView payload = packet.sliced(headersSize);
    Exchange &exchange = m_exchanges[source];
    for (Tally *tally : {&m_answered, &exchange.answered}) {
        ++tally->datagrams;
        tally->bytes += payload.size();
    }
    if (look)
        look(source, payload);
}

SpoofedPeers::Tally SpoofedPeers::answersTo(const SocketAddress &source) const
{
    const auto found = m_exchanges.find(source);
    return found == m_exchanges.end() ? Tally() : found->second.answered;
}

double SpoofedPeers::largestRatio() const
{
    double largest = 0;
    for (const auto &[source, exchange] : m_exchanges) {
        const std::int64_t sent = std::max<std::int64_t>(exchange.sent.bytes, 1);
        largest = std::max(largest, static_cast<double>(exchange.answered.bytes) /
                                        static_cast<double>(sent));
    }
    return largest;
}

std::uint32_t SpoofedPeers::missed() const
{
    std::array<std::uint32_t, SK_MEMINFO_VARS> values{};
    socklen_t length = sizeof values;
    if (getsockopt(m_receiver, SOL_SOCKET, SO_MEMINFO, values.data(), &length) != 0)
        return UINT32_MAX;
    return values[SK_MEMINFO_DROPS];
}

} // namespace dtlsd::test
