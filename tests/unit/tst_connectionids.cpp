// SPDX-License-Identifier: Apache-2.0
//
// Sessions with connection IDs (RFC 9146): what a device that moves keeps, and what those who see
// its datagrams may not gain.
#include "support/KeyedDevice.h"
#include "support/MemoryNetwork.h"
#include "support/MemorySocket.h"
#include "support/RecordBytes.h"
#include "support/TestProgram.h"
#include "support/TestSettings.h"
#include "wire/SuiteLimits.h"

#include <QTest>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

const QByteArray deviceId = QByteArray::fromHex("0a0b0c0d");

SocketAddress at(int network, int port = 5683)
{
    return {QHostAddress(0x0a000001U + (static_cast<quint32>(network) << 8)),
            static_cast<quint16>(port)};
}

ServerSettings settings(const QString &reply = QStringLiteral("ACK {sequence} to {peer}"))
{
    return everySuiteReplying(reply);
}

KeyedClient::Options withId(const QByteArray &suite = "PSK-AES128-GCM-SHA256",
                            const QByteArray &id = deviceId)
{
    return {.ciphers = suite, .connectionId = id};
}

QByteArray reply(int sequence, const SocketAddress &peer)
{
    return "ACK " + QByteArray::number(sequence) + " to " + peer.toUtf8();
}

} // namespace

class TestConnectionIds : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void bothDirectionsHaveThem_data();
    void bothDirectionsHaveThem();
    void whoDoesNotAskGetsNone();
    void longerOnesAreNotAgreedTo();
    void switchedOffNobodyGetsOne();
    void malformedRequestsEndTheHandshake();
    void onceAgreedOnEveryRecordHasOne();
    void paddingIsTaken();
    void oddContentsAreDropped();
    void theLastFlightIsRepeated();
    void garbageTakesNotThePlaceOfTheFinished();
    void dataRightBehindTheFinishedIsDelivered();
    void anotherSessionsRecordEndsTheReading();

    void theNewestRecordMovesTheSession();
    void lateCopiesAndForgeriesMoveNothing();
    void receiptsOnTheirWayFindIt();
    void movesAreToldOnceAMinute();
    void anUnprovedPathGetsThreeTimesWhatItBrought();
    void aDeviceThatLosesNothingGoesOnElsewhere();
    void theProvedPathHasNoLimit();
    void aPathThatAnswersIsProved();
    void challengesOfTheDeviceAreAnswered();
    void anAddressThatIsNotAllowedMovesNothing();
    void nobodyTakesThePathOfAnother();
    void itIsReplacedByItsOwnDeviceAlone();
    void forgeriesFromElsewhereEndNothing();
    void itSleepsForLong();
    void closingWorksWhereverItIs();
    void whoWasSilentLongestGivesWay();
    void newSettingsHoldWhereverItIs();
};

void TestConnectionIds::bothDirectionsHaveThem_data()
{
    QTest::addColumn<QByteArray>("suite");
    QTest::addColumn<QByteArray>("id");
    for (const char *suite : suiteNames) {
        for (const int size : {0, 4, 32})
            QTest::addRow("%s, %d bytes", suite, size)
                << QByteArray(suite) << QByteArray(size, 'd');
    }
}

void TestConnectionIds::bothDirectionsHaveThem()
{
    QFETCH(QByteArray, suite);
    QFETCH(QByteArray, id);
    MemoryNetwork network(settings(QStringLiteral("echo")));
    KeyedDevice device(network, at(1), withId(suite, id));
    QVERIFY(device.connect());
    QCOMPARE(device.serverId().size(), qsizetype{8});
    const auto opened = network.events<SessionOpened>();
    QCOMPARE(opened.size(), 1U);
    QVERIFY(opened[0].session.connectionId);
    QCOMPARE(opened[0].session.connectionId->view(), QByteArrayView(device.serverId()));

    const qsizetype largest = id.isEmpty() ? 16'384 : 16'383; // the type is a byte of it
    for (const qsizetype size : {qsizetype{1}, qsizetype{64}, qsizetype{1000}, largest}) {
        const QByteArray message(std::min(size, qsizetype{16'383}), 'm');
        network.arrive(device.address(), device.seal(message));
        const auto sent = network.serverSocket->takeSent();
        QCOMPARE(sent.size(), 1U);
        QCOMPARE(sent[0].bytes.sliced(11, id.size()) == id && sent[0].bytes[0] == '\x19',
                 !id.isEmpty());
        device.take(sent[0].bytes);
        QCOMPARE(device.received.back(), message);
        QCOMPARE(network.datagrams.back().payload, message);
    }
    device.send(device.seal(ContentType::Alert, QByteArray::fromHex("0100"))); // close_notify
    QCOMPARE(network.events<SessionClosed>().at(0).reason, CloseReason::CloseNotify);
    QCOMPARE(device.alerts.at(0).description, AlertDescription::CloseNotify);
    QCOMPARE(network.server->statistics().badRecords, 0U);
}

void TestConnectionIds::whoDoesNotAskGetsNone()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), {});
    QVERIFY(device.connect());
    QVERIFY(!network.events<SessionOpened>().at(0).session.connectionId);
    device.send(device.seal("hello"));
    device.moveTo(at(2));
    device.send(device.seal("from elsewhere"));
    QCOMPARE(network.datagrams.size(), 1U);
    QCOMPARE(network.server->statistics().unverified.withoutSession, 1U);
}

void TestConnectionIds::longerOnesAreNotAgreedTo()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId("PSK-AES128-GCM-SHA256", QByteArray(33, 'd')));
    QVERIFY(device.connect());
    QVERIFY(device.serverId().isNull());
    device.send(device.seal("hello"));
    QCOMPARE(network.datagrams.size(), 1U);
}

void TestConnectionIds::switchedOffNobodyGetsOne()
{
    ServerSettings off = settings();
    off.tls.connectionIds = false;
    MemoryNetwork network(off);
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    QVERIFY(device.serverId().isNull());
    device.send(device.seal("hello"));
    QCOMPARE(network.datagrams.size(), 1U);
}

void TestConnectionIds::malformedRequestsEndTheHandshake()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId());
    for (int flight = 0; flight < 2; ++flight) {
        for (QByteArray datagram : device.takeSent()) {
            const QByteArray request = QByteArray::fromHex("0036000504") + deviceId;
            const qsizetype place = datagram.indexOf(request);
            QVERIFY(place > 0);
            if (flight == 1)
                datagram[place + 4] = 5; // longer than it is
            network.arrive(device.address(), datagram);
        }
        device.listen();
    }
    QVERIFY(!device.isConnected());
    QCOMPARE(network.events<HandshakeFailed>().size(), 1U);
}

void TestConnectionIds::onceAgreedOnEveryRecordHasOne()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    device.send(device.sealOrdinary(ContentType::ApplicationData, "without", 1, 5));
    QVERIFY(network.datagrams.empty());
    device.send(device.seal("with"));
    QCOMPARE(network.datagrams.size(), 1U);

    // And without an agreement no record has.
    KeyedDevice other(network, at(2), {});
    QVERIFY(other.connect());
    QByteArray record = other.seal("with one all the same");
    record[0] = '\x19';
    record.insert(11, device.serverId());
    other.send(record);
    QCOMPARE(network.datagrams.size(), 1U);
}

void TestConnectionIds::paddingIsTaken()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    std::uint64_t sequence = 1;
    for (const int zeros : {1, 15, 1000, 16'384 - 8}) {
        device.send(device.seal(ContentType::ApplicationData, "padded!", 1, sequence++, zeros));
        QCOMPARE(network.datagrams.size(), sequence - 1);
        QCOMPARE(network.datagrams.back().payload, "padded!");
    }
    const auto bad = network.server->statistics().badRecords;
    device.send(device.seal(ContentType::ApplicationData, "padded!", 1, sequence, 16'384 - 7));
    QCOMPARE(network.server->statistics().badRecords, bad + 1);
    QCOMPARE(network.datagrams.size(), sequence - 1); // RFC 9146 §5: at most 2^14 bytes
}

void TestConnectionIds::oddContentsAreDropped()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    std::uint64_t sequence = 1;
    for (const int type : {0, 20, 25, 26, 27, 255}) {
        // Type 0 with padding is nothing but zeros.
        const QByteArray content = type == 0 ? QByteArray() : QByteArray("odd");
        device.send(device.seal(static_cast<ContentType>(type), content, 1, sequence++, 3));
        QVERIFY(network.datagrams.empty());
    }
    for (const int epoch : {0, 2, 0xffff})
        device.send(device.seal(ContentType::ApplicationData, "of another epoch",
                                static_cast<std::uint16_t>(epoch), sequence));
    QVERIFY(network.datagrams.empty());
    device.send(device.seal(ContentType::ApplicationData, "in order", 1, sequence));
    QCOMPARE(network.datagrams.size(), 1U);
    QVERIFY(network.events<SessionClosed>().empty());
}

void TestConnectionIds::theLastFlightIsRepeated()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    network.arrive(device.address(), device.seal(ContentType::Handshake, device.ownFinished()));
    const auto sent = network.serverSocket->takeSent();
    QCOMPARE(sent.size(), 1U);
    RecordReader reader(sent[0].bytes);
    QCOMPARE(reader.next()->type, ContentType::ChangeCipherSpec);
    QCOMPARE(reader.rest()[0], '\x19'); // the Finished
}

void TestConnectionIds::garbageTakesNotThePlaceOfTheFinished()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId());
    const auto last = device.connectUpToLastFlight();
    const QByteArray &id = device.serverId();
    for (const qsizetype size : {0, 24, 33, 49, 200, 300, 2000}) {
        for (const int sequence : {0, 1, 7}) {
            QByteArray garbage = record(25, 1, sequence, QByteArray(size, 'g'));
            garbage.insert(11, id);
            network.arrive(device.address(), garbage); // on its path
            network.arrive(at(9), garbage);            // and from elsewhere
        }
    }
    for (const QByteArray &datagram : last)
        network.arrive(device.address(), datagram);
    device.listen();
    QVERIFY(device.isConnected());
}

void TestConnectionIds::dataRightBehindTheFinishedIsDelivered()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId());
    QByteArray all;
    for (const QByteArray &datagram : device.connectUpToLastFlight())
        all += datagram;
    network.arrive(device.address(), all + device.seal("one") + device.seal("two"));
    QCOMPARE(network.datagrams.size(), 2U);
    QCOMPARE(network.datagrams[1].payload, "two");
}

void TestConnectionIds::anotherSessionsRecordEndsTheReading()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId());
    KeyedDevice other(network, at(2), withId());
    QVERIFY(device.connect() && other.connect());
    network.arrive(at(1), device.seal("mine") + other.seal("not mine") + device.seal("late"));
    QCOMPARE(network.datagrams.size(), 1U);
    QCOMPARE(network.datagrams[0].payload, "mine");
    KeyedDevice ordinary(network, at(3), {});
    QVERIFY(ordinary.connect());
    network.arrive(at(3), ordinary.seal("ours") + other.seal("not ours") + ordinary.seal("late"));
    QCOMPARE(network.datagrams.size(), 2U);
    QCOMPARE(network.datagrams[1].payload, "ours");
    QVERIFY(network.events<SessionMoved>().empty());
}

void TestConnectionIds::theNewestRecordMovesTheSession()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    device.send(device.seal("at home"));
    QCOMPARE(device.received.back(), reply(1, at(1)));
    for (int place = 2; place < 6; ++place) {
        device.moveTo(at(place, 1000 + place));
        device.send(device.seal("elsewhere"));
        QCOMPARE(device.received.back(), reply(place, device.address()));
        QCOMPARE(network.sessions().at(0).info.path.peer, device.address());
    }
    const auto moved = network.events<SessionMoved>();
    QCOMPARE(moved.size(), 1U); // one a minute
    QCOMPARE(moved[0].former, at(1));
    QCOMPARE(moved[0].session.path.peer, at(2, 1002));
    QVERIFY(!moved[0].isProved);
    QCOMPARE(network.events<SessionOpened>().size(), 1U);
    QCOMPARE(network.server->statistics().sessions, 1);
    for (const Datagram &datagram : network.datagrams)
        QCOMPARE(datagram.session.id, network.datagrams[0].session.id);
}

void TestConnectionIds::lateCopiesAndForgeriesMoveNothing()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    const QByteArray first = device.seal("first");
    const QByteArray second = device.seal("second");
    const QByteArray third = device.seal("third");
    device.send(first);
    device.send(third);
    network.arrive(at(66), first);  // a copy
    network.arrive(at(66), third);  // of the newest
    network.arrive(at(66), second); // the original, late: it counts, but moves nothing
    for (qsizetype i = 0; i < third.size(); ++i) {
        QByteArray forged = device.seal(ContentType::ApplicationData, "forged", 1, 100);
        forged[i % forged.size()] = static_cast<char>(forged[i % forged.size()] ^ 1);
        network.arrive(at(67), forged);
        network.arrive(at(67), third.first(i));
    }
    QCOMPARE(network.datagrams.size(), 3U);
    QCOMPARE(network.sessions().at(0).info.path.peer, at(1));
    QVERIFY(network.events<SessionMoved>().empty());
    for (const OutgoingDatagram &sent : network.serverSocket->takeSent())
        QCOMPARE(sent.path.peer, at(1));
}

void TestConnectionIds::receiptsOnTheirWayFindIt()
{
    MemoryNetwork network(settings());
    network.reply = false;
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    device.send(device.seal("one"));
    device.moveTo(at(2));
    device.send(device.seal("two"));
    std::vector<Outbound> receipts;
    for (const Datagram &datagram : network.datagrams)
        receipts.push_back(datagram.answer());
    network.server->send(receipts);
    device.listen();
    QCOMPARE(device.received.size(), 2U);
    QCOMPARE(device.received[0], reply(1, at(1))); // as it was written then
    QCOMPARE(network.server->statistics().repliesTooLate, 0U);
}

void TestConnectionIds::movesAreToldOnceAMinute()
{
    MemoryNetwork network(settings());
    network.stopClock();
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    for (int i = 0; i < 130; ++i) {
        device.moveTo(at(i % 2));
        device.send(device.seal("here"));
        network.advance(1s);
    }
    const auto moved = network.events<SessionMoved>();
    QCOMPARE(moved.size(), 3U);
    QCOMPARE(moved[0].moves + moved[1].moves, 61U);
}

void TestConnectionIds::anUnprovedPathGetsThreeTimesWhatItBrought()
{
    MemoryNetwork network(settings(QString(400, QLatin1Char('r'))));
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    // Somebody forwards what the device sends, faster than the original and with a victim's
    // address.
    const SocketAddress victim = at(66);
    qsizetype brought = 0;
    qsizetype received = 0;
    for (int i = 0; i < 200; ++i) {
        const QByteArray record = device.seal(QByteArray(1 + i % 50, 'm'));
        brought += record.size();
        network.arrive(victim, record);
        network.arrive(at(1), record); // the original, too late
        for (const OutgoingDatagram &sent : network.serverSocket->takeSent()) {
            if (sent.path.peer == victim)
                received += sent.bytes.size();
        }
        QVERIFY(received <= 3 * brought);
    }
    QVERIFY(received > 0);
    QVERIFY(network.server->statistics().repliesUnearned > 0);
    QCOMPARE(network.datagrams.size(), 200U);
    // He stops: the next receipt is right.
    const auto before = device.received.size();
    device.send(device.seal("at home"));
    QCOMPARE(device.received.size(), before + 1);
}

void TestConnectionIds::aDeviceThatLosesNothingGoesOnElsewhere()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    for (int i = 1; i <= 400; ++i) {
        if (i == 100)
            device.moveTo(at(2)); // the window is full
        device.send(device.seal("one after the other"));
        QCOMPARE(device.received.size(), static_cast<std::size_t>(i));
    }
    QCOMPARE(network.server->statistics().repliesUnearned, 0U);
}

void TestConnectionIds::theProvedPathHasNoLimit()
{
    MemoryNetwork network(settings(QString(4000, QLatin1Char('r'))));
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    for (int i = 0; i < 10; ++i) {
        device.moveTo(at(2));
        device.send(device.seal("away"));
        device.moveTo(at(1));
        device.send(device.seal("home"));
    }
    QCOMPARE(device.received.size(), 10U); // those for home
    QCOMPARE(network.server->statistics().repliesUnearned, 10U);
}

void TestConnectionIds::aPathThatAnswersIsProved()
{
    MemoryNetwork network(settings(QString(4000, QLatin1Char('r'))));
    network.stopClock();
    auto options = withId();
    options.checksPaths = true;
    KeyedDevice device(network, at(1), options);
    QVERIFY(device.connect());
    device.moveTo(at(2));
    device.send(device.seal("away"));
    QCOMPARE(device.received.size(), 0U);
    QCOMPARE(device.routability.size(), 1U);
    const QByteArray challenge = device.routability[0];
    QCOMPARE(challenge.size(), qsizetype{9});
    QCOMPARE(challenge[0], '\0');

    const auto answer = [&](QByteArray cookie) {
        return device.seal(ContentType::ReturnRoutability, '\1' + cookie);
    };
    device.send(answer(QByteArray(8, 'w'))); // a wrong one
    device.send(device.seal("still not proved"));
    QCOMPARE(device.received.size(), 0U);
    device.send(answer(challenge.sliced(1)));
    device.send(device.seal("proved"));
    QCOMPARE(device.received.size(), 1U);
    QCOMPARE(network.datagrams.size(), 3U); // none of these messages is data

    // Its former home is one of many now.
    device.moveTo(at(1));
    device.send(device.seal("back"));
    QCOMPARE(device.received.size(), 1U);
}

void TestConnectionIds::challengesOfTheDeviceAreAnswered()
{
    MemoryNetwork network(settings());
    auto options = withId();
    options.checksPaths = true;
    KeyedDevice device(network, at(1), options);
    QVERIFY(device.connect());
    device.send(device.seal(ContentType::ReturnRoutability, QByteArray("\0cookie!!", 9)));
    QCOMPARE(device.routability, std::vector<QByteArray>{QByteArray("\1cookie!!", 9)});
    for (const QByteArray &odd :
         {QByteArray(), QByteArray("\0", 1), QByteArray(9, '\2'), QByteArray(10, '\0')})
        device.send(device.seal(ContentType::ReturnRoutability, odd));
    QCOMPARE(device.routability.size(), 1U);
    device.send(device.seal("it lives"));
    QCOMPARE(device.received.size(), 1U);
}

void TestConnectionIds::anAddressThatIsNotAllowedMovesNothing()
{
    ServerSettings limited = settings();
    auto identities = std::make_shared<PskStore>();
    PskIdentity identity;
    identity.key = MemoryNetwork::key();
    identity.allowFrom = {QHostAddress::parseSubnet(QStringLiteral("10.0.1.0/24")),
                          QHostAddress::parseSubnet(QStringLiteral("10.0.2.0/24"))};
    identities->add("sensor-17", identity);
    limited.identities = identities;
    MemoryNetwork network(limited);
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    const QByteArray record = device.seal("once");
    network.arrive(at(3), record); // a copy that is faster
    QVERIFY(network.datagrams.empty());
    QVERIFY(network.serverSocket->takeSent().empty());
    device.send(record); // the original
    QCOMPARE(network.datagrams.size(), 1U);
    device.moveTo(at(2));
    device.send(device.seal("from the other one"));
    QCOMPARE(network.datagrams.size(), 2U);
    QCOMPARE(network.sessions().at(0).info.path.peer, at(2));
}

void TestConnectionIds::nobodyTakesThePathOfAnother()
{
    for (const bool hasId : {false, true}) {
        ServerSettings two = settings();
        auto identities = std::make_shared<PskStore>();
        PskIdentity identity;
        identity.key = MemoryNetwork::key();
        identities->add("sensor-17", identity);
        identities->add("thief", identity);
        two.identities = identities;
        MemoryNetwork network(two);
        auto options = hasId ? withId() : KeyedClient::Options();
        KeyedDevice victim(network, at(1), options);
        options = withId();
        options.identity = "thief";
        KeyedDevice thief(network, at(2), options);
        QVERIFY(victim.connect() && thief.connect());
        thief.moveTo(at(1));
        thief.send(thief.seal("I am here"));
        QCOMPARE(network.datagrams.back().session.identity, "thief");
        for (int i = 1; i <= 3; ++i) {
            victim.send(victim.seal("still here"));
            QCOMPARE(victim.received.back(), reply(i, at(1)));
            QCOMPARE(network.datagrams.back().session.identity, "sensor-17");
            thief.send(thief.seal("me too"));
        }
        QVERIFY(network.events<SessionClosed>().empty());
        QCOMPARE(network.server->statistics().sessions, 2);
        // One goes, the other stays.
        thief.send(thief.seal(ContentType::Alert, QByteArray::fromHex("0100")));
        victim.send(victim.seal("alone"));
        QCOMPARE(victim.received.back(), reply(4, at(1)));
    }
}

void TestConnectionIds::itIsReplacedByItsOwnDeviceAlone()
{
    ServerSettings two = settings();
    auto identities = std::make_shared<PskStore>();
    PskIdentity identity;
    identity.key = MemoryNetwork::key();
    identities->add("sensor-17", identity);
    identities->add("neighbour", identity);
    two.identities = identities;
    MemoryNetwork network(two);
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    auto options = withId();
    options.identity = "neighbour";
    KeyedDevice neighbour(network, at(1), options); // which got its port from the same NAT
    QVERIFY(neighbour.connect());
    QVERIFY(network.events<SessionClosed>().empty());
    KeyedDevice again(network, at(1), withId()); // rebooted
    QVERIFY(again.connect());
    QCOMPARE(network.events<SessionClosed>().size(), 1U);
    QCOMPARE(network.events<SessionClosed>()[0].reason, CloseReason::Replaced);
    KeyedDevice without(network, at(1), {}); // and has lost the option
    QVERIFY(without.connect());
    QCOMPARE(network.events<SessionClosed>().size(), 2U);
    device.send(device.seal("replaced"));
    neighbour.send(neighbour.seal("not replaced"));
    QCOMPARE(network.datagrams.size(), 1U);
    QCOMPARE(network.datagrams[0].payload, "not replaced");
}

void TestConnectionIds::forgeriesFromElsewhereEndNothing()
{
    MemoryNetwork network(settings());
    network.stopClock();
    KeyedDevice device(network, at(1), withId("PSK-AES128-CCM8"));
    QVERIFY(device.connect());
    for (int i = 0; i < 100'000; ++i) {
        QByteArray forged = record(25, 1, 1000 + i, QByteArray(30, static_cast<char>(i)));
        forged.insert(11, device.serverId());
        network.arrive(at(100 + i % 50), forged);
        if (i % 1000 == 0)
            network.advance(1s);
    }
    QVERIFY(network.events<SessionClosed>().empty());
    QVERIFY(network.events<PeerMisbehaving>().empty());
    QVERIFY(network.events<UnverifiedTraffic>().size() <= 11); // one in ten seconds
    device.send(device.seal("alive"));
    QCOMPARE(device.received.size(), 1U);
    network.advance(10s);
    device.moveTo(at(2));
    device.send(device.seal("and it moves"));
    QCOMPARE(device.received.size(), 2U);

    // One network, however loud, does not hold it where it is.
    for (int i = 0; i < 1000; ++i) {
        QByteArray forged = record(25, 1, 1'000'000 + i, QByteArray(30, 'f'));
        forged.insert(11, device.serverId());
        network.arrive(at(200), forged);
    }
    std::size_t moved = 0;
    for (int i = 0; i < 10; ++i) {
        device.moveTo(at(3 + i));
        device.send(device.seal("to another network"));
        moved = device.received.size();
    }
    // Two before, and half of these at least: some may be in his part of 16.
    QVERIFY2(moved >= 2 + 5, QByteArray::number(moved).constData());
}

void TestConnectionIds::itSleepsForLong()
{
    MemoryNetwork network(settings());
    network.stopClock();
    KeyedDevice sleeper(network, at(1), withId());
    KeyedDevice other(network, at(2), {});
    QVERIFY(sleeper.connect() && other.connect());
    network.advance(11min);
    QCOMPARE(network.server->statistics().sessions, 1);
    network.advance(23h);
    sleeper.moveTo(at(3));
    sleeper.send(sleeper.seal("good morning"));
    QCOMPARE(sleeper.received.size(), 1U);
    network.advance(25h);
    QCOMPARE(network.server->statistics().sessions, 0);
    QCOMPARE(network.events<SessionClosed>().back().reason, CloseReason::Idle);
}

void TestConnectionIds::closingWorksWhereverItIs()
{
    MemoryNetwork network(settings());
    KeyedDevice device(network, at(1), withId());
    QVERIFY(device.connect());
    device.moveTo(at(2));
    device.send(device.seal("away"));
    bool isDone = false;
    network.server->closeSessions([](const SessionInfo &) { return true; },
                                  [&](std::int64_t count) { isDone = count == 1; });
    device.listen();
    QVERIFY(isDone);
    QCOMPARE(device.alerts.size(), 1U);
    QCOMPARE(network.server->statistics().sessions, 0);
}

void TestConnectionIds::whoWasSilentLongestGivesWay()
{
    ServerSettings few = settings();
    few.limits.maxSessions = 3;
    MemoryNetwork network(few);
    network.stopClock();
    std::vector<std::unique_ptr<KeyedDevice>> devices;
    for (int i = 0; i < 6; ++i) {
        devices.push_back(std::make_unique<KeyedDevice>(
            network, at(i), i % 2 == 0 ? withId() : KeyedClient::Options()));
        QVERIFY(devices.back()->connect());
        network.advance(1s);
    }
    const auto closed = network.events<SessionClosed>();
    QCOMPARE(closed.size(), 3U);
    for (std::size_t i = 0; i < closed.size(); ++i) {
        QCOMPARE(closed[i].reason, CloseReason::Evicted);
        QCOMPARE(closed[i].session.path.peer, at(static_cast<int>(i)));
    }
    devices[3]->send(devices[3]->seal("I am here")); // without an ID, and so the newest
    KeyedDevice last(network, at(9), withId());
    QVERIFY(last.connect());
    QCOMPARE(network.events<SessionClosed>().back().session.path.peer, at(4));
}

void TestConnectionIds::newSettingsHoldWhereverItIs()
{
    ServerSettings changed = settings();
    auto identities = std::make_shared<PskStore>();
    PskIdentity identity;
    identity.key = MemoryNetwork::key();
    identity.allowFrom = {QHostAddress::parseSubnet(QStringLiteral("10.0.1.0/24"))};
    identities->add("sensor-17", identity);
    changed.identities = identities;
    changed.tls.connectionIds = false;

    MemoryNetwork network(settings());
    KeyedDevice stays(network, at(1), withId());
    KeyedDevice goes(network, at(1, 7000), withId());
    QVERIFY(stays.connect() && goes.connect());
    goes.moveTo(at(2));
    goes.send(goes.seal("away"));
    network.server->apply(std::make_shared<const ServerSettings>(changed));
    QCOMPARE(network.events<SessionClosed>().size(), 1U);
    QCOMPARE(network.events<SessionClosed>()[0].reason, CloseReason::Revoked);
    QCOMPARE(network.events<SessionClosed>()[0].session.path.peer, at(2));
    stays.moveTo(at(1, 8000)); // its ID stays in force
    stays.send(stays.seal("still here"));
    QCOMPARE(stays.received.size(), 1U);
}

DTLSD_TEST(TestConnectionIds)

#include "tst_connectionids.moc"
