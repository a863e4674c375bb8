// SPDX-License-Identifier: Apache-2.0
#include "net/DatagramSocket.h"

#include <QVariant>

#include <algorithm>
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

// Enough to make the system call cheap. With a larger batch the peers would idle until it is full,
// and then the server would: they would take turns instead of working in parallel.
constexpr std::size_t sendBatchSize = 16;

bool setFlag(int descriptor, int level, int name)
{
    const int on = 1;
    return setsockopt(descriptor, level, name, &on, sizeof on) == 0;
}

bool isWildcard(const SocketAddress &address)
{
    const QHostAddress any(address.isIPv4() ? QHostAddress::AnyIPv4 : QHostAddress::AnyIPv6);
    return address == SocketAddress(any, address.port());
}

/// Requests the local address that each datagram came to.
bool keepDestination(int descriptor, int family)
{
    return family == AF_INET ? setFlag(descriptor, IPPROTO_IP, IP_PKTINFO)
                             : setFlag(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO);
}

/// One socket for each family: otherwise [::] would also take the port of 0.0.0.0.
bool isOfOneFamily(int descriptor, int family)
{
    return family == AF_INET || setFlag(descriptor, IPPROTO_IPV6, IPV6_V6ONLY);
}

bool takesIPv4(int descriptor, int family)
{
    int isForIPv6Only = 0;
    socklen_t length = sizeof isForIPv6Only;
    getsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &isForIPv6Only, &length);
    return family == AF_INET || isForIPv6Only == 0;
}

/// Binding without SO_REUSEPORT fails if any socket has the port, even one of a second dtlsd; set
/// afterwards, the option admits siblings.
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

/// What the operator can do about it, to end a message.
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

} // namespace

/// Takes the writes of QDtls, which needs only these two overrides of QUdpSocket.
class DatagramSocket::Output : public QUdpSocket
{
public:
    explicit Output(DatagramSocket &socket)
        : m_socket(socket)
    {
        setSocketState(ConnectedState); // so that QDtls calls write()
        setOpenMode(ReadWrite | Unbuffered);
    }

    /// QDtlsClientVerifier asks for the path MTU, unknown without a descriptor.
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

Result<Descriptor> DatagramSocket::open(const SocketAddress &address, const Options &options)
{
    const int family = address.isIPv4() ? AF_INET : AF_INET6;
    Descriptor opened(socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int descriptor = opened.number();
    sockaddr_storage storage{};
    const socklen_t length = address.toSockaddr(storage, family);
    if (descriptor < 0 || (isWildcard(address) && !keepDestination(descriptor, family)) ||
        !isOfOneFamily(descriptor, family) ||
        !bindShared(descriptor, storage, length, options.sharing)) {
        const int error = errno;
        return Error{QStringLiteral("cannot listen on %1: %2%3")
                         .arg(address.toString(), QString::fromLocal8Bit(std::strerror(error)),
                              remedyFor(error))};
    }
    growReceiveBuffer(descriptor, options.receiveBuffer);
    return opened;
}

Result<std::unique_ptr<DatagramSocket>> DatagramSocket::bind(const SocketAddress &address,
                                                             const Options &options)
{
    Result<Descriptor> opened = open(address, options);
    if (!opened)
        return opened.error();
    const SocketAddress local = addressOf(opened.value().number());
    auto bound = std::unique_ptr<DatagramSocket>(new DatagramSocket(
        std::move(opened).value(), local, address.isIPv4() ? AF_INET : AF_INET6));
    bound->m_notifier->setEnabled(!options.isPaused);
    return bound;
}

std::unique_ptr<DatagramSocket> DatagramSocket::adopt(Descriptor descriptor)
{
    const int family = boundTo(descriptor.number()).ss_family;
    const SocketAddress address = addressOf(descriptor.number());
    // If this fails, replies leave from the address the socket is bound to.
    if (isWildcard(address))
        keepDestination(descriptor.number(), family);
    auto adopted =
        std::unique_ptr<DatagramSocket>(new DatagramSocket(std::move(descriptor), address, family));
    adopted->m_notifier->setEnabled(false);
    static_cast<void>(adopted->takeOverflow()); // drops under a former owner
    return adopted;
}

std::shared_ptr<const Descriptor> DatagramSocket::duplicate()
{
    if (!m_duplicate) {
        Descriptor duplicate(fcntl(m_descriptor.number(), F_DUPFD_CLOEXEC, 0));
        if (duplicate.number() >= 0)
            m_duplicate = std::make_shared<const Descriptor>(std::move(duplicate));
    }
    return m_duplicate;
}

std::unique_ptr<DatagramSocket> DatagramSocket::sender(const Descriptor &duplicate)
{
    Descriptor own(fcntl(duplicate.number(), F_DUPFD_CLOEXEC, 0));
    return own.number() >= 0 ? adopt(std::move(own)) : nullptr;
}

SocketAddress DatagramSocket::addressOf(int descriptor)
{
    const sockaddr_storage storage = boundTo(descriptor);
    return SocketAddress::fromSockaddr(reinterpret_cast<const sockaddr *>(&storage));
}

DatagramSocket::DatagramSocket(const SocketAddress &local)
    : m_takesIPv4(local.isIPv4())
    , m_local(local)
    , m_output(std::make_unique<Output>(*this))
    , m_queue(sendBatchSize)
    , m_messages(sendBatchSize)
{
}

DatagramSocket::DatagramSocket(Descriptor descriptor, const SocketAddress &local, int family)
    : DatagramSocket(local)
{
    m_descriptor = std::move(descriptor);
    m_family = family;
    m_takesIPv4 = takesIPv4(m_descriptor.number(), family);
    m_notifier = std::make_unique<QSocketNotifier>(m_descriptor.number(), QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, &DatagramSocket::readyRead);
}

DatagramSocket::~DatagramSocket() = default;

bool DatagramSocket::receivesAt(const SocketAddress &local) const
{
    const bool isOfItsFamily = local.isIPv4() ? m_takesIPv4 : !m_local.isIPv4();
    return m_local == local ||
           (isWildcard(m_local) && m_local.port() == local.port() && isOfItsFamily);
}

void DatagramSocket::growReceiveBuffer(int descriptor, int bytes)
{
    // With CAP_NET_ADMIN the forced variant may exceed net.core.rmem_max; receiveBufferSize() tells
    // the result.
    if (bytes > 0 && setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

int DatagramSocket::receiveBufferOf(int descriptor)
{
    int size = 0;
    socklen_t length = sizeof size;
    getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, &length);
    return size;
}

std::uint64_t DatagramSocket::takeOverflow()
{
    std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
    socklen_t length = sizeof info;
    if (getsockopt(m_descriptor.number(), SOL_SOCKET, SO_MEMINFO, info.data(), &length) != 0)
        return 0; // no descriptor, as in tests
    // The kernel's counter may wrap; the difference is right even then.
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
    MessageSlots &messages = buffer.messages();
    const std::size_t count = messages.receive(m_descriptor.number());
    for (std::size_t i = 0; i < count; ++i) {
        const auto received = buffer.room(i).first(messages.size(i));
        buffer.received.push_back({messages.path(i, m_local), received});
    }
}

QUdpSocket *DatagramSocket::output(const Path &path, Allowance *allowance)
{
    m_path = path;
    m_allowance = allowance;
    m_hasLastOutput = false;
    return m_output.get();
}

QByteArrayView DatagramSocket::lastOutput() const
{
    return m_hasLastOutput && m_queued > 0 ? QByteArrayView(m_queue[m_queued - 1].bytes)
                                           : QByteArrayView();
}

void DatagramSocket::enqueue(QByteArrayView datagram)
{
    if (m_allowance && m_allowance->bytes < datagram.size()) {
        ++m_allowance->dropped;
        return;
    }
    if (m_allowance)
        m_allowance->bytes -= datagram.size();
    if (m_queued == m_queue.size())
        flush();
    OutgoingDatagram &next = m_queue[m_queued++];
    next.path = m_path;
    next.bytes.resize(datagram.size()); // keeps the capacity
    std::copy(datagram.begin(), datagram.end(), next.bytes.begin());
    m_hasLastOutput = true;
}

void DatagramSocket::flush()
{
    if (m_queued > 0)
        sendBatch(std::span(m_queue).first(m_queued));
    m_queued = 0;
}

void DatagramSocket::sendBatch(std::span<const OutgoingDatagram> batch)
{
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const QByteArray &bytes = batch[i].bytes;
        m_messages.setData(i, {const_cast<char *>(bytes.data()), // sendmmsg(2) only reads it
                               static_cast<std::size_t>(bytes.size())});
        m_messages.setPath(i, batch[i].path, m_local, m_family);
    }
    m_messages.send(m_descriptor.number(), batch.size());
}

} // namespace dtlsd
