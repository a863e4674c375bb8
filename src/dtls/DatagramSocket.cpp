// SPDX-License-Identifier: Apache-2.0
#include "dtls/DatagramSocket.h"

#include <QVariant>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dtlsd {

namespace {

constexpr std::size_t sendBatchSize = 64;
// Room for an in6_pktinfo, behind the timestamp that a socket unit may ask for.
constexpr std::size_t controlSize = 128;

bool setFlag(int descriptor, int level, int name)
{
    const int on = 1;
    return setsockopt(descriptor, level, name, &on, sizeof on) == 0;
}

/// Makes the kernel say which of our addresses each datagram came to.
bool keepDestination(int descriptor, int family)
{
    return family == AF_INET ? setFlag(descriptor, IPPROTO_IP, IP_PKTINFO)
                             : setFlag(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO);
}

/// A socket for each family: otherwise [::] would take the port of 0.0.0.0 as well.
bool isOfOneFamily(int descriptor, int family)
{
    return family == AF_INET || setFlag(descriptor, IPPROTO_IPV6, IPV6_V6ONLY);
}

void growReceiveBuffer(int descriptor, int size)
{
    // The forced variant passes net.core.rmem_max, with CAP_NET_ADMIN; receiveBufferSize() tells
    // what came of it.
    if (size > 0 && setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

/// Binding without SO_REUSEPORT fails if anybody holds the port, a second dtlsd among them; set
/// afterwards, the option lets siblings in.
bool bindShared(int descriptor, const sockaddr_storage &storage, socklen_t length,
                DatagramSocket::Sharing sharing)
{
    const auto *address = reinterpret_cast<const sockaddr *>(&storage);
    if (sharing == DatagramSocket::Sharing::First)
        return ::bind(descriptor, address, length) == 0 &&
               setFlag(descriptor, SOL_SOCKET, SO_REUSEPORT);
    return setFlag(descriptor, SOL_SOCKET, SO_REUSEPORT) &&
           ::bind(descriptor, address, length) == 0;
}

/// What the operator can do about it, as the end of a sentence.
QString remedyFor(int error)
{
    switch (error) {
    case EADDRINUSE:
        return QStringLiteral("; ss -lunp shows who has it");
    case EADDRNOTAVAIL:
        return QStringLiteral("; this machine does not have it, or not yet");
    case EACCES:
        return QStringLiteral("; ports below 1024 need CAP_NET_BIND_SERVICE");
    default:
        return {};
    }
}

sockaddr_storage boundTo(int descriptor)
{
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    getsockname(descriptor, reinterpret_cast<sockaddr *>(&storage), &length);
    return storage;
}

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
            // What came before IP_PKTINFO was set has only the address in its header.
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

/// Makes the kernel send from @p local, whichever address it would pick by itself.
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

/// What recvmmsg(2) and sendmmsg(2) need for one datagram.
struct Slot
{
    iovec data{};
    sockaddr_storage peer{};
    alignas(cmsghdr) std::array<char, controlSize> control{};
};

void prepare(msghdr &header, Slot &slot)
{
    header = {};
    header.msg_name = &slot.peer;
    header.msg_namelen = sizeof slot.peer;
    header.msg_iov = &slot.data;
    header.msg_iovlen = 1;
    header.msg_control = slot.control.data();
    header.msg_controllen = slot.control.size();
}

} // namespace

ReceiveBuffer::ReceiveBuffer(std::size_t slots)
    : m_slots(slots)
    , m_bytes(std::make_unique_for_overwrite<char[]>(slots * maximumDatagram))
{
    received.reserve(slots);
}

std::span<char> ReceiveBuffer::room(std::size_t slot)
{
    return {m_bytes.get() + slot * maximumDatagram, maximumDatagram};
}

/// Takes QDtls' writes; proved to need nothing else of a QUdpSocket than these two overrides.
class DatagramSocket::Output : public QUdpSocket
{
public:
    explicit Output(DatagramSocket &socket)
        : m_socket(socket)
    {
        setSocketState(ConnectedState); // so that QDtls calls write()
        setOpenMode(ReadWrite | Unbuffered);
    }

    /// QDtlsClientVerifier asks for the path MTU; without a descriptor there is none.
    QVariant socketOption(SocketOption) override { return {}; }

protected:
    qint64 writeData(const char *data, qint64 size) override
    {
        m_socket.enqueue({data, size});
        return size;
    }

private:
    DatagramSocket &m_socket;
};

Result<std::unique_ptr<DatagramSocket>> DatagramSocket::bind(const SocketAddress &address,
                                                             const Options &options)
{
    const int family = address.isIPv4() ? AF_INET : AF_INET6;
    const int descriptor = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_storage storage{};
    const socklen_t length = address.toSockaddr(storage, family);
    if (descriptor < 0 || !keepDestination(descriptor, family) ||
        !isOfOneFamily(descriptor, family) ||
        !bindShared(descriptor, storage, length, options.sharing)) {
        const int error = errno;
        if (descriptor >= 0)
            ::close(descriptor);
        return Error{QStringLiteral("cannot listen on %1: %2%3")
                         .arg(address.toString(), QString::fromLocal8Bit(std::strerror(error)),
                              remedyFor(error))};
    }
    growReceiveBuffer(descriptor, options.receiveBuffer);
    auto bound = std::unique_ptr<DatagramSocket>(
        new DatagramSocket(descriptor, addressOf(descriptor), family));
    bound->m_notifier->setEnabled(!options.isPaused);
    return bound;
}

std::unique_ptr<DatagramSocket> DatagramSocket::adopt(int descriptor)
{
    const int family = boundTo(descriptor).ss_family;
    keepDestination(descriptor, family); // if not, replies leave from the address it is bound to
    auto adopted = std::unique_ptr<DatagramSocket>(
        new DatagramSocket(descriptor, addressOf(descriptor), family));
    adopted->m_notifier->setEnabled(false);
    static_cast<void>(adopted->takeOverflow()); // of those who had it before
    return adopted;
}

SocketAddress DatagramSocket::addressOf(int descriptor)
{
    const sockaddr_storage storage = boundTo(descriptor);
    return SocketAddress::fromSockaddr(reinterpret_cast<const sockaddr *>(&storage));
}

DatagramSocket::DatagramSocket(const SocketAddress &local)
    : m_local(local)
    , m_output(std::make_unique<Output>(*this))
{
    m_queue.reserve(sendBatchSize);
}

DatagramSocket::DatagramSocket(int descriptor, const SocketAddress &local, int family)
    : DatagramSocket(local)
{
    m_descriptor = descriptor;
    m_family = family;
    m_notifier = std::make_unique<QSocketNotifier>(descriptor, QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, &DatagramSocket::readyRead);
}

DatagramSocket::~DatagramSocket()
{
    m_notifier.reset();
    if (m_descriptor >= 0)
        ::close(m_descriptor);
}

int DatagramSocket::receiveBufferSize() const
{
    int size = 0;
    socklen_t length = sizeof size;
    getsockopt(m_descriptor, SOL_SOCKET, SO_RCVBUF, &size, &length);
    return size;
}

std::uint64_t DatagramSocket::takeOverflow()
{
    std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
    socklen_t length = sizeof info;
    if (getsockopt(m_descriptor, SOL_SOCKET, SO_MEMINFO, info.data(), &length) != 0)
        return 0; // no descriptor, as in tests
    // The kernel's counter wraps; the difference does not mind.
    return info[SK_MEMINFO_DROPS] - std::exchange(m_overflow, info[SK_MEMINFO_DROPS]);
}

bool DatagramSocket::receive(ReceiveBuffer &buffer)
{
    buffer.received.clear();
    receiveBatch(buffer);
    return !buffer.received.empty();
}

void DatagramSocket::receiveBatch(ReceiveBuffer &buffer)
{
    std::vector<Slot> slots(buffer.slots());
    std::vector<mmsghdr> messages(buffer.slots());
    for (std::size_t i = 0; i < slots.size(); ++i) {
        const std::span<char> room = buffer.room(i);
        slots[i].data = {room.data(), room.size()};
        prepare(messages[i].msg_hdr, slots[i]);
    }
    // An error of the socket (ICMP, say) is reported once and cleared by that; the notifier asks
    // again as long as there is something to read.
    const int count = recvmmsg(m_descriptor, messages.data(),
                               static_cast<unsigned>(messages.size()), MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; ++i) {
        const auto index = static_cast<std::size_t>(i);
        const auto peer =
            SocketAddress::fromSockaddr(reinterpret_cast<const sockaddr *>(&slots[index].peer));
        buffer.received.push_back({{peer, destination(messages[index].msg_hdr, m_local)},
                                   {buffer.room(index).data(), messages[index].msg_len}});
    }
}

QUdpSocket *DatagramSocket::output(const Path &path)
{
    m_path = path;
    m_hasLastOutput = false;
    return m_output.get();
}

QByteArrayView DatagramSocket::lastOutput() const
{
    return m_hasLastOutput && !m_queue.empty() ? QByteArrayView(m_queue.back().bytes)
                                               : QByteArrayView();
}

void DatagramSocket::enqueue(QByteArrayView datagram)
{
    if (m_queue.size() == sendBatchSize)
        flush();
    m_queue.push_back({m_path, datagram.toByteArray()});
    m_hasLastOutput = true;
}

void DatagramSocket::flush()
{
    if (!m_queue.empty())
        sendBatch(m_queue);
    m_queue.clear();
}

void DatagramSocket::sendBatch(std::span<const OutgoingDatagram> batch)
{
    std::array<Slot, sendBatchSize> slots;
    std::array<mmsghdr, sendBatchSize> messages{};
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const OutgoingDatagram &datagram = batch[i];
        slots[i].data = {const_cast<char *>(datagram.bytes.data()), // sendmsg(2) only reads it
                         static_cast<std::size_t>(datagram.bytes.size())};
        msghdr &header = messages[i].msg_hdr;
        prepare(header, slots[i]);
        header.msg_namelen = datagram.path.peer.toSockaddr(slots[i].peer, m_family);
        setSource(header, datagram.path.local, m_family);
    }
    for (std::size_t sent = 0; sent < batch.size();) {
        const int count = sendmmsg(m_descriptor, messages.data() + sent,
                                   static_cast<unsigned>(batch.size() - sent), MSG_DONTWAIT);
        if (count > 0)
            sent += static_cast<std::size_t>(count);
        else if (errno != EINTR)
            ++sent; // the first of the rest is the one that failed: no route, full, refused
    }
}

} // namespace dtlsd
