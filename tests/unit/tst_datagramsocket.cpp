// SPDX-License-Identifier: Apache-2.0
#include "net/DatagramSocket.h"
#include "support/TestProgram.h"

#include <QSignalSpy>
#include <QUdpSocket>

#include <netinet/in.h>
#include <sys/socket.h>

using namespace dtlsd;

namespace {

SocketAddress address(const QString &text)
{
    return SocketAddress::parse(text).value();
}

std::unique_ptr<DatagramSocket> bound(const QString &text)
{
    auto result = DatagramSocket::bind(address(text), {});
    return result ? std::move(result).value() : nullptr;
}

/// A bound descriptor without any option that ours have, as others make it; -1: it cannot be.
int foreignSocket(const SocketAddress &address)
{
    const int family = address.isIPv4() ? AF_INET : AF_INET6;
    sockaddr_storage storage{};
    const socklen_t length = address.toSockaddr(storage, family);
    const int descriptor = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int no = 0; // both families, whatever net.ipv6.bindv6only says
    if (family == AF_INET6)
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    const int bound = bind(descriptor, reinterpret_cast<const sockaddr *>(&storage), length);
    return bound == 0 ? descriptor : -1;
}

} // namespace

class TestDatagramSocket : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void repliesLeaveFromTheAddressThatWasSpokenTo_data();
    void repliesLeaveFromTheAddressThatWasSpokenTo();
    void datagramsOfEverySizeArriveInBatches();
    void moreThanABatchIsSent();
    void aQueueThatIsUsedAgainKeepsNothing();
    void anAdoptedSocketAnswersWhatCameBefore_data();
    void anAdoptedSocketAnswersWhatCameBefore();
    void anAdoptedSocketCountsItsOwnLossesOnly();
    void aWildcardIsOfOneFamilyUnlessItsSocketIsOfBoth();
    void aPortThatIsTakenIsRefused();
    void siblingsShareAPort();
    void whatTheKernelDropsIsCounted();
    void aPausedSocketKeepsWhatComesUntilItIsResumed();
    void whatCannotBeSentStopsNothing();
};

void TestDatagramSocket::repliesLeaveFromTheAddressThatWasSpokenTo_data()
{
    QTest::addColumn<QString>("listen");
    QTest::addColumn<QString>("spokenTo");
    QTest::newRow("127.0.0.1 through 0.0.0.0")
        << QStringLiteral("0.0.0.0:0") << QStringLiteral("127.0.0.1");
    QTest::newRow("127.0.0.2 through 0.0.0.0")
        << QStringLiteral("0.0.0.0:0") << QStringLiteral("127.0.0.2");
    QTest::newRow("127.0.0.3 bound")
        << QStringLiteral("127.0.0.3:0") << QStringLiteral("127.0.0.3");
    QTest::newRow("::1 through ::") << QStringLiteral("[::]:0") << QStringLiteral("::1");
    QTest::newRow("::1 bound") << QStringLiteral("[::1]:0") << QStringLiteral("::1");
}

void TestDatagramSocket::repliesLeaveFromTheAddressThatWasSpokenTo()
{
    QFETCH(QString, listen);
    QFETCH(QString, spokenTo);
    const auto socket = bound(listen);
    QVERIFY(socket);
    const QHostAddress target(spokenTo);
    QUdpSocket peer;
    QVERIFY(peer.bind(target.protocol() == QAbstractSocket::IPv4Protocol
                          ? QHostAddress(QHostAddress::LocalHost)
                          : QHostAddress(QHostAddress::LocalHostIPv6)));
    QSignalSpy ready(socket.get(), &DatagramSocket::readyRead);
    peer.writeDatagram("ping", target, socket->localAddress().port());
    QVERIFY(ready.wait(test::qtPatience));

    ReceiveBuffer buffer;
    QVERIFY(socket->receive(buffer));
    QCOMPARE(buffer.received.size(), 1U);
    const ReceivedDatagram &datagram = buffer.received[0];
    QCOMPARE(datagram.bytes, QByteArrayView("ping"));
    QCOMPARE(datagram.path.peer, SocketAddress(peer.localAddress(), peer.localPort()));
    QCOMPARE(datagram.path.local, SocketAddress(target, socket->localAddress().port()));

    socket->output(datagram.path)->write("pong");
    QCOMPARE(socket->lastOutput(), QByteArrayView("pong"));
    socket->flush();
    QByteArray answer(10, '\0');
    QHostAddress from;
    QTRY_VERIFY(peer.hasPendingDatagrams());
    answer.resize(peer.readDatagram(answer.data(), answer.size(), &from));
    QCOMPARE(answer, "pong");
    QVERIFY(from.isEqual(target));
}

void TestDatagramSocket::datagramsOfEverySizeArriveInBatches()
{
    const auto socket = bound(QStringLiteral("127.0.0.1:0"));
    QUdpSocket peer;
    const QList<qsizetype> sizes{0, 1, 1500, 0, 60'000, 65'507};
    int wakeUps = 0;
    connect(socket.get(), &DatagramSocket::readyRead, this, [&] { ++wakeUps; });
    for (const qsizetype size : sizes)
        QCOMPARE(peer.writeDatagram(QByteArray(size, 'x'), QHostAddress::LocalHost,
                                    socket->localAddress().port()),
                 size);
    QTRY_VERIFY(wakeUps > 0);
    ReceiveBuffer buffer(4);
    QVERIFY(socket->receive(buffer));
    QCOMPARE(buffer.received.size(), 4U);
    for (int i = 0; i < 4; ++i)
        QCOMPARE(buffer.received[static_cast<std::size_t>(i)].bytes.size(), sizes[i]);
    QVERIFY(socket->receive(buffer));
    QCOMPARE(buffer.received[1].bytes.size(), 65'507);
    QVERIFY(!socket->receive(buffer));
}

void TestDatagramSocket::moreThanABatchIsSent()
{
    const auto from = bound(QStringLiteral("127.0.0.1:0"));
    const auto to = bound(QStringLiteral("127.0.0.1:0"));
    for (int i = 0; i < 200; ++i)
        from->output({to->localAddress(), from->localAddress()})->write(QByteArray::number(i));
    from->flush();
    ReceiveBuffer buffer;
    std::vector<QByteArray> received;
    while (to->receive(buffer)) {
        for (const ReceivedDatagram &datagram : buffer.received)
            received.push_back(datagram.bytes.toByteArray());
    }
    QCOMPARE(received.size(), 200U);
    for (int i = 0; i < 200; ++i)
        QCOMPARE(received[static_cast<std::size_t>(i)], QByteArray::number(i));
}

void TestDatagramSocket::aQueueThatIsUsedAgainKeepsNothing()
{
    const auto from = bound(QStringLiteral("0.0.0.0:0"));
    const auto to = bound(QStringLiteral("127.0.0.1:0"));
    const auto other = bound(QStringLiteral("127.0.0.1:0"));
    const SocketAddress source = from->localAddress();
    const Path first{to->localAddress(), address(QStringLiteral("127.0.0.2:1"))};
    const Path second{other->localAddress(), source};
    ReceiveBuffer buffer;
    for (const QByteArray text : {"a long one", "short", "x"}) {
        from->output(first)->write(text);
        from->flush();
        QVERIFY(from->lastOutput().isNull());
        from->output(second)->write("from where the kernel likes");
        from->flush();
        QVERIFY(to->receive(buffer));
        QCOMPARE(buffer.received.size(), 1U);
        QCOMPARE(buffer.received[0].bytes, QByteArrayView(text));
        QCOMPARE(buffer.received[0].path.peer,
                 SocketAddress(QHostAddress(QStringLiteral("127.0.0.2")), source.port()));
        QVERIFY(other->receive(buffer));
        QCOMPARE(buffer.received[0].path.peer,
                 SocketAddress(QHostAddress(QHostAddress::LocalHost), source.port()));
    }
}

void TestDatagramSocket::anAdoptedSocketAnswersWhatCameBefore_data()
{
    QTest::addColumn<QString>("listen");
    QTest::addColumn<QString>("spokenTo");
    const QString ipv4 = QStringLiteral("0.0.0.0:0");
    const QString both = QStringLiteral("[::]:0");
    QTest::newRow("127.0.0.1 through 0.0.0.0") << ipv4 << QStringLiteral("127.0.0.1");
    QTest::newRow("127.0.0.2 through 0.0.0.0") << ipv4 << QStringLiteral("127.0.0.2");
    QTest::newRow("127.0.0.3 bound")
        << QStringLiteral("127.0.0.3:0") << QStringLiteral("127.0.0.3");
    QTest::newRow("::1 through ::") << both << QStringLiteral("::1");
    QTest::newRow("127.0.0.2 through ::") << both << QStringLiteral("127.0.0.2");
    QTest::newRow("::1 bound") << QStringLiteral("[::1]:0") << QStringLiteral("::1");
}

void TestDatagramSocket::anAdoptedSocketAnswersWhatCameBefore()
{
    QFETCH(QString, listen);
    QFETCH(QString, spokenTo);
    const int descriptor = foreignSocket(address(listen));
    QVERIFY(descriptor >= 0);
    const std::uint16_t port = DatagramSocket::addressOf(descriptor).port();
    const QHostAddress target(spokenTo);
    QUdpSocket peer;
    QVERIFY(peer.bind(target.protocol() == QAbstractSocket::IPv4Protocol
                          ? QHostAddress(QHostAddress::LocalHost)
                          : QHostAddress(QHostAddress::LocalHostIPv6)));
    peer.writeDatagram("early", target, port);

    const auto socket = DatagramSocket::adopt(Descriptor(descriptor));
    QCOMPARE(socket->localAddress(), address(listen).withPort(port));
    QSignalSpy ready(socket.get(), &DatagramSocket::readyRead);
    QCoreApplication::processEvents();
    QCOMPARE(ready.size(), 0);
    socket->resume();
    peer.writeDatagram("late", target, port);
    QVERIFY(ready.wait(test::qtPatience));

    ReceiveBuffer buffer;
    QVERIFY(socket->receive(buffer));
    QCOMPARE(buffer.received.size(), 2U);
    for (const ReceivedDatagram &datagram : buffer.received) {
        // An IPv4 peer is one, also through a socket of both families.
        QCOMPARE(datagram.path.peer, SocketAddress(peer.localAddress(), peer.localPort()));
        QCOMPARE(datagram.path.local, SocketAddress(target, port));
        socket->output(datagram.path)->write(datagram.bytes.toByteArray());
    }
    socket->flush();
    for (const QByteArray expected : {"early", "late"}) {
        QTRY_VERIFY(peer.hasPendingDatagrams());
        QByteArray answer(10, '\0');
        QHostAddress from;
        answer.resize(peer.readDatagram(answer.data(), answer.size(), &from));
        QCOMPARE(answer, expected);
        QVERIFY(from.isEqual(target));
    }
    QVERIFY(!socket->receive(buffer)); // and does not wait for more, though it may block
}

void TestDatagramSocket::anAdoptedSocketCountsItsOwnLossesOnly()
{
    const int descriptor = foreignSocket(address(QStringLiteral("127.0.0.1:0")));
    QVERIFY(descriptor >= 0);
    const int size = 16 * 1024;
    QCOMPARE(setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    QUdpSocket peer;
    const auto overflow = [&] {
        for (int i = 0; i < 500; ++i)
            peer.writeDatagram(QByteArray(100, 'x'), QHostAddress::LocalHost,
                               DatagramSocket::addressOf(descriptor).port());
    };
    overflow();
    const auto socket = DatagramSocket::adopt(Descriptor(descriptor));
    QCOMPARE(socket->receiveBufferSize(), 2 * size); // as it was made
    QCOMPARE(socket->takeOverflow(), 0U);
    overflow();
    QCOMPARE(socket->takeOverflow(), 500U);
}

void TestDatagramSocket::aWildcardIsOfOneFamilyUnlessItsSocketIsOfBoth()
{
    const auto ours4 = bound(QStringLiteral("0.0.0.0:0"));
    const auto ours6 = bound(QStringLiteral("[::]:0"));
    const auto passed =
        DatagramSocket::adopt(Descriptor(foreignSocket(address(QStringLiteral("[::]:0")))));
    const auto receives = [](const auto &socket, const char *host) {
        return socket->receivesAt(
            SocketAddress(QHostAddress(QLatin1String(host)), socket->localAddress().port()));
    };
    QVERIFY(receives(ours4, "127.0.0.1"));
    QVERIFY(!receives(ours4, "::1"));
    QVERIFY(!receives(ours6, "127.0.0.1"));
    QVERIFY(receives(ours6, "::1"));
    QVERIFY(receives(passed, "127.0.0.1"));
    QVERIFY(receives(passed, "::1"));
    QVERIFY(!passed->receivesAt(address(QStringLiteral("127.0.0.1:1"))));
}

void TestDatagramSocket::aPortThatIsTakenIsRefused()
{
    const auto socket = bound(QStringLiteral("127.0.0.1:0"));
    const auto second = DatagramSocket::bind(socket->localAddress(), {});
    QVERIFY(!second);
    QCOMPARE(second.error().message, QStringLiteral("cannot listen on %1: Address already in use; "
                                                    "ss -lunp shows who has it")
                                         .arg(socket->localAddress().toString()));
    QVERIFY(!DatagramSocket::bind(address(QStringLiteral("192.0.2.1:0")), {}));
}

void TestDatagramSocket::siblingsShareAPort()
{
    const auto socket = bound(QStringLiteral("127.0.0.1:0"));
    const DatagramSocket::Options sibling{DatagramSocket::Sharing::Sibling, 0};
    const auto joined = DatagramSocket::bind(socket->localAddress(), sibling);
    QVERIFY(joined);
    // Many peers: the kernel spreads them, and each stays where it is.
    std::vector<std::unique_ptr<QUdpSocket>> peers;
    for (int i = 0; i < 64; ++i) {
        peers.push_back(std::make_unique<QUdpSocket>());
        for (int j = 0; j < 2; ++j)
            peers.back()->writeDatagram("x", QHostAddress::LocalHost,
                                        socket->localAddress().port());
    }
    ReceiveBuffer buffer(128);
    QVERIFY(socket->receive(buffer));
    const std::size_t first = buffer.received.size();
    QVERIFY(joined.value()->receive(buffer));
    QCOMPARE(first + buffer.received.size(), 128U);
    QCOMPARE(first % 2, 0U);
}

void TestDatagramSocket::whatTheKernelDropsIsCounted()
{
    auto socket =
        DatagramSocket::bind(address(QStringLiteral("127.0.0.1:0")), {.receiveBuffer = 16 * 1024});
    QVERIFY(socket);
    QCOMPARE(socket.value()->takeOverflow(), 0U);
    QUdpSocket peer;
    constexpr std::uint64_t sent = 500;
    for (std::uint64_t i = 0; i < sent; ++i)
        peer.writeDatagram(QByteArray(100, 'x'), QHostAddress::LocalHost,
                           socket.value()->localAddress().port());
    ReceiveBuffer buffer;
    std::uint64_t received = 0;
    while (socket.value()->receive(buffer))
        received += buffer.received.size();
    QVERIFY(received < sent);
    QCOMPARE(received + socket.value()->takeOverflow(), sent);
    QCOMPARE(socket.value()->takeOverflow(), 0U);
}

void TestDatagramSocket::aPausedSocketKeepsWhatComesUntilItIsResumed()
{
    auto socket = DatagramSocket::bind(address(QStringLiteral("127.0.0.1:0")), {.isPaused = true});
    QVERIFY(socket);
    QSignalSpy ready(socket.value().get(), &DatagramSocket::readyRead);
    QUdpSocket peer;
    peer.writeDatagram("early", QHostAddress::LocalHost, socket.value()->localAddress().port());
    QCoreApplication::processEvents();
    QCOMPARE(ready.size(), 0);
    socket.value()->resume();
    QTRY_VERIFY(!ready.isEmpty());
}

void TestDatagramSocket::whatCannotBeSentStopsNothing()
{
    const auto socket = bound(QStringLiteral("127.0.0.1:0"));
    const auto to = bound(QStringLiteral("127.0.0.1:0"));
    const Path good{to->localAddress(), socket->localAddress()};
    const Path nowhere{address(QStringLiteral("[2001:db8::1]:9")), socket->localAddress()};
    socket->output(good)->write("first");
    socket->output(nowhere)->write("lost");
    socket->output(good)->write(QByteArray(65'508, 'x')); // one byte more than UDP can carry
    socket->output(good)->write("last");
    socket->flush();
    ReceiveBuffer buffer;
    QVERIFY(to->receive(buffer));
    QCOMPARE(buffer.received.size(), 2U);
    QCOMPARE(buffer.received[1].bytes, QByteArrayView("last"));
}

DTLSD_TEST(TestDatagramSocket)
#include "tst_datagramsocket.moc"
