// SPDX-License-Identifier: Apache-2.0
//
// What happens at a limit: who gives way, who is left alone, and what a client hears.
#include "support/MemoryNetwork.h"

#include <QTest>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

SocketAddress at(const QString &address, int port)
{
    return {QHostAddress(address), static_cast<quint16>(port)};
}

const QString home = QStringLiteral("192.0.2.77");

} // namespace

class TestLimits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aVerifiedHelloOverTheRateHearsNothing();
    void anAddressWithTooManyHandshakesMakesRoomItself();
    void aSiteWithManyAddressesMakesRoomItself_data();
    void aSiteWithManyAddressesMakesRoomItself();
    void anAddressWithTooManySessionsMakesRoomItself();
    void theSessionThatWasSilentLongestGivesWay();
    void whatNeverFinishesIsFreedAtItsDeadline();
};

void TestLimits::aVerifiedHelloOverTheRateHearsNothing()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.handshakesPerSecond = 1;
    MemoryNetwork network(settings);
    auto &first = network.add(1);
    network.run();
    QVERIFY(first.client->isConnected());

    auto &second = network.add(2);
    const QByteArray hello = MemoryNetwork::takeSent(second).front();
    network.arrive(second.address, hello);
    second.socket->arrive(MemoryNetwork::serverAddress(),
                          network.serverSocket->takeSent().at(0).bytes);
    const QByteArray verified = MemoryNetwork::takeSent(second).at(0);
    for (int i = 0; i < 100; ++i)
        network.arrive(second.address, verified);
    // Not one HelloVerifyRequest: the client would answer each at once.
    QVERIFY(network.serverSocket->takeSent().empty());
    QCOMPARE(network.server->statistics().halfOpen, 0);
    QCOMPARE(network.server->statistics().unverified.total(), 100U);
    // A second later there is room again, and the client asks again by itself.
    QTRY_VERIFY_WITH_TIMEOUT((network.run(), second.client->isConnected()), 10'000);
}

void TestLimits::anAddressWithTooManyHandshakesMakesRoomItself()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.maxHalfOpenPerAddress = 3;
    MemoryNetwork network(settings);
    network.addHalfOpen(at(home, 1));
    for (int port = 1; port <= 10; ++port)
        network.addHalfOpen(at(QStringLiteral("203.0.113.5"), port));
    QCOMPARE(network.server->statistics().halfOpen, 4);
    const auto failed = network.events<HandshakeFailed>();
    QCOMPARE(failed.size(), 7U);
    for (std::size_t i = 0; i < failed.size(); ++i) {
        QCOMPARE(failed[i].reason, HandshakeFailure::Limit);
        QCOMPARE(failed[i].session.path.peer,
                 at(QStringLiteral("203.0.113.5"), static_cast<int>(i) + 1));
    }
}

void TestLimits::aSiteWithManyAddressesMakesRoomItself_data()
{
    QTest::addColumn<QString>("prefix");
    QTest::newRow("an IPv4 /24") << QStringLiteral("203.0.113.");
    QTest::newRow("an IPv6 /48 of many /64") << QStringLiteral("2001:db8:1:%1::");
}

void TestLimits::aSiteWithManyAddressesMakesRoomItself()
{
    QFETCH(QString, prefix);
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.maxHalfOpen = 10;
    settings.limits.maxHalfOpenPerAddress = 2;
    MemoryNetwork network(settings);
    network.addHalfOpen(at(home, 1)); // the oldest of all
    for (int i = 1; i <= 30; ++i) {
        const QString address =
            prefix.contains(u'%') ? prefix.arg(i, 0, 16) + u'1' : prefix + QString::number(i);
        network.addHalfOpen(at(address, 4000));
    }
    QCOMPARE(network.server->statistics().halfOpen, 10);
    const auto failed = network.events<HandshakeFailed>();
    QCOMPARE(failed.size(), 21U);
    for (const HandshakeFailed &event : failed)
        QVERIFY(event.session.path.peer != at(home, 1));
    // Somebody from elsewhere is let in, at the cost of the oldest.
    network.addHalfOpen(at(QStringLiteral("198.51.100.1"), 1));
    QCOMPARE(network.events<HandshakeFailed>().back().session.path.peer, at(home, 1));
    QCOMPARE(network.server->statistics().halfOpen, 10);
}

void TestLimits::anAddressWithTooManySessionsMakesRoomItself()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.maxSessionsPerAddress = 2;
    MemoryNetwork network(settings);
    auto &other = network.add(at(home, 1));
    std::vector<MemoryNetwork::Device *> devices;
    for (int port = 1; port <= 3; ++port) {
        devices.push_back(&network.add(at(QStringLiteral("203.0.113.5"), port)));
        network.run();
    }
    QVERIFY(other.client->isConnected());
    QVERIFY(!devices[0]->client->isConnected()); // told so by close_notify
    QVERIFY(devices[1]->client->isConnected());
    QVERIFY(devices[2]->client->isConnected());
    QCOMPARE(network.events<SessionClosed>().at(0).reason, CloseReason::Evicted);
}

void TestLimits::theSessionThatWasSilentLongestGivesWay()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.maxSessions = 2;
    MemoryNetwork network(settings);
    auto &talkative = network.add(1);
    network.run();
    auto &silent = network.add(2);
    network.run();
    talkative.client->send("busy");
    network.run();
    network.add(3);
    network.run();
    QVERIFY(talkative.client->isConnected());
    QVERIFY(!silent.client->isConnected());
    QCOMPARE(network.server->statistics().sessions, 2);
}

void TestLimits::whatNeverFinishesIsFreedAtItsDeadline()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.handshakeTimeout = 50ms;
    MemoryNetwork network(settings);
    auto &device = network.add(1);
    network.run();
    for (int i = 0; i < 20; ++i)
        network.addHalfOpen(at(QStringLiteral("203.0.113.5"), 1000 + i));
    QTRY_COMPARE(network.server->statistics().halfOpen, 0);
    QCOMPARE(network.events<HandshakeFailed>().size(), 20U);
    QVERIFY(device.client->isConnected());
    QCOMPARE(network.server->statistics().sessions, 1);
}

QTEST_GUILESS_MAIN(TestLimits)
#include "tst_limits.moc"
