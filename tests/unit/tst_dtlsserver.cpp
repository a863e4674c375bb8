// SPDX-License-Identifier: Apache-2.0
//
// DtlsServer with real QDtls on both sides, and no network between them.
#include "support/CraftedHello.h"
#include "support/MemoryNetwork.h"
#include "support/TestProgram.h"

#include <QUdpSocket>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

class TestDtlsServer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aDeviceWithItsKeyIsHeardAndAnswered();
    void theOldSessionLivesUntilTheNewOneHasProvedItself();
    void severalRecordsInADatagramArriveInOrder();
    void aWholeFlightInOneDatagramCompletesTheHandshake();
    void aForgedRecordOfAnyKindEndsNothing_data();
    void aForgedRecordOfAnyKindEndsNothing();
    void aHandshakeFailureHasItsReason_data();
    void aHandshakeFailureHasItsReason();
    void anUnprovedSourceGetsNoMoreThanItSent();
    void establishedSessionsComeBeforeHandshakes();
    void anIdleSessionIsClosed();
    void manyRecordsInADatagramAreBounded();
    void closeEndsEverySession();
    void whatTheKernelDroppedIsSaidBeforeTheSocketGoes();
    void aReplyForASessionThatIsGoneIsNotSent();
    void sessionsAreReportedAsTheyAre();
    void badRecordsAreCountedToTheirSession();
    void aHelloInTwoDatagramsOfOneBatchIsAnswered();
    void theOperatorClosesWhatIsMeantAndNothingElse();
};

void TestDtlsServer::aDeviceWithItsKeyIsHeardAndAnswered()
{
    MemoryNetwork network;
    auto &device = network.add(7);
    network.run();
    QVERIFY(device.client->isConnected());
    QCOMPARE(network.events<HandshakeStarted>().size(), 1U);
    const auto opened = network.events<SessionOpened>();
    QCOMPARE(opened.size(), 1U);
    QCOMPARE(opened[0].session.identity, "sensor-17");
    QCOMPARE(opened[0].session.cipher.text(), "ECDHE-PSK-CHACHA20-POLY1305");

    for (const QByteArray message : {"one", "two", "three"})
        QVERIFY(device.client->send(message));
    network.run();
    QCOMPARE(network.datagrams.size(), 3U);
    QCOMPARE(network.datagrams[2].payload, "three");
    QCOMPARE(network.datagrams[2].sequence, 3U);
    QCOMPARE(network.datagrams[2].session.id, opened[0].session.id);
    QCOMPARE(device.received, std::vector<QByteArray>(3, "to 198.51.100.8:20007: ACK"));

    device.client->close();
    network.run();
    const auto closed = network.events<SessionClosed>();
    QCOMPARE(closed.size(), 1U);
    QCOMPARE(closed[0].reason, CloseReason::CloseNotify);
    QCOMPARE(closed[0].received.bytes, 11U);
    QCOMPARE(closed[0].sent.datagrams, 3U);
    QCOMPARE(network.server->statistics().sessions, 0);
}

void TestDtlsServer::theOldSessionLivesUntilTheNewOneHasProvedItself()
{
    MemoryNetwork network;
    auto &device = network.add(1);
    network.run();

    // The same five-tuple begins again, and stops before its last flight.
    int flights = 0;
    auto &restarted = network.add(1);
    const auto fromRestarted = [&](const OutgoingDatagram &datagram) {
        return datagram.path.peer == MemoryNetwork::serverAddress() && ++flights > 2;
    };
    network.run(fromRestarted);
    QCOMPARE(network.server->statistics().halfOpen, 1);
    QVERIFY(device.client->send("still here"));
    network.run();
    QCOMPARE(network.datagrams.size(), 1U);
    QVERIFY(network.events<SessionClosed>().empty());

    // Begun anew once more: the one that never finished is not forgotten silently.
    network.crash(restarted);
    auto &third = network.add(1);
    flights = 0;
    network.run(fromRestarted);
    QCOMPARE(network.events<HandshakeFailed>().size(), 1U);
    QCOMPARE(network.server->statistics().halfOpen, 1);
    network.crash(third);
    network.crash(device);
    auto &again = network.add(1);
    network.run();
    QVERIFY(again.client->isConnected());
    const auto closed = network.events<SessionClosed>();
    QCOMPARE(closed.size(), 1U);
    QCOMPARE(closed[0].reason, CloseReason::Replaced);
    QVERIFY(again.client->send("new"));
    network.run();
    QCOMPARE(network.datagrams.size(), 2U);
    QCOMPARE(again.received.size(), 1U);
}

void TestDtlsServer::severalRecordsInADatagramArriveInOrder()
{
    MemoryNetwork network;
    auto &device = network.add(1);
    network.run();
    for (const QByteArray message : {"a", "b", "c", "d"})
        device.client->send(message);
    const auto sent = MemoryNetwork::takeSent(device);
    QCOMPARE(sent.size(), 4U);
    network.arrive(device.address, sent[0] + sent[1] + sent[2]);
    network.arrive(device.address, sent[3]);
    QCOMPARE(network.datagrams.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i)
        QCOMPARE(network.datagrams[i].payload, QByteArray(1, static_cast<char>('a' + i)));
}

void TestDtlsServer::aWholeFlightInOneDatagramCompletesTheHandshake()
{
    MemoryNetwork network;
    auto &device = network.add(1);
    std::vector<QByteArray> flight;
    network.run([&](const OutgoingDatagram &datagram) {
        const bool last = datagram.path.peer == MemoryNetwork::serverAddress() &&
                          network.server->statistics().halfOpen == 1;
        if (last)
            flight.push_back(datagram.bytes);
        return last;
    });
    QVERIFY(!flight.empty());
    QByteArray all;
    for (const QByteArray &datagram : flight)
        all += datagram;
    network.arrive(device.address, all);
    QCOMPARE(network.server->statistics().sessions, 1);
}

void TestDtlsServer::aForgedRecordOfAnyKindEndsNothing_data()
{
    QTest::addColumn<QByteArray>("datagram");
    const auto record = [](int type, int epoch, const QByteArray &fragment) {
        QByteArray bytes;
        bytes += static_cast<char>(type);
        bytes += QByteArray::fromHex("fefd");
        bytes += static_cast<char>(0);
        bytes += static_cast<char>(epoch);
        bytes += QByteArray::fromHex("000000000042");
        bytes += static_cast<char>(fragment.size() >> 8);
        bytes += static_cast<char>(fragment.size() & 0xff);
        return bytes + fragment;
    };
    QTest::newRow("an empty datagram") << QByteArray();
    QTest::newRow("one byte") << QByteArray("x");
    QTest::newRow("a clear fatal alert") << record(21, 0, QByteArray::fromHex("0228"));
    QTest::newRow("a clear close_notify") << record(21, 0, QByteArray::fromHex("0100"));
    QTest::newRow("a forged encrypted alert") << record(21, 1, QByteArray(26, 'x'));
    QTest::newRow("forged application data") << record(23, 1, QByteArray(60, 'x'));
    QTest::newRow("application data of epoch 2") << record(23, 2, QByteArray(60, 'x'));
    QTest::newRow("a forged handshake record") << record(22, 1, QByteArray(60, 'x'));
    QTest::newRow("a ChangeCipherSpec") << record(20, 0, QByteArray(1, '\1'));
    QTest::newRow("a truncated record") << record(23, 1, QByteArray(60, 'x')).chopped(7);
    QTest::newRow("a record and garbage") << record(23, 1, QByteArray(60, 'x')) + "garbage";
    QTest::newRow("60000 bytes of a record") << record(23, 1, QByteArray(60000, 'x'));
    QTest::newRow("a foreign protocol") << QByteArray("GET / HTTP/1.1\r\n\r\n");
}

void TestDtlsServer::aForgedRecordOfAnyKindEndsNothing()
{
    QFETCH(QByteArray, datagram);
    MemoryNetwork network;
    auto &device = network.add(1);
    network.run();
    for (int i = 0; i < 20; ++i)
        network.arrive(device.address, datagram);
    QVERIFY(device.client->send("alive"));
    network.run();
    QCOMPARE(network.datagrams.size(), 1U);
    QCOMPARE(device.received.size(), 1U);
    QVERIFY(network.events<SessionClosed>().empty());
    // Twenty bad datagrams are one entry at most.
    QVERIFY(network.events<PeerMisbehaving>().size() <= 1U);

    // And the same in the middle of a handshake.
    auto &other = network.add(2);
    network.run([&](const OutgoingDatagram &sent) {
        if (sent.path.peer == MemoryNetwork::serverAddress())
            network.arrive(other.address, datagram);
        return false;
    });
    QVERIFY(other.client->isConnected());
}

void TestDtlsServer::aHandshakeFailureHasItsReason_data()
{
    QTest::addColumn<QByteArray>("identity");
    QTest::addColumn<QByteArray>("key");
    QTest::addColumn<QString>("ciphers");
    QTest::addColumn<HandshakeFailure>("reason");
    const QByteArray right = MemoryNetwork::key().bytes();
    QTest::newRow("a wrong key") << QByteArray("sensor-17") << QByteArray(16, 'x')
                                 << QStringLiteral("modern") << HandshakeFailure::WrongKeyOrLoss;
    QTest::newRow("an unknown identity")
        << QByteArray("nobody") << right << QStringLiteral("modern")
        << HandshakeFailure::UnknownIdentity;
    QTest::newRow("an identity from a foreign network")
        << QByteArray("elsewhere") << right << QStringLiteral("modern")
        << HandshakeFailure::AddressNotAllowed;
    QTest::newRow("no common cipher suite")
        << QByteArray("sensor-17") << right << QStringLiteral("PSK-AES128-CCM8:@SECLEVEL=0")
        << HandshakeFailure::NoSharedCipher;
}

void TestDtlsServer::aHandshakeFailureHasItsReason()
{
    QFETCH(QByteArray, identity);
    QFETCH(QByteArray, key);
    QFETCH(QString, ciphers);
    QFETCH(HandshakeFailure, reason);
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.handshakeTimeout = 50ms;
    auto identities = std::make_shared<PskStore>(*settings.identities);
    identities->add("elsewhere",
                    {.key = MemoryNetwork::key(),
                     .nextKey = {},
                     .allowFrom = {QHostAddress::parseSubnet(QStringLiteral("10.0.0.0/8"))},
                     .reply = {}});
    settings.identities = identities;
    MemoryNetwork network(settings);
    auto &device = network.add(1, {.identity = identity,
                                   .key = PskKey(key),
                                   .ciphers = CipherPolicy::parse(ciphers).value()});
    network.run();
    QVERIFY(!device.client->isConnected());
    QTRY_COMPARE(network.events<HandshakeFailed>().size(), 1U);
    QCOMPARE(network.events<HandshakeFailed>()[0].reason, reason);
    QCOMPARE(network.server->statistics().halfOpen, 0);
}

void TestDtlsServer::anUnprovedSourceGetsNoMoreThanItSent()
{
    MemoryNetwork network;
    auto &device = network.add(1);
    const QByteArray hello = MemoryNetwork::takeSent(device).front();
    for (int i = 0; i < 1000; ++i)
        network.arrive(MemoryNetwork::clientAddress(i), hello);
    qsizetype sent = 0;
    for (const OutgoingDatagram &datagram : network.serverSocket->takeSent())
        sent += datagram.bytes.size();
    QVERIFY(sent > 0);
    QVERIFY(sent <= 1000 * hello.size());
    QCOMPARE(network.server->statistics().halfOpen, 0);
}

void TestDtlsServer::establishedSessionsComeBeforeHandshakes()
{
    MemoryNetwork network;
    auto &device = network.add(1);
    network.run();
    constexpr int strangers = 300;
    for (int i = 0; i < strangers; ++i)
        network.serverSocket->hold(
            MemoryNetwork::clientAddress(100 + i),
            CraftedHello{.random = QByteArray(32, static_cast<char>(i))}.datagram());
    QVERIFY(device.client->send("now"));
    network.serverSocket->hold(device.address, MemoryNetwork::takeSent(device).at(0));
    network.arrive(MemoryNetwork::clientAddress(2), "what makes all of them arrive");

    std::vector<OutgoingDatagram> sent = network.serverSocket->takeSent();
    QVERIFY(!sent.empty());
    QCOMPARE(sent.front().path.peer, device.address);
    QVERIFY(sent.size() < strangers); // the others wait for the event loop's other business
    const auto answered = [&] {
        for (const OutgoingDatagram &datagram : network.serverSocket->takeSent())
            sent.push_back(datagram);
        return sent.size();
    };
    QTRY_COMPARE(answered(), strangers + 1U);
}

void TestDtlsServer::anIdleSessionIsClosed()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.idleTimeout = 50ms;
    MemoryNetwork network(settings);
    auto &device = network.add(1);
    network.run();
    QTRY_COMPARE(network.events<SessionClosed>().size(), 1U);
    QCOMPARE(network.events<SessionClosed>()[0].reason, CloseReason::Idle);
    // The device's own goodbye comes too late to be anybody's, and is nothing to warn about.
    device.client->close();
    network.run();
    QVERIFY(!device.client->isConnected());
    QCOMPARE(network.server->statistics().unverified.total(), 0U);
}

void TestDtlsServer::manyRecordsInADatagramAreBounded()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.keepCiphertext = true;
    MemoryNetwork network(settings);
    auto &device = network.add(1);
    network.run();
    for (int i = 0; i < 300; ++i)
        QVERIFY(device.client->send(QByteArray::number(i)));
    QByteArray all;
    for (const QByteArray &sent : MemoryNetwork::takeSent(device))
        all += sent;
    network.arrive(device.address, all);
    QCOMPARE(network.datagrams.size(), 256U);
    QCOMPARE(network.datagrams.back().payload, "255");
    QCOMPARE(network.datagrams.front().ciphertext, all); // once
    QVERIFY(network.datagrams.back().ciphertext.isEmpty());
    QCOMPARE(network.events<PeerMisbehaving>().size(), 1U);
}

void TestDtlsServer::closeEndsEverySession()
{
    MemoryNetwork network;
    for (int i = 0; i < 5; ++i)
        network.add(i);
    network.run();
    QVERIFY(network.server->isListening());
    network.server->close();
    const auto closed = network.events<SessionClosed>();
    QCOMPARE(closed.size(), 5U);
    for (const SessionClosed &event : closed)
        QCOMPARE(event.reason, CloseReason::Shutdown);
    QVERIFY(!network.server->isListening());
    QCOMPARE(network.server->statistics().sessions, 0);
}

void TestDtlsServer::whatTheKernelDroppedIsSaidBeforeTheSocketGoes()
{
    MemoryNetwork network;
    const auto loopback = network.server->listen(
        SocketAddress(QHostAddress(QHostAddress::LocalHost), 0), {.receiveBuffer = 16 * 1024});
    QVERIFY(loopback);
    QUdpSocket peer;
    for (int i = 0; i < 500; ++i)
        peer.writeDatagram(QByteArray(100, 'x'), QHostAddress::LocalHost, loopback.value().port());
    network.server->close(); // before it has read any of them
    const auto traffic = network.events<UnverifiedTraffic>();
    QCOMPARE(traffic.size(), 1U);
    QVERIFY(traffic[0].overflowed > 0);
}

void TestDtlsServer::aReplyForASessionThatIsGoneIsNotSent()
{
    MemoryNetwork network;
    network.reply = false;
    auto &device = network.add(1);
    network.run();
    device.client->send("late");
    network.run();
    QCOMPARE(network.datagrams.size(), 1U);
    device.client->close();
    network.run();
    const Outbound answer = network.datagrams[0].answer();
    QCOMPARE(network.server->send({&answer, 1}), Delivery::Failed);
    QVERIFY(network.serverSocket->takeSent().empty());
}

void TestDtlsServer::sessionsAreReportedAsTheyAre()
{
    MemoryNetwork network;
    QVERIFY(network.sessions().empty());
    auto &first = network.add(1);
    network.run();
    network.add(2);
    network.run();
    network.addHalfOpen(MemoryNetwork::clientAddress(3));
    for (const QByteArray message : {"one", "two"})
        QVERIFY(first.client->send(message));
    network.run();

    const auto reports = network.sessions();
    QCOMPARE(reports.size(), 3U);
    const SessionReport &latest = reports[0]; // heard of last
    QVERIFY(latest.isEstablished);
    QCOMPARE(latest.info.path.peer, MemoryNetwork::clientAddress(1));
    QCOMPARE(latest.info.identity, "sensor-17");
    QVERIFY(latest.info.isOpen());
    QCOMPARE(latest.received.datagrams, 2U);
    QCOMPARE(latest.received.bytes, 6U);
    QCOMPARE(latest.sent.datagrams, 2U);
    QCOMPARE(latest.badRecords, 0U);
    QVERIFY(latest.idle > 0us);
    QVERIFY(latest.age > latest.idle);
    QVERIFY(reports[1].isEstablished);
    QCOMPARE(reports[1].info.path.peer, MemoryNetwork::clientAddress(2));
    QCOMPARE(reports[1].received.datagrams, 0U);
    QVERIFY(reports[1].idle > latest.idle);
    QVERIFY(!reports[2].isEstablished);
    QCOMPARE(reports[2].info.path.peer, MemoryNetwork::clientAddress(3));
    QVERIFY(!reports[2].info.isOpen());
}

void TestDtlsServer::badRecordsAreCountedToTheirSession()
{
    MemoryNetwork network;
    auto &attacked = network.add(1);
    network.add(2);
    network.run();
    const QByteArray forged =
        QByteArray::fromHex("17fefd0001000000000042003c") + QByteArray(60, 'x');
    for (int i = 0; i < 3; ++i)
        network.arrive(attacked.address, forged);
    for (const SessionReport &report : network.sessions())
        QCOMPARE(report.badRecords, report.info.path.peer == attacked.address ? 3U : 0U);
    QCOMPARE(network.server->statistics().badRecords, 3U);
}

void TestDtlsServer::aHelloInTwoDatagramsOfOneBatchIsAnswered()
{
    MemoryNetwork network;
    const SocketAddress device = MemoryNetwork::clientAddress(1);
    network.arrive(device, CraftedHello{}.datagram());
    const auto cookie = cookieOf(network.serverSocket->takeSent().at(0).bytes);
    QVERIFY(cookie);
    const CraftedHello hello{.cookie = *cookie};
    network.serverSocket->arrive(device, {hello.firstFragment(70), hello.lastFragment(70)});
    QCOMPARE(network.server->statistics().halfOpen, 1);
    QVERIFY(!network.serverSocket->takeSent().empty()); // the ServerHello
    QCOMPARE(network.server->statistics().unverified.total(), 0U);
}

void TestDtlsServer::theOperatorClosesWhatIsMeantAndNothingElse()
{
    MemoryNetwork network;
    QList<MemoryNetwork::Device *> devices;
    for (int i = 0; i < 3; ++i)
        devices += &network.add(i);
    network.run();
    network.addHalfOpen(MemoryNetwork::clientAddress(9));
    const SessionId meant = network.sessions().front().info.id;

    std::int64_t ended = -1;
    const auto count = [&ended](std::int64_t sessions) { ended = sessions; };
    network.server->closeSessions([](const SessionInfo &) { return false; }, count);
    QCOMPARE(ended, 0);
    network.server->closeSessions(
        [meant](const SessionInfo &session) { return session.id == meant; }, count);
    QCOMPARE(ended, 1);
    network.run(); // close_notify is on its way
    const auto closed = network.events<SessionClosed>();
    QCOMPARE(closed.size(), 1U);
    QCOMPARE(closed[0].session.id, meant);
    QCOMPARE(closed[0].reason, CloseReason::Operator);
    for (const MemoryNetwork::Device *device : devices)
        QCOMPARE(device->client->isConnected(), device->address != closed[0].session.path.peer);

    network.server->closeSessions([](const SessionInfo &) { return true; }, count);
    QCOMPARE(ended, 2);
    QCOMPARE(network.server->statistics().sessionsClosed[CloseReason::Operator], 3U);
    QCOMPARE(network.server->statistics().sessions, 0);
    QCOMPARE(network.server->statistics().halfOpen, 1); // not a session yet
}

DTLSD_TEST(TestDtlsServer)
#include "tst_dtlsserver.moc"
