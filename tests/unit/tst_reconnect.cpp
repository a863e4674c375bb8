// SPDX-License-Identifier: Apache-2.0
//
// A hello on a five-tuple that has a session already (RFC 6347 §4.2.8): a device that lost its
// state gets a new session; nobody else changes anything for the old one.
#include "support/MemoryNetwork.h"
#include "support/TestProgram.h"
#include "wire/Packet.h"

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

class TestReconnect : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aDeviceComesBackOnItsPortAgainAndAgain();
    void aHelloWithoutAProofChangesNothing_data();
    void aHelloWithoutAProofChangesNothing();
    void verifiedHandshakesThatNeverFinishChangeNothing();
    void aLateCopyOfTheSessionsOwnHelloIsNotAnswered();
    void aDeviceWhoseRandomRepeatsItselfGetsItsHandshake();
    void aDeviceThatGreetsAnewWithTheSameRandomIsServedAtOnce();
    void whileANewHandshakeIsHalfOpenTheOldSessionIsAnswered();
    void theOldSessionsLateRecordsDoNotHurtTheNewOne();
    void theNewHandshakeMayUseAnotherIdentity();

private:
    static void exchange(MemoryNetwork &network, MemoryNetwork::Device &device);
};

void TestReconnect::exchange(MemoryNetwork &network, MemoryNetwork::Device &device)
{
    const std::size_t before = network.datagrams.size();
    const std::size_t receipts = device.received.size();
    QVERIFY(device.client->send("hear me"));
    network.run();
    QCOMPARE(network.datagrams.size(), before + 1);
    QCOMPARE(device.received.size(), receipts + 1);
}

void TestReconnect::aDeviceComesBackOnItsPortAgainAndAgain()
{
    constexpr std::size_t times = 50;
    MemoryNetwork network;
    for (std::size_t i = 0; i < times; ++i) {
        auto &device = network.add(1);
        network.run();
        QVERIFY(device.client->isConnected());
        exchange(network, device);
        network.crash(device);
    }
    const auto closed = network.events<SessionClosed>();
    QCOMPARE(closed.size(), times - 1);
    for (const SessionClosed &event : closed)
        QCOMPARE(event.reason, CloseReason::Replaced);
    QCOMPARE(network.server->statistics().sessions, 1);
}

void TestReconnect::aHelloWithoutAProofChangesNothing_data()
{
    QTest::addColumn<QByteArray>("cookie");
    QTest::newRow("a hello without a cookie") << QByteArray();
    QTest::newRow("a hello with a cookie that was guessed") << QByteArray(32, 'x');
    QTest::newRow("a hello with a short cookie") << QByteArray(1, 'x');
    QTest::newRow("a hello with a long cookie") << QByteArray(255, 'x');
}

void TestReconnect::aHelloWithoutAProofChangesNothing()
{
    QFETCH(QByteArray, cookie);
    MemoryNetwork network;
    auto &device = network.add(1);
    network.run();
    const auto before = network.server->statistics();

    // client_hello up to its empty session_id, a cookie, one suite, no compression
    QByteArray body = QByteArray::fromHex("fefd") + QByteArray(32, 'r') + QByteArray(1, '\0');
    body += static_cast<char>(cookie.size());
    body += cookie + QByteArray::fromHex("000200a80100");
    const QByteArray size =
        QByteArray::fromHex(QByteArray::number(body.size(), 16).rightJustified(6, '0'));
    const QByteArray message =
        QByteArray::fromHex("01") + size + QByteArray::fromHex("0000000000") + size + body;
    const QByteArray hello =
        QByteArray::fromHex("16fefd0000000000000000") +
        QByteArray::fromHex(QByteArray::number(message.size(), 16).rightJustified(4, '0')) +
        message;
    for (int i = 0; i < 500; ++i)
        network.arrive(device.address, hello);
    QCOMPARE(network.serverSocket->takeSent().size(), 500U); // a HelloVerifyRequest each
    const auto after = network.server->statistics();
    QCOMPARE(after.halfOpen, 0);
    QCOMPARE(after.sessions, 1);
    QCOMPARE(after.badRecords, before.badRecords);
    exchange(network, device);
}

void TestReconnect::verifiedHandshakesThatNeverFinishChangeNothing()
{
    constexpr std::size_t times = 300;
    MemoryNetwork network;
    network.stopClock();
    auto &device = network.add(1);
    network.run();
    for (std::size_t i = 0; i < times; ++i) {
        auto &other = network.addHalfOpen(device.address);
        QCOMPARE(network.server->statistics().halfOpen, 1);
        network.crash(other);
        if (i % 50 == 0)
            exchange(network, device);
    }
    QVERIFY(network.events<SessionClosed>().empty());
    // Each is counted; only so many are reported one by one.
    QCOMPARE(network.server->statistics().handshakesFailed.total(), times - 1);
    QCOMPARE(network.events<HandshakeFailed>().size(), 100U);
}

void TestReconnect::aLateCopyOfTheSessionsOwnHelloIsNotAnswered()
{
    MemoryNetwork network;
    QByteArray hello;
    auto &device = network.add(1);
    network.run([&hello](const OutgoingDatagram &datagram) {
        if (Packet(datagram.bytes).newHello())
            hello = datagram.bytes; // the last one has the cookie
        return false;
    });
    for (int i = 0; i < 10; ++i)
        network.arrive(device.address, hello);
    QVERIFY(network.serverSocket->takeSent().empty());
    QCOMPARE(network.server->statistics().halfOpen, 0);
    exchange(network, device);
}

void TestReconnect::aDeviceWhoseRandomRepeatsItselfGetsItsHandshake()
{
    MemoryNetwork network;
    network.stopClock();
    QByteArray hello;
    auto &device = network.add(1);
    network.run([&hello](const OutgoingDatagram &datagram) {
        if (Packet(datagram.bytes).newHello())
            hello = datagram.bytes;
        return false;
    });
    network.advance(5s); // later than the network holds copies back
    network.arrive(device.address, hello);
    QVERIFY(!network.serverSocket->takeSent().empty());
    QCOMPARE(network.server->statistics().halfOpen, 1);
    exchange(network, device); // beside the old session (RFC 6347 §4.2.8)
}

void TestReconnect::aDeviceThatGreetsAnewWithTheSameRandomIsServedAtOnce()
{
    MemoryNetwork network;
    network.stopClock();
    std::vector<QByteArray> hellos;
    auto &device = network.add(1);
    network.run([&hellos](const OutgoingDatagram &datagram) {
        if (Packet(datagram.bytes).newHello())
            hellos.push_back(datagram.bytes);
        return false;
    });
    QCOMPARE(hellos.size(), 2U);
    network.arrive(device.address, hellos[0]);
    QCOMPARE(network.serverSocket->takeSent().size(), 1U); // HelloVerifyRequest
    network.arrive(device.address, hellos[1]);
    QCOMPARE(network.server->statistics().halfOpen, 1);
    exchange(network, device);
}

void TestReconnect::whileANewHandshakeIsHalfOpenTheOldSessionIsAnswered()
{
    MemoryNetwork network;
    auto &device = network.add(1);
    network.run();
    auto &other = network.addHalfOpen(device.address);
    network.crash(other);
    for (int i = 0; i < 10; ++i)
        exchange(network, device);
    device.client->close();
    network.run();
    QCOMPARE(network.events<SessionClosed>().at(0).reason, CloseReason::CloseNotify);
    QCOMPARE(network.server->statistics().halfOpen, 1);
}

void TestReconnect::theOldSessionsLateRecordsDoNotHurtTheNewOne()
{
    MemoryNetwork network;
    auto &device = network.add(1);
    network.run();
    device.client->send("late");
    device.client->close();
    const auto late = MemoryNetwork::takeSent(device); // and a close_notify
    QCOMPARE(late.size(), 2U);
    network.crash(device);
    auto &again = network.add(1);
    network.run();
    for (const QByteArray &datagram : late)
        network.arrive(again.address, datagram);
    QVERIFY(network.datagrams.empty());
    exchange(network, again);
}

void TestReconnect::theNewHandshakeMayUseAnotherIdentity()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    auto identities = std::make_shared<PskStore>(*settings.identities);
    identities->add(
        "neighbour",
        {.key = PskKey(QByteArray(16, 'n')), .nextKey = {}, .allowFrom = {}, .reply = {}});
    settings.identities = identities;
    MemoryNetwork network(settings);
    auto &device = network.add(1); // a NAT gives its port to a neighbour
    network.run();
    network.crash(device);
    auto options = MemoryNetwork::defaultClient();
    options.identity = "neighbour";
    options.key = PskKey(QByteArray(16, 'n'));
    auto &neighbour = network.add(1, options);
    network.run();
    exchange(network, neighbour);
    QCOMPARE(network.datagrams.back().session.identity, "neighbour");
    QCOMPARE(network.events<SessionClosed>().at(0).session.identity, "sensor-17");
}

DTLSD_TEST(TestReconnect)
#include "tst_reconnect.moc"
