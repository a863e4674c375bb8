// SPDX-License-Identifier: Apache-2.0
//
// What happens at a limit: who gives way, who is left alone, and what a client hears. Scenes with
// many devices are in tst_fairness.
#include "support/TestProgram.h"
#include "support/TestSettings.h"

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

SocketAddress at(const QString &host, int port)
{
    return {QHostAddress(host), static_cast<quint16>(port)};
}

const QString homeAddress = QStringLiteral("192.0.2.77");

} // namespace

class TestLimits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aVerifiedHelloOverTheRateWaitsInSilence();
    void aHandshakeWithinItsGraceGivesWayToNobody();
    void theNetworkWithMostUnfinishedHandshakesMakesRoom_data();
    void theNetworkWithMostUnfinishedHandshakesMakesRoom();
    void theIdentityWithMostSessionsMakesRoom();
    void anIdentityKeepsToItsOwnLimit();
    void theSessionThatWasSilentLongestGivesWay();
    void theWildcardIsOneIdentity();
    void aSessionEndsWithItsLifetime();
    void whatNeverFinishesIsFreedAtItsDeadline();
    void aDeviceThatComesBackToAnotherWorkerKeepsItsNewSession();
    void aLoweredLimitLeavesEachIdentityItsShare();
    void limitsHoldForAllWorkersTogether();
};

void TestLimits::aVerifiedHelloOverTheRateWaitsInSilence()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.handshakesPerSecond = 1;
    MemoryNetwork network(settings);
    network.stopClock();
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
    // Nobody repeats it: it has waited.
    network.advance(1s);
    network.run();
    QVERIFY(second.client->isConnected());
    QCOMPARE(network.server->statistics().unverified.total(), 0U);
}

void TestLimits::aHandshakeWithinItsGraceGivesWayToNobody()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.maxHalfOpen = 3;
    MemoryNetwork network(settings);
    network.stopClock();
    for (int port = 1; port <= 3; ++port)
        network.addHalfOpen(at(homeAddress, port));
    auto &late = network.add(at(homeAddress, 4));
    network.run();
    QVERIFY(!late.client->isConnected());
    QCOMPARE(network.events<HandshakeFailed>().size(), 0U);
    network.advance(HalfOpen::grace);
    network.run();
    QVERIFY(late.client->isConnected());
    QCOMPARE(network.events<HandshakeFailed>().size(), 1U);
    QCOMPARE(network.events<HandshakeFailed>()[0].reason, HandshakeFailure::Limit);
}

void TestLimits::theNetworkWithMostUnfinishedHandshakesMakesRoom_data()
{
    QTest::addColumn<QString>("prefix");
    QTest::newRow("an IPv4 /24") << QStringLiteral("203.0.113.%1");
    QTest::newRow("an IPv6 /48 of many /64") << QStringLiteral("2001:db8:1:%1::1");
    QTest::newRow("an IPv4 /24 behind NAT64") << QStringLiteral("64:ff9b::203.0.113.%1");
}

void TestLimits::theNetworkWithMostUnfinishedHandshakesMakesRoom()
{
    QFETCH(QString, prefix);
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.maxHalfOpen = 10;
    settings.limits.handshakeTimeout = 5min;
    MemoryNetwork network(settings);
    network.stopClock();
    network.addHalfOpen(at(homeAddress, 1)); // the oldest of all
    for (int i = 1; i <= 30; ++i) {
        network.addHalfOpen(at(prefix.arg(i), 4000));
        network.advance(HalfOpen::grace);
    }
    QCOMPARE(network.server->statistics().halfOpen, 10);
    const auto failed = network.events<HandshakeFailed>();
    QCOMPARE(failed.size(), 21U);
    for (const HandshakeFailed &event : failed)
        QVERIFY(event.session.path.peer != at(homeAddress, 1));
    // Others get in, at the cost of that network as well.
    auto &neighbour = network.add(at(homeAddress, 2));
    network.run();
    QVERIFY(neighbour.client->isConnected());
    QVERIFY(network.events<HandshakeFailed>().back().session.path.peer != at(homeAddress, 1));
}

void TestLimits::theIdentityWithMostSessionsMakesRoom()
{
    ServerSettings settings = settingsWith({"a", "b", "c"});
    settings.limits.maxSessions = 5;
    MemoryNetwork network(settings);
    network.stopClock();
    auto &a = network.add(1, device("a"));
    network.run();
    std::vector<MemoryNetwork::Device *> greedy;
    for (int i = 0; i < 4; ++i) {
        greedy.push_back(&network.add(10 + i, device("b")));
        network.run();
    }
    auto &c = network.add(2, device("c"));
    network.run();
    QVERIFY(a.client->isConnected());
    QVERIFY(c.client->isConnected());
    QVERIFY(!greedy[0]->client->isConnected()); // told so by close_notify
    for (std::size_t i = 1; i < greedy.size(); ++i)
        QVERIFY(greedy[i]->client->isConnected());
    QCOMPARE(network.events<SessionClosed>().at(0).reason, CloseReason::Evicted);
    QCOMPARE(network.server->statistics().sessions, 5);
}

void TestLimits::anIdentityKeepsToItsOwnLimit()
{
    ServerSettings settings = settingsWith({"a", "b"});
    settings.limits.maxSessionsPerIdentity = 2;
    MemoryNetwork network(settings);
    network.stopClock();
    auto &a = network.add(1, device("a"));
    network.run();
    std::vector<MemoryNetwork::Device *> devices;
    for (int i = 0; i < 3; ++i) {
        devices.push_back(&network.add(10 + i, device("b")));
        network.run();
    }
    QVERIFY(a.client->isConnected());
    QVERIFY(!devices[0]->client->isConnected());
    QVERIFY(devices[1]->client->isConnected());
    QVERIFY(devices[2]->client->isConnected());
}

void TestLimits::theSessionThatWasSilentLongestGivesWay()
{
    ServerSettings settings = settingsWith({"a", "b", "c"});
    settings.limits.maxSessions = 2;
    MemoryNetwork network(settings);
    network.stopClock();
    auto &talkative = network.add(1, device("a"));
    network.run();
    auto &silent = network.add(2, device("b"));
    network.run();
    talkative.client->send("busy");
    network.run();
    network.add(3, device("c"));
    network.run();
    QVERIFY(talkative.client->isConnected());
    QVERIFY(!silent.client->isConnected());
    QCOMPARE(network.server->statistics().sessions, 2);
}

void TestLimits::theWildcardIsOneIdentity()
{
    ServerSettings settings = settingsWith({"a"}, true);
    settings.limits.maxSessions = 3;
    MemoryNetwork network(settings);
    network.stopClock();
    auto &known = network.add(1, device("a"));
    network.run();
    std::vector<MemoryNetwork::Device *> others;
    for (int i = 0; i < 3; ++i) {
        others.push_back(&network.add(10 + i, device("other-" + QByteArray::number(i))));
        network.run();
    }
    QVERIFY(known.client->isConnected()); // although it was silent longest
    QVERIFY(!others[0]->client->isConnected());
}

void TestLimits::aSessionEndsWithItsLifetime()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.sessionLifetime = 1h;
    MemoryNetwork network(settings);
    network.stopClock();
    auto &old = network.add(1);
    network.run();
    network.advance(30min); // idle by far, had it not spoken
    QCOMPARE(network.server->statistics().sessions, 0);
    auto &device = network.add(2);
    network.run();
    auto &younger = network.add(3);
    for (int minute = 0; minute < 59; ++minute) {
        network.advance(1min);
        network.run();
        QVERIFY(device.client->send("alive"));
        network.run();
    }
    QVERIFY(device.client->isConnected());
    network.advance(1min);
    network.run();
    QVERIFY(!device.client->isConnected());
    QVERIFY(!old.client->isConnected());
    QVERIFY(!younger.client->isConnected());
    QCOMPARE(network.events<SessionClosed>().back().reason, CloseReason::Lifetime);
}

void TestLimits::whatNeverFinishesIsFreedAtItsDeadline()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.handshakeTimeout = 5s;
    MemoryNetwork network(settings);
    network.stopClock();
    auto &device = network.add(1);
    network.run();
    for (int i = 0; i < 20; ++i)
        network.addHalfOpen(at(QStringLiteral("203.0.113.5"), 1000 + i));
    network.advance(4999ms);
    QCOMPARE(network.server->statistics().halfOpen, 20);
    network.advance(1ms);
    QCOMPARE(network.server->statistics().halfOpen, 0);
    QCOMPARE(network.events<HandshakeFailed>().size(), 20U);
    QVERIFY(device.client->isConnected());
    QCOMPARE(network.server->statistics().sessions, 1);
}

void TestLimits::aDeviceThatComesBackToAnotherWorkerKeepsItsNewSession()
{
    ServerSettings settings = settingsWith({"a", "b", "c", "d"});
    settings.limits.maxSessions = 4;
    MemoryNetwork one(settings);
    one.stopClock();
    MemoryNetwork other(settings, one);
    for (const char *identity : {"a", "b", "c", "d"}) {
        other.add(int(*identity), device(identity));
        other.run();
        one.advance(1s);
    }
    for (const char *identity : {"c", "a", "d", "b"}) {
        auto &back = one.add(int(*identity), device(identity));
        one.run();
        other.run(); // the old session gives way
        QVERIFY(back.client->isConnected());
        QCOMPARE(one.server->statistics().sessions + other.server->statistics().sessions, 4);
        one.advance(1s);
    }
    QCOMPARE(one.server->statistics().sessions, 4);
}

void TestLimits::aLoweredLimitLeavesEachIdentityItsShare()
{
    ServerSettings settings = settingsWith({"c", "d"});
    MemoryNetwork one(settings);
    one.stopClock();
    MemoryNetwork other(settings, one);
    for (int i = 0; i < 15; ++i) {
        MemoryNetwork &network = i % 2 == 0 ? one : other;
        network.add(i, device(i < 10 ? "c" : "d"));
        network.run();
    }
    const auto sessionsOf = [&](const QByteArray &identity) {
        int count = 0;
        for (const MemoryNetwork *network : {&one, &other})
            for (const SessionReport &report : network->sessions())
                count += report.info.identity == identity ? 1 : 0;
        return count;
    };
    const auto apply = [&] {
        for (MemoryNetwork *network : {&one, &other})
            network->server->apply(std::make_shared<const ServerSettings>(settings));
        for (int i = 0; i < 3; ++i) {
            for (MemoryNetwork *network : {&one, &other}) {
                network->advance(5ms);
                network->run();
            }
        }
    };
    settings.limits.maxSessionsPerIdentity = 4;
    apply();
    QCOMPARE(sessionsOf("c"), 4);
    QCOMPARE(sessionsOf("d"), 4);
    settings.limits.maxSessions = 4;
    apply();
    QCOMPARE(sessionsOf("c"), 2);
    QCOMPARE(sessionsOf("d"), 2);
}

void TestLimits::limitsHoldForAllWorkersTogether()
{
    ServerSettings settings = settingsWith({"a", "b", "c"});
    settings.limits.maxSessions = 4;
    settings.limits.maxHalfOpen = 2;
    MemoryNetwork one(settings);
    one.stopClock();
    MemoryNetwork other(settings, one);
    const auto run = [&] {
        for (int i = 0; i < 3; ++i) {
            one.run();
            other.run();
        }
    };
    // The sessions of the greedy identity are all with the other worker.
    for (int i = 0; i < 3; ++i) {
        other.add(10 + i, device("b"));
        run();
    }
    auto &a = one.add(1, device("a"));
    run();
    auto &c = one.add(2, device("c"));
    run();
    QVERIFY(a.client->isConnected());
    QVERIFY(c.client->isConnected());
    QCOMPARE(one.server->statistics().sessions, 2);
    QCOMPARE(other.server->statistics().sessions, 2);
    // The same with handshakes.
    other.addHalfOpen(at(QStringLiteral("203.0.113.5"), 1));
    other.addHalfOpen(at(QStringLiteral("203.0.113.5"), 2));
    auto &waiting = one.add(3, device("c"));
    run();
    QVERIFY(!waiting.client->isConnected());
    one.advance(HalfOpen::grace);
    run();
    one.advance(1s);
    run();
    QVERIFY(waiting.client->isConnected());
    QCOMPARE(other.server->statistics().halfOpen, 1);
}

DTLSD_TEST(TestLimits)
#include "tst_limits.moc"
