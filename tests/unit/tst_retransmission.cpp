// SPDX-License-Identifier: Apache-2.0
//
// When the server says something again, and when it keeps silent (RFC 6347 §4.2.4): real QDtls with
// its real timers on both sides, and no network between them.
#include "support/ChildProcess.h"
#include "support/Flight.h"
#include "support/MemoryNetwork.h"
#include "support/TestProgram.h"
#include "wire/Record.h"

#include <functional>
#include <limits>
#include <map>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

/// Counts the timers that fire in this thread, but for the server's own.
class TimerWatch : public QObject
{
public:
    explicit TimerWatch(const DtlsServer *server)
        : m_server(server)
    {
        QCoreApplication::instance()->installEventFilter(this);
    }

    bool eventFilter(QObject *receiver, QEvent *event) override
    {
        if (event->type() == QEvent::Timer && receiver->parent() != m_server)
            ++fired;
        return false;
    }

    int fired = 0;

private:
    const DtlsServer *m_server;
};

/// Loses flights of one device, and counts how often each is sent.
class Thief
{
public:
    /// Loses transmission @p first to @p last of @p flight.
    explicit Thief(Flight flight, int first = 1, int last = std::numeric_limits<int>::max())
        : m_flight(flight)
        , m_first(first)
        , m_last(last)
    {
    }
    /// For MemoryNetwork::run().
    bool operator()(const OutgoingDatagram &datagram)
    {
        const bool toServer = datagram.path.peer == MemoryNetwork::serverAddress();
        const Sighting sighting =
            m_tracker.see(toServer ? Direction::ToServer : Direction::ToClient, datagram.bytes);
        m_transmissions[sighting.flight] = sighting.transmission;
        const bool lose = sighting.flight == m_flight && sighting.transmission >= m_first &&
                          sighting.transmission <= m_last;
        if (lose)
            loot += datagram.bytes;
        return lose;
    }
    /// How often @p flight was sent so far.
    [[nodiscard]] int transmissions(Flight flight) const
    {
        const auto found = m_transmissions.find(flight);
        return found == m_transmissions.end() ? 0 : found->second;
    }

    QByteArray loot;

private:
    FlightTracker m_tracker;
    std::map<Flight, int> m_transmissions;
    const Flight m_flight;
    const int m_first;
    const int m_last;
};

} // namespace

class TestRetransmission : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aRepeatedLastFlightIsAnsweredWithTheServers_data();
    void aRepeatedLastFlightIsAnsweredWithTheServers();
    void aCopyOfTheLastFlightIsNotAnswered();
    void theServerRepeatsItsFlightByItself();
    void aFlightIsTakenWhenTheTimerHasRunOut();
    void aHandshakeThatCannotFinishEndsAtItsDeadline_data();
    void aHandshakeThatCannotFinishEndsAtItsDeadline();
    void anIdleSessionFiresNoTimerAndSendsNothing();
};

void TestRetransmission::aRepeatedLastFlightIsAnsweredWithTheServers_data()
{
    QTest::addColumn<int>("lost");
    QTest::newRow("lost once") << 1;
    QTest::newRow("lost twice") << 2;
}

void TestRetransmission::aRepeatedLastFlightIsAnsweredWithTheServers()
{
    QFETCH(int, lost);
    MemoryNetwork network;
    Thief thief(Flight::ServerFinish, 1, lost);
    auto &device = network.add(1);
    network.run(std::ref(thief));
    QCOMPARE(network.events<SessionOpened>().size(), 1U);
    QVERIFY(!device.client->isConnected());

    const auto isConnected = [&] {
        network.run(std::ref(thief));
        return device.client->isConnected();
    };
    QVERIFY(waitUntil(isConnected, QDeadlineTimer(patience)));
    QCOMPARE(thief.transmissions(Flight::ClientFinish), lost + 1);
    QCOMPARE(thief.transmissions(Flight::ServerFinish), lost + 1);

    QVERIFY(device.client->send("a message"));
    network.run();
    QCOMPARE(network.datagrams.size(), 1U);
    QCOMPARE(device.received.size(), 1U);
    QCOMPARE(network.events<SessionOpened>().size(), 1U);
    QVERIFY(network.events<SessionClosed>().empty());
    QVERIFY(network.events<PeerMisbehaving>().empty());
}

void TestRetransmission::aCopyOfTheLastFlightIsNotAnswered()
{
    MemoryNetwork network;
    auto &device = network.add(1);
    QByteArray flight;
    FlightTracker tracker;
    network.run([&](const OutgoingDatagram &datagram) {
        const bool toServer = datagram.path.peer == MemoryNetwork::serverAddress();
        const auto direction = toServer ? Direction::ToServer : Direction::ToClient;
        if (tracker.see(direction, datagram.bytes).flight == Flight::ClientFinish)
            flight += datagram.bytes;
        return false;
    });
    QVERIFY(device.client->isConnected());
    QVERIFY(!flight.isEmpty());
    // The replay check (RFC 6347 §4.1.2.6) tells a copy that the path made from a repetition.
    for (int i = 0; i < 20; ++i)
        network.arrive(device.address, flight);
    QVERIFY(network.serverSocket->takeSent().empty());
    QVERIFY(device.client->send("a message"));
    network.run();
    QCOMPARE(device.received.size(), 1U);
    QVERIFY(network.events<SessionClosed>().empty());
    QVERIFY(network.events<PeerMisbehaving>().empty());
}

void TestRetransmission::theServerRepeatsItsFlightByItself()
{
    MemoryNetwork network;
    auto &device = network.add(1);
    Thief thief(Flight::ServerHello);
    network.run(std::ref(thief));
    QCOMPARE(thief.transmissions(Flight::ServerHello), 1);
    QVERIFY(network.serverSocket->takeSent().empty());

    // From here on nothing of the client reaches the server.
    std::vector<OutgoingDatagram> sent;
    const auto hasSent = [&] {
        sent = network.serverSocket->takeSent();
        return !sent.empty();
    };
    for (int transmission = 2; transmission <= 3; ++transmission) {
        QVERIFY(waitUntil(hasSent, QDeadlineTimer(patience)));
        for (const OutgoingDatagram &datagram : sent)
            QVERIFY(thief(datagram));
        QCOMPARE(thief.transmissions(Flight::ServerHello), transmission);
    }
    // And what it says is good: with it the handshake completes.
    for (const OutgoingDatagram &datagram : sent)
        device.socket->arrive(MemoryNetwork::serverAddress(), datagram.bytes);
    network.run();
    QVERIFY(device.client->isConnected());
}

void TestRetransmission::aFlightIsTakenWhenTheTimerHasRunOut()
{
    MemoryNetwork network;
    auto &device = network.add(1);
    Thief thief(Flight::ClientFinish, 1, 1);
    network.run(std::ref(thief));
    QTest::qSleep(1100); // as in a worker that is busy for longer than the flight's first timer
    network.arrive(device.address, thief.loot);
    QCOMPARE(network.events<SessionOpened>().size(), 1U);
}

void TestRetransmission::aHandshakeThatCannotFinishEndsAtItsDeadline_data()
{
    QTest::addColumn<bool>("keyExchange");
    QTest::addColumn<HandshakeFailure>("reason");
    QTest::newRow("the client's last flight never comes") << false << HandshakeFailure::Timeout;
    QTest::newRow("the client's last flight comes without its Finished")
        << true << HandshakeFailure::WrongKeyOrLoss;
}

void TestRetransmission::aHandshakeThatCannotFinishEndsAtItsDeadline()
{
    QFETCH(bool, keyExchange);
    QFETCH(HandshakeFailure, reason);
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.handshakeTimeout = 100ms;
    MemoryNetwork network(settings);
    auto &device = network.add(1);
    Thief thief(Flight::ClientFinish);
    network.run(std::ref(thief));
    QCOMPARE(network.server->statistics().halfOpen, 1);
    RecordReader reader(thief.loot);
    while (const auto record = reader.next()) {
        if (keyExchange && record->epoch == 0)
            network.arrive(device.address, record->bytes.toByteArray());
    }
    QTRY_COMPARE(network.events<HandshakeFailed>().size(), 1U);
    QCOMPARE(network.events<HandshakeFailed>()[0].reason, reason);

    // The client's timer, set when the server's was, tells that the server's would have fired; and
    // what the client still says finds nobody.
    for (int repetitions = 0; repetitions < 2; ++repetitions) {
        std::vector<QByteArray> repeated;
        const auto isRepeated = [&] {
            repeated = MemoryNetwork::takeSent(device);
            return !repeated.empty();
        };
        QVERIFY(waitUntil(isRepeated, QDeadlineTimer(patience)));
        for (const QByteArray &datagram : repeated)
            network.arrive(device.address, datagram);
    }
    QVERIFY(network.serverSocket->takeSent().empty());
    QCOMPARE(network.events<HandshakeFailed>().size(), 1U);
    QVERIFY(network.events<SessionOpened>().empty());
    const Statistics statistics = network.server->statistics();
    QCOMPARE(statistics.halfOpen, 0);
    QCOMPARE(statistics.sessions, 0);
    QCOMPARE(statistics.handshakesFailed.total(), 1U);
}

void TestRetransmission::anIdleSessionFiresNoTimerAndSendsNothing()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    // More than the timers of the handshake: the first fires after 1 s, and the next would after 2.
    settings.limits.idleTimeout = 3500ms;
    MemoryNetwork network(settings);
    TimerWatch watch(network.server.get());
    Thief thief(Flight::ServerHello, 1, 1);
    auto &device = network.add(1);
    const auto isConnected = [&] {
        network.run(std::ref(thief));
        return device.client->isConnected();
    };
    QVERIFY(waitUntil(isConnected, QDeadlineTimer(patience)));
    QVERIFY(watch.fired > 0); // those that repeated a flight

    watch.fired = 0;
    const auto isClosed = [&] { return !network.events<SessionClosed>().empty(); };
    QVERIFY(waitUntil(isClosed, QDeadlineTimer(patience)));
    QCOMPARE(network.events<SessionClosed>()[0].reason, CloseReason::Idle);
    QCOMPARE(watch.fired, 0);
    QVERIFY(MemoryNetwork::takeSent(device).empty());
    const auto sent = network.serverSocket->takeSent();
    QCOMPARE(sent.size(), 1U);
    QCOMPARE(FlightTracker().see(Direction::ToClient, sent[0].bytes).flight, Flight::Alert);
}

DTLSD_TEST(TestRetransmission)
#include "tst_retransmission.moc"
