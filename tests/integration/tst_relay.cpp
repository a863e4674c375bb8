// SPDX-License-Identifier: Apache-2.0
//
// The Relay that other tests rely on: every fault is seen to happen, and the same seed gives the
// same decisions.
#include "support/ChildProcess.h"
#include "support/RecordBytes.h"
#include "support/Relay.h"
#include "support/TestProgram.h"
#include "support/Wiretap.h"

#include <QNetworkDatagram>
#include <QUdpSocket>

#include <memory>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

/// A record of application data that nobody could decrypt.
QByteArray message(const QByteArray &text)
{
    return QByteArray::fromHex("17fefd00010000000000010000").chopped(1) +
           static_cast<char>(text.size()) + text;
}

/// A plain UDP socket that remembers what came, and from where.
class Party
{
public:
    Party()
    {
        if (!m_socket.bind(QHostAddress::LocalHost))
            qFatal("no port: %s", qPrintable(m_socket.errorString()));
        QObject::connect(&m_socket, &QUdpSocket::readyRead, &m_socket, [this] {
            while (m_socket.hasPendingDatagrams()) {
                const QNetworkDatagram datagram = m_socket.receiveDatagram();
                received << datagram.data();
                peer = {datagram.senderAddress(),
                        static_cast<std::uint16_t>(datagram.senderPort())};
            }
        });
    }

    [[nodiscard]] SocketAddress address() const
    {
        return {m_socket.localAddress(), m_socket.localPort()};
    }
    void send(const SocketAddress &to, const QByteArray &datagram)
    {
        m_socket.writeDatagram(datagram, to.address(), to.port());
    }

    QList<QByteArray> received;
    SocketAddress peer;

private:
    QUdpSocket m_socket;
};

FaultPlan everyFaultByChance(std::uint64_t seed)
{
    const FaultRates rates{0.15, 0.15, 0.15, 0.15, 0.15};
    FaultPlan plan{.toServer = rates, .toClient = rates, .seed = seed};
    plan.longestDelay = std::chrono::milliseconds(20);
    return plan;
}

using Decisions = QList<std::pair<Sighting, Decision>>;

/// What @p relay decided about its client @p number.
Decisions decisionsOf(const Relay &relay, int number)
{
    Decisions decisions;
    for (const RelayLog::Entry &entry : relay.log().entries()) {
        if (entry.client == number)
            decisions << std::pair(entry.sighting, entry.decision);
    }
    return decisions;
}

} // namespace

class TestRelay : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyFaultIsSeenByTheReceiver_data();
    void everyFaultIsSeenByTheReceiver();
    void whereEveryDatagramIsOvertakenPairsChangePlaces();
    void recordsCanTravelInDatagramsOfTheirOwn();
    void theSameSeedGivesTheSameDecisions();
    void eachClientHasAPortOfItsOwn();
    void aTapSeesWhenANonceComesBack();
    void aTapHasWhatIsToBeReplayed();
};

void TestRelay::everyFaultIsSeenByTheReceiver_data()
{
    QTest::addColumn<Fault>("fault");
    QTest::addColumn<Direction>("direction");
    QTest::addColumn<QList<QByteArray>>("arriving");
    const QByteArray one = message("one");
    const QByteArray two = message("two");
    const QByteArray three = message("three");
    const struct
    {
        const char *name = nullptr;
        Fault fault = Fault::None;
        QList<QByteArray> arriving;
    } cases[] = {{"none", Fault::None, {one, two, three}},
                 {"a datagram is dropped", Fault::Drop, {one, three}},
                 {"a datagram is delayed", Fault::Delay, {one, three, two}},
                 {"a datagram is overtaken", Fault::Reorder, {one, three, two}},
                 {"a datagram is doubled", Fault::Duplicate, {one, two, two, three}},
                 {"a datagram is cut", Fault::Truncate, {one, two.first(8), three}}};
    for (const auto &row : cases) {
        QTest::addRow("%s on its way to the server", row.name)
            << row.fault << Direction::ToServer << row.arriving;
        QTest::addRow("%s on its way to the client", row.name)
            << row.fault << Direction::ToClient << row.arriving;
    }
}

void TestRelay::everyFaultIsSeenByTheReceiver()
{
    QFETCH(Fault, fault);
    QFETCH(Direction, direction);
    QFETCH(QList<QByteArray>, arriving);
    Party server;
    Party client;
    Relay relay(server.address(),
                {.rules = {{.fault = fault, .direction = direction, .first = 2, .last = 2}},
                 .longestDelay = std::chrono::milliseconds(100)});
    const bool toServer = direction == Direction::ToServer;
    if (!toServer) { // the server can only answer
        client.send(relay.address(), message("hello"));
        QTRY_COMPARE(server.received.size(), 1);
    }
    for (const QByteArray text : {"one", "two", "three"}) {
        if (toServer)
            client.send(relay.address(), message(text));
        else
            server.send(server.peer, message(text));
    }
    QTRY_COMPARE((toServer ? server : client).received, arriving);
    QCOMPARE(relay.log().count(fault, Flight::ApplicationData), fault == Fault::None ? 0 : 1);
}

void TestRelay::whereEveryDatagramIsOvertakenPairsChangePlaces()
{
    Party server;
    Party client;
    Relay relay(server.address(),
                {.rules = {{.fault = Fault::Reorder, .last = FaultRule::forEver}}});
    for (const QByteArray text : {"1", "2", "3", "4", "5"})
        client.send(relay.address(), message(text));
    // The fifth waits for a sixth, in vain, and is not lost.
    QTRY_COMPARE(server.received, QList<QByteArray>({message("2"), message("1"), message("4"),
                                                     message("3"), message("5")}));
    QCOMPARE(relay.log().count(Fault::Reorder), 2);
}

void TestRelay::recordsCanTravelInDatagramsOfTheirOwn()
{
    Party server;
    Party client;
    Relay relay(server.address(), {.splitRecords = true});
    client.send(relay.address(), message("one") + message("two") + "rest");
    QTRY_COMPARE(server.received, QList<QByteArray>({message("one"), message("two"), "rest"}));
    QCOMPARE(relay.log().entries().back().sighting.flight, Flight::Other);
}

void TestRelay::theSameSeedGivesTheSameDecisions()
{
    constexpr int datagrams = 100;
    Party server;
    const auto run = [&](Relay &relay, Party &client) {
        const std::size_t before = relay.log().entries().size();
        for (int i = 0; i < datagrams; ++i)
            client.send(relay.address(), message(QByteArray::number(i)));
        return waitUntil([&] { return relay.log().entries().size() == before + datagrams; },
                         QDeadlineTimer(patience));
    };
    Relay first(server.address(), everyFaultByChance(42));
    Relay again(server.address(), everyFaultByChance(42));
    Relay next(server.address(), everyFaultByChance(43));
    std::vector<std::unique_ptr<Party>> clients;
    for (Relay *relay : {&first, &first, &again, &next}) {
        clients.push_back(std::make_unique<Party>());
        QVERIFY(run(*relay, *clients.back()));
    }
    QVERIFY(decisionsOf(first, 0) == decisionsOf(again, 0));
    QVERIFY(decisionsOf(first, 0) != decisionsOf(first, 1));
    // A client of many can be had alone.
    QVERIFY(decisionsOf(first, 1) == decisionsOf(next, 0));

    for (const Fault fault :
         {Fault::Drop, Fault::Delay, Fault::Reorder, Fault::Duplicate, Fault::Truncate})
        QVERIFY2(first.log().count(fault) > 0, qPrintable(nameOf(fault)));
}

void TestRelay::eachClientHasAPortOfItsOwn()
{
    Party server;
    Party one;
    Party two;
    Relay relay(server.address(), {});
    one.send(relay.address(), message("one"));
    QTRY_COMPARE(server.received.size(), 1);
    const SocketAddress firstPeer = server.peer;
    two.send(relay.address(), message("two"));
    QTRY_COMPARE(server.received.size(), 2);
    QVERIFY(server.peer != firstPeer);
    server.send(firstPeer, message("to one"));
    server.send(server.peer, message("to two"));
    QTRY_COMPARE(one.received, QList<QByteArray>{message("to one")});
    QTRY_COMPARE(two.received, QList<QByteArray>{message("to two")});
    QCOMPARE(relay.clients(), 2U);
    relay.forgetSilent(std::chrono::hours(1));
    QCOMPARE(relay.clients(), 2U);
    relay.forgetSilent(std::chrono::milliseconds(0));
    QCOMPARE(relay.clients(), 0U);
}

void TestRelay::aTapSeesWhenANonceComesBack()
{
    const QByteArray one(30, '1');
    const QByteArray two(30, '2');
    const QByteArray likeOne = QByteArray(8, '1') + QByteArray(22, '3');
    const auto withId = [](int sequence, const QByteArray &fragment) {
        return record(25, 1, sequence, fragment).insert(11, QByteArray(8, 'i'));
    };
    const auto hello = [](char random) {
        return record(22, 0, 0, "\1" + QByteArray(11, 0) + "\xfe\xfd" + QByteArray(40, random));
    };
    const auto repeats = [&](const QList<QByteArray> &sent, int other = 0) {
        Wiretap tap(8);
        for (qsizetype i = 0; i < sent.size(); ++i) {
            const bool isHello = sent[i][13] == 1 && sent[i][0] == 22;
            tap.sent(i + 1 < sent.size() ? 0 : other,
                     isHello ? Direction::ToServer : Direction::ToClient, sent[i]);
        }
        return tap.repeatedNonces().size();
    };
    QCOMPARE(repeats({record(23, 1, 5, one), record(23, 1, 6, two)}), 0);
    QCOMPARE(repeats({record(23, 1, 5, one), record(23, 1, 5, one)}), 0); // a copy
    QCOMPARE(repeats({record(23, 1, 5, one), record(23, 1, 5, two)}), 1);
    QCOMPARE(repeats({record(23, 1, 5, one), record(23, 1, 6, likeOne)}), 1); // explicit nonce
    QCOMPARE(repeats({record(23, 1, 5, one), record(23, 1, 5, two)}, 1), 0);  // another client
    QCOMPARE(repeats({record(23, 0, 5, one), record(23, 0, 5, two)}), 0);     // in clear
    QCOMPARE(repeats({withId(5, one), withId(5, two)}), 1);
    QCOMPARE(repeats({withId(5, one) + withId(6, two), record(21, 1, 6, one)}), 1);
    QCOMPARE(repeats({hello('a'), record(23, 1, 5, one), hello('a'), record(23, 1, 5, two)}), 1);
    QCOMPARE(repeats({hello('a'), record(23, 1, 5, one), hello('b'), record(23, 1, 5, two)}), 0);
}

void TestRelay::aTapHasWhatIsToBeReplayed()
{
    Party server;
    Party client;
    Wiretap tap;
    Relay relay(server.address(),
                {.rules = {{.direction = Direction::ToServer, .first = 2, .last = 2},
                           {.fault = Fault::Duplicate, .first = 3, .last = 3}}});
    relay.setTap(&tap);
    for (const QByteArray text : {"one", "lost", "two"})
        client.send(relay.address(), message(text));
    QTRY_COMPARE(server.received.size(), 3);
    QCOMPARE(relay.replay(), 2U);
    const QList<QByteArray> expected{message("one"), message("two")};
    QTRY_COMPARE(server.received.size(), 5);
    QCOMPARE(server.received.sliced(3), expected);
}

DTLSD_TEST(TestRelay)
#include "tst_relay.moc"
