// SPDX-License-Identifier: Apache-2.0
//
// The Relay that other tests rely on: every fault is seen to happen, and the same seed gives the
// same decisions.
#include "support/ChildProcess.h"
#include "support/Relay.h"
#include "support/TestProgram.h"

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

DTLSD_TEST(TestRelay)
#include "tst_relay.moc"
