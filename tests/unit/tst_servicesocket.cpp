// SPDX-License-Identifier: Apache-2.0
//
// ServiceSocket against sockets of others. connect(2) is wrapped (--wrap), so that a test can act
// between it and bind(2).
#include "forward/ServiceSocket.h"
#include "support/FreePort.h"

#include <QTest>
#include <QUdpSocket>

#include <cerrno>
#include <cstring>
#include <functional>
#include <vector>

#include <sys/socket.h>

using namespace dtlsd;

namespace {

std::function<void()> beforeConnect;

} // namespace

// NOLINTBEGIN(bugprone-reserved-identifier): the names are the linker's
extern "C" {
int __real_connect(int descriptor, const sockaddr *address, socklen_t size);
int __wrap_connect(int descriptor, const sockaddr *address, socklen_t size);

int __wrap_connect(int descriptor, const sockaddr *address, socklen_t size)
{
    if (beforeConnect)
        beforeConnect();
    return __real_connect(descriptor, address, size);
}
}
// NOLINTEND(bugprone-reserved-identifier)

namespace {

/// Somebody's socket on this machine.
class Neighbour
{
public:
    explicit Neighbour(const QHostAddress &address = QHostAddress(QHostAddress::LocalHost))
    {
        if (!m_socket.bind(address, test::freePort()))
            qFatal("no port for a neighbour");
    }

    [[nodiscard]] SocketAddress address() const
    {
        return {m_socket.localAddress(), m_socket.localPort()};
    }
    /// On loopback it is in the receiver's queue at once.
    void send(const QByteArray &datagram, const SocketAddress &to)
    {
        if (m_socket.writeDatagram(datagram, to.address(), to.port()) != datagram.size())
            qFatal("a neighbour cannot send");
    }
    /// Null: there is none.
    QByteArray receive(SocketAddress *from = nullptr)
    {
        if (!m_socket.hasPendingDatagrams())
            return {};
        QByteArray datagram(m_socket.pendingDatagramSize(), Qt::Uninitialized);
        QHostAddress host;
        std::uint16_t port = 0;
        m_socket.readDatagram(datagram.data(), datagram.size(), &host, &port);
        if (from)
            *from = {host, port};
        return datagram;
    }

private:
    QUdpSocket m_socket;
};

/// One that nobody uses now.
SocketAddress freeSource(const QHostAddress &host = QHostAddress(QStringLiteral("127.200.3.4")))
{
    return Neighbour(host).address();
}

ServiceSocket opened(const SocketAddress &source, const SocketAddress &target)
{
    auto made = ServiceSocket::open(source, target);
    if (const int *error = std::get_if<int>(&made))
        qFatal("no socket: %s", std::strerror(*error));
    return std::move(std::get<ServiceSocket>(made));
}

} // namespace

class TestServiceSocket : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { beforeConnect = {}; }
    void itIsThePeerThatWasAskedFor_data();
    void itIsThePeerThatWasAskedFor();
    void headerAndPayloadAreOneDatagram();
    void whatComesBetweenBindAndConnectIsDropped_data();
    void whatComesBetweenBindAndConnectIsDropped();
    void afterwardsOnlyTheServiceIsHeard();
    void aRefusalIsToldOnceAndCostsOneDatagram();
    void whatTheKernelDropsIsCounted();
    void anAddressThatCannotBeHadIsAnError();

private:
    ServiceSocket::Received receive(ServiceSocket &socket) { return socket.receive(m_buffer); }

    std::vector<char> m_buffer = std::vector<char>(65'536);
};

void TestServiceSocket::itIsThePeerThatWasAskedFor_data()
{
    QTest::addColumn<QHostAddress>("source");
    QTest::addColumn<QHostAddress>("service");
    QTest::newRow("IPv4") << QHostAddress(QStringLiteral("127.200.3.4"))
                          << QHostAddress(QHostAddress::LocalHost);
    QTest::newRow("IPv4, a service elsewhere in 127/8")
        << QHostAddress(QStringLiteral("127.200.3.4")) << QHostAddress(QStringLiteral("127.0.9.9"));
    QTest::newRow("IPv6") << QHostAddress(QHostAddress::LocalHostIPv6)
                          << QHostAddress(QHostAddress::LocalHostIPv6);
}

void TestServiceSocket::itIsThePeerThatWasAskedFor()
{
    QFETCH(QHostAddress, source);
    QFETCH(QHostAddress, service);
    Neighbour there(service);
    const SocketAddress here = freeSource(source);
    ServiceSocket socket = opened(here, there.address());
    QVERIFY(socket.isOpen());
    QCOMPARE(socket.send({}, "question"), 0);
    SocketAddress from;
    QCOMPARE(there.receive(&from), QByteArray("question"));
    QCOMPARE(from, here);

    QCOMPARE(receive(socket).error, EAGAIN);
    there.send("answer", from);
    there.send("", from);
    QCOMPARE(receive(socket).payload, QByteArray("answer"));
    const ServiceSocket::Received empty = receive(socket);
    QCOMPARE(empty.error, 0);
    QCOMPARE(empty.payload, QByteArray());
    QCOMPARE(receive(socket).error, EAGAIN);
}

void TestServiceSocket::headerAndPayloadAreOneDatagram()
{
    Neighbour service;
    ServiceSocket socket = opened(freeSource(), service.address());
    const QByteArray header(400, 'h');
    for (const qsizetype size : {0, 1, 1200, 1 << 14}) {
        const QByteArray payload(size, 'p');
        QCOMPARE(socket.send(header, payload), 0);
        QCOMPARE(service.receive(), header + payload);
        QCOMPARE(socket.send({}, payload), 0);
        QCOMPARE(service.receive(), payload);
    }
}

void TestServiceSocket::whatComesBetweenBindAndConnectIsDropped_data()
{
    QTest::addColumn<int>("count");
    QTest::addColumn<int>("size");
    QTest::addColumn<bool>("isOfTheService");
    QTest::newRow("nothing") << 0 << 0 << false;
    QTest::newRow("one datagram of another process") << 1 << 100 << false;
    QTest::newRow("an empty one, and more") << 3 << 0 << false;
    QTest::newRow("more than fits into the queue") << 2000 << 1000 << false;
    // For the session that has had this address.
    QTest::newRow("a late answer of the service itself") << 1 << 100 << true;
}

void TestServiceSocket::whatComesBetweenBindAndConnectIsDropped()
{
    QFETCH(int, count);
    QFETCH(int, size);
    QFETCH(bool, isOfTheService);
    Neighbour service;
    Neighbour stranger;
    const SocketAddress source = freeSource();
    int calls = 0;
    beforeConnect = [&] {
        ++calls;
        for (int i = 0; i < count; ++i)
            (isOfTheService ? service : stranger).send(QByteArray(size, 's'), source);
        if (count > 1)
            stranger.send("s", source);
    };
    ServiceSocket socket = opened(source, service.address());
    QCOMPARE(calls, 1);
    QCOMPARE(receive(socket).error, EAGAIN);
    QCOMPARE(socket.send({}, "question"), 0);
    QCOMPARE(service.receive(), QByteArray("question"));
    service.send("answer", source);
    QCOMPARE(receive(socket).payload, QByteArray("answer"));
    QCOMPARE(receive(socket).error, EAGAIN);
}

void TestServiceSocket::afterwardsOnlyTheServiceIsHeard()
{
    Neighbour service;
    const SocketAddress source = freeSource();
    ServiceSocket socket = opened(source, service.address());
    Neighbour strangers[] = {Neighbour(), Neighbour(QHostAddress(QStringLiteral("127.0.0.2")))};
    QUdpSocket samePort; // at another address
    QVERIFY(samePort.bind(QHostAddress(QStringLiteral("127.0.0.2")), service.address().port()));
    for (Neighbour &stranger : strangers)
        stranger.send("not for you", source);
    samePort.writeDatagram("nor this", source.address(), source.port());
    QCOMPARE(receive(socket).error, EAGAIN);
    service.send("answer", source);
    QCOMPARE(receive(socket).payload, QByteArray("answer"));
    QCOMPARE(receive(socket).error, EAGAIN);
}

void TestServiceSocket::aRefusalIsToldOnceAndCostsOneDatagram()
{
    const SocketAddress nobody = freeSource(QHostAddress(QHostAddress::LocalHost));
    ServiceSocket socket = opened(freeSource(), nobody);
    QCOMPARE(socket.send({}, "lost"), 0);
    QCOMPARE(receive(socket).error, ECONNREFUSED);
    QCOMPARE(receive(socket).error, EAGAIN);

    QCOMPARE(socket.send({}, "lost"), 0);
    QUdpSocket service;
    QVERIFY(service.bind(nobody.address(), nobody.port()));
    QCOMPARE(socket.send({}, "not sent"), ECONNREFUSED);
    QCOMPARE(socket.send({}, "sent"), 0);
    QVERIFY(service.hasPendingDatagrams());
    QCOMPARE(service.pendingDatagramSize(), 4);
}

void TestServiceSocket::whatTheKernelDropsIsCounted()
{
    Neighbour service;
    const SocketAddress source = freeSource();
    ServiceSocket socket = opened(source, service.address());
    std::uint64_t received = 0;
    std::uint64_t dropped = 0;
    std::uint64_t sent = 0;
    const auto drain = [&] {
        for (auto got = receive(socket); got.error == 0; got = receive(socket)) {
            ++received;
            dropped += got.dropped;
        }
    };
    for (int burst = 0; burst < 3; ++burst) {
        for (int i = 0; i < 1000; ++i, ++sent)
            service.send(QByteArray(1000, 'a'), source);
        drain();
    }
    service.send("the last one tells of those before", source);
    ++sent;
    drain();
    QVERIFY2(dropped > 0, "the queue holds everything");
    QCOMPARE(received + dropped, sent);
}

void TestServiceSocket::anAddressThatCannotBeHadIsAnError()
{
    Neighbour service;
    Neighbour other(QHostAddress(QStringLiteral("127.200.3.4")));
    const auto errorFor = [&](const SocketAddress &source) {
        const auto made = ServiceSocket::open(source, service.address());
        const int *error = std::get_if<int>(&made);
        return error ? *error : 0;
    };
    QCOMPARE(errorFor(other.address()), EADDRINUSE);
    QCOMPARE(errorFor(SocketAddress(QHostAddress(QStringLiteral("192.0.2.1")), 61'000)),
             EADDRNOTAVAIL);
    QCOMPARE(errorFor(freeSource()), 0);
}

QTEST_GUILESS_MAIN(TestServiceSocket)
#include "tst_servicesocket.moc"
