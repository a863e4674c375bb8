// SPDX-License-Identifier: Apache-2.0
//
// Sessions that outlive their process: what the next one goes on with, what it ends, and what it
// must never do: seal two records under one number, or take a record twice.
#include "support/KeyedDevice.h"
#include "support/MemoryNetwork.h"
#include "support/StoreCopy.h"
#include "support/TestProgram.h"
#include "support/TestSettings.h"

#include <QTest>
#include <QtEndian>

#include <set>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

Q_DECLARE_METATYPE(dtlsd::test::MemoryNetwork::End)

namespace {

using End = MemoryNetwork::End;

const QByteArray ownId = QByteArray::fromHex("0a0b0c0d");

ServerSettings withReceipts()
{
    return everySuiteReplying(QStringLiteral("ACK {sequence}"));
}

SocketAddress addressIn(int network)
{
    return {QHostAddress(0x0a000001U + (static_cast<quint32>(network) << 8)), 5683};
}

QByteArray ack(int sequence)
{
    return "ACK " + QByteArray::number(sequence);
}

/// Of the sealed records in @p datagrams.
std::multiset<std::uint64_t> sequencesOf(const std::vector<QByteArray> &datagrams)
{
    std::multiset<std::uint64_t> sequences;
    for (const QByteArray &datagram : datagrams) {
        RecordReader reader(datagram);
        // A record with the device's ID is none of ours to parse: its number is where any has it.
        if (datagram.startsWith('\x19')) {
            sequences.insert(qFromBigEndian<quint64>(datagram.constData() + 3));
            continue;
        }
        while (const auto record = reader.next()) {
            if (record->epoch == 1)
                sequences.insert(record->sequence);
        }
    }
    return sequences;
}

bool areOnce(const std::multiset<std::uint64_t> &sequences)
{
    return std::set(sequences.begin(), sequences.end()).size() == sequences.size();
}

} // namespace

class TestTakeover : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sessionsGoOn_data();
    void sessionsGoOn();
    void nothingIsTakenTwice_data();
    void nothingIsTakenTwice();
    void lateRecordsAreTakenIfTheSessionWasLeft();
    void aRepeatedFinishedIsAnsweredByTheNextProcess();
    void aMoveIsRemembered();
    void anUnprovedPathStaysSo();
    void whatHasEndedIsNotTakenOver();
    void whoIsNoLongerAdmittedHearsSo_data();
    void whoIsNoLongerAdmittedHearsSo();
    void aKeyThatIsRotatedOutAtTheNextPlaceStays();
    void timesGoOn();
    void theOrderOfSilenceGoesOn();
    void aRebootedDeviceHasOneSession();
    void limitsHoldFromTheStart();
    void aFullStoreKeepsWhatItCan();
    void anyFlippedBitIsHarmless();
    void whatWasCopiedIsEndedSilently();
    void storesThatCannotBeUsedSayWhy_data();
    void storesThatCannotBeUsedSayWhy();
    void aStoreThatEndsProcessesIsGivenUp();
};

void TestTakeover::sessionsGoOn_data()
{
    QTest::addColumn<QByteArray>("suite");
    QTest::addColumn<bool>("hasId");
    QTest::addColumn<End>("end");
    for (const char *suite : suiteNames) {
        for (const bool hasId : {false, true}) {
            for (const End end : {End::Killed, End::Left})
                QTest::addRow("%s, %s, %s", suite, hasId ? "with an ID" : "without",
                              end == End::Left ? "left" : "killed")
                    << QByteArray(suite) << hasId << end;
        }
    }
}

void TestTakeover::sessionsGoOn()
{
    QFETCH(QByteArray, suite);
    QFETCH(bool, hasId);
    QFETCH(End, end);
    MemoryNetwork network(withReceipts());
    network.keepSessions();
    KeyedClient::Options options{.ciphers = suite};
    if (hasId)
        options.connectionId = ownId;
    KeyedDevice device(network, addressIn(1), options);
    QVERIFY(device.connect());
    const SessionInfo opened = network.sessions().at(0).info;
    int sequence = 0;
    for (int process = 0; process < 4; ++process) {
        for (int i = 0; i < 3; ++i) {
            device.send(device.seal("reading"));
            QCOMPARE(device.received.back(), ack(++sequence));
        }
        const Takeover::Count count = network.restart(end, withReceipts());
        QCOMPARE(count.taken, 1);
        QCOMPARE(count.ended + count.damaged + count.homeless, 0);
        const SessionReport report = network.sessions().at(0);
        QCOMPARE(report.info.id, opened.id);
        QCOMPARE(report.info.path, opened.path);
        QCOMPARE(report.info.identity, opened.identity);
        QCOMPARE(report.info.cipher, opened.cipher);
        QCOMPARE(report.info.connectionId, opened.connectionId);
        QCOMPARE(report.received.datagrams, static_cast<std::uint64_t>(sequence));
        QCOMPARE(report.sent.datagrams, static_cast<std::uint64_t>(sequence));
    }
    QVERIFY(areOnce(sequencesOf(device.heard)));
    QCOMPARE(network.events<SessionOpened>().size(), 1U);
    device.send(device.seal(ContentType::Alert, QByteArray("\x01\x00", 2)));
    QCOMPARE(device.alerts.size(), 1U);
    QVERIFY(network.sessions().empty());
}

void TestTakeover::nothingIsTakenTwice_data()
{
    QTest::addColumn<End>("end");
    QTest::newRow("killed") << End::Killed;
    QTest::newRow("left") << End::Left;
}

void TestTakeover::nothingIsTakenTwice()
{
    QFETCH(End, end);
    MemoryNetwork network(withReceipts());
    network.keepSessions();
    KeyedDevice device(network, addressIn(1), {});
    QVERIFY(device.connect());
    std::vector<QByteArray> recorded;
    for (int i = 0; i < 100; ++i) {
        recorded.push_back(device.seal("reading"));
        if (i % 3 != 0) // some come late, or not at all
            device.send(recorded.back());
    }
    const std::size_t before = network.datagrams.size();
    QCOMPARE(network.restart(end, withReceipts()).taken, 1);
    for (int i = 0; i < 100; ++i) {
        if (i % 3 != 0)
            device.send(recorded[static_cast<std::size_t>(i)]);
    }
    QCOMPARE(network.datagrams.size(), before);
    device.send(device.seal("a new one"));
    QCOMPARE(network.datagrams.size(), before + 1);
}

void TestTakeover::lateRecordsAreTakenIfTheSessionWasLeft()
{
    for (const End end : {End::Left, End::Killed}) {
        MemoryNetwork network(withReceipts());
        network.keepSessions();
        KeyedDevice device(network, addressIn(1), {});
        QVERIFY(device.connect());
        const QByteArray late = device.seal("late");
        device.send(device.seal("newer"));
        QCOMPARE(network.restart(end, withReceipts()).taken, 1);
        device.send(late);
        QCOMPARE(network.datagrams.size(), end == End::Left ? 2U : 1U);
        device.send(late);
        QCOMPARE(network.datagrams.size(), end == End::Left ? 2U : 1U);
    }
}

void TestTakeover::aRepeatedFinishedIsAnsweredByTheNextProcess()
{
    for (const bool hasId : {false, true}) {
        MemoryNetwork network(withReceipts());
        network.keepSessions();
        KeyedClient::Options options;
        if (hasId)
            options.connectionId = ownId;
        KeyedDevice device(network, addressIn(1), options);
        for (const QByteArray &datagram : device.connectUpToLastFlight())
            network.arrive(device.address(), datagram);
        std::vector<QByteArray> lost;
        for (const OutgoingDatagram &sent : network.serverSocket->takeSent())
            lost.push_back(sent.bytes);
        QVERIFY(!device.isConnected());
        QCOMPARE(network.restart(End::Killed, withReceipts()).taken, 1);
        device.send(device.seal(ContentType::Handshake, device.ownFinished(), 1, 1));
        QVERIFY(device.isConnected());
        lost.insert(lost.end(), device.heard.begin(), device.heard.end());
        QVERIFY(areOnce(sequencesOf(lost)));
    }
}

void TestTakeover::aMoveIsRemembered()
{
    MemoryNetwork network(withReceipts());
    network.keepSessions();
    KeyedDevice device(network, addressIn(1), {.connectionId = ownId});
    QVERIFY(device.connect());
    device.moveTo(addressIn(2));
    device.send(device.seal("from elsewhere"));
    QCOMPARE(network.restart(End::Killed, withReceipts()).taken, 1);
    QCOMPARE(network.sessions().at(0).info.path.peer, addressIn(2));
    device.moveTo(addressIn(3));
    device.send(device.seal("and on"));
    QCOMPARE(device.received.back(), ack(2));
    QCOMPARE(network.sessions().at(0).info.path.peer, addressIn(3));
}

void TestTakeover::anUnprovedPathStaysSo()
{
    MemoryNetwork network(everySuiteReplying(QString(2000, u'x')));
    network.keepSessions();
    KeyedDevice device(network, addressIn(1), {.connectionId = ownId});
    QVERIFY(device.connect());
    device.moveTo(addressIn(2));
    device.send(device.seal("from elsewhere"));
    QVERIFY(device.received.empty()); // more than three times what came
    QCOMPARE(network.restart(End::Left, everySuiteReplying(QString(2000, u'x'))).taken, 1);
    device.send(device.seal("again"));
    QVERIFY(device.received.empty());
    device.moveTo(addressIn(1)); // the path that is proved
    device.send(device.seal("at home"));
    QCOMPARE(device.received.size(), 1U);
}

void TestTakeover::whatHasEndedIsNotTakenOver()
{
    MemoryNetwork network(withReceipts());
    network.keepSessions();
    KeyedDevice closes(network, addressIn(1), {});
    KeyedDevice isClosed(network, addressIn(2), {.connectionId = ownId});
    KeyedDevice stays(network, addressIn(3), {});
    KeyedDevice handshaking(network, addressIn(4), {});
    QVERIFY(closes.connect() && isClosed.connect() && stays.connect());
    static_cast<void>(handshaking.connectUpToLastFlight());
    closes.send(closes.seal(ContentType::Alert, QByteArray("\x01\x00", 2)));
    network.server->closeSessions(
        [](const SessionInfo &session) { return session.path.peer == addressIn(2); }, {});
    const QByteArray store = bytesOf(network.stores.at(0)->descriptor());
    const Takeover::Count count = network.restart(End::Killed, withReceipts());
    QCOMPARE(count.taken, 1);
    QCOMPARE(count.ended + count.damaged, 0);
    QCOMPARE(network.sessions().at(0).info.path.peer, addressIn(3));
    QVERIFY(network.serverSocket->takeSent().empty());
    QCOMPARE(store.count("sensor-17"), 1); // the others are wiped
}

void TestTakeover::whoIsNoLongerAdmittedHearsSo_data()
{
    QTest::addColumn<ServerSettings>("next");
    QTest::addColumn<int>("seconds");
    QTest::addColumn<CloseReason>("reason");
    ServerSettings changed = withReceipts();
    const auto withEntry = [&](PskIdentity entry) {
        ServerSettings made = withReceipts();
        auto store = std::make_shared<PskStore>();
        store->add("sensor-17", std::move(entry));
        made.identities = store;
        return made;
    };
    changed.identities = std::make_shared<PskStore>();
    QTest::newRow("identity gone") << changed << 0 << CloseReason::Revoked;
    QTest::newRow("key changed") << withEntry({.key = PskKey(QByteArray(16, 'k')),
                                               .nextKey = PskKey(QByteArray(16, 'n')),
                                               .allowFrom = {},
                                               .reply = {}})
                                 << 0 << CloseReason::Revoked;
    QTest::newRow("address not allowed")
        << withEntry({.key = MemoryNetwork::key(),
                      .nextKey = {},
                      .allowFrom = {{QHostAddress(QStringLiteral("192.168.0.0")), 16}},
                      .reply = {}})
        << 0 << CloseReason::Revoked;
    changed = withReceipts();
    changed.tls.ciphers = CipherPolicy::parse(QStringLiteral("strict")).value();
    QTest::newRow("suite not offered") << changed << 0 << CloseReason::Revoked;
    QTest::newRow("idle") << withReceipts() << 601 << CloseReason::Idle;
    changed = withReceipts();
    changed.limits.sessionLifetime = 60s;
    QTest::newRow("too old") << changed << 61 << CloseReason::Lifetime;
}

void TestTakeover::whoIsNoLongerAdmittedHearsSo()
{
    QFETCH(ServerSettings, next);
    QFETCH(int, seconds);
    QFETCH(CloseReason, reason);
    MemoryNetwork network(withReceipts());
    network.stopClock();
    network.keepSessions();
    KeyedDevice device(network, addressIn(1), {});
    QVERIFY(device.connect());
    const SessionId id = network.sessions().at(0).info.id;
    network.letPass(std::chrono::seconds(seconds)); // while no process runs
    const Takeover::Count count = network.restart(End::Killed, next);
    QCOMPARE(count.taken, 0);
    QCOMPARE(count.ended, 1);
    device.listen();
    QCOMPARE(device.alerts.size(), 1U);
    QCOMPARE(device.alerts.at(0).description, AlertDescription::CloseNotify);
    QVERIFY(areOnce(sequencesOf(device.heard)));
    const auto closed = network.events<SessionClosed>();
    QCOMPARE(closed.size(), 1U);
    QCOMPARE(closed.at(0).reason, reason);
    QCOMPARE(closed.at(0).session.id, id);
    QVERIFY(network.sessions().empty());
    QVERIFY(!bytesOf(network.stores.at(0)->descriptor()).contains("sensor-17"));
}

void TestTakeover::aKeyThatIsRotatedOutAtTheNextPlaceStays()
{
    MemoryNetwork network(withReceipts());
    network.keepSessions();
    KeyedDevice device(network, addressIn(1), {});
    QVERIFY(device.connect());
    ServerSettings rotated = withReceipts();
    auto store = std::make_shared<PskStore>();
    store->add("sensor-17", {.key = PskKey(QByteArray(16, 'n')),
                             .nextKey = MemoryNetwork::key(),
                             .allowFrom = {},
                             .reply = {}});
    rotated.identities = store;
    QCOMPARE(network.restart(End::Left, rotated).taken, 1);
    device.send(device.seal("reading"));
    QCOMPARE(device.received.size(), 1U);
}

void TestTakeover::timesGoOn()
{
    MemoryNetwork network(withReceipts());
    network.stopClock();
    network.keepSessions();
    KeyedDevice device(network, addressIn(1), {});
    QVERIFY(device.connect());
    network.advance(100s);
    device.send(device.seal("reading"));
    network.advance(50s);
    network.letPass(30s);
    QCOMPARE(network.restart(End::Killed, withReceipts()).taken, 1);
    const SessionReport report = network.sessions().at(0);
    QCOMPARE(report.age, 180s);
    QCOMPARE(report.idle, 80s);
    network.advance(519s);
    QCOMPARE(network.sessions().size(), 1U);
    network.advance(2s);
    QVERIFY(network.sessions().empty());
    QCOMPARE(network.events<SessionClosed>().at(0).reason, CloseReason::Idle);
}

void TestTakeover::theOrderOfSilenceGoesOn()
{
    MemoryNetwork network(withReceipts());
    network.stopClock();
    network.keepSessions();
    std::vector<std::unique_ptr<KeyedDevice>> devices;
    for (int i = 0; i < 4; ++i) {
        devices.push_back(
            std::make_unique<KeyedDevice>(network, addressIn(i), KeyedClient::Options{}));
        QVERIFY(devices.back()->connect());
        network.advance(1s);
    }
    devices[0]->send(devices[0]->seal("the last one to speak"));
    ServerSettings three = withReceipts();
    three.limits.maxSessions = 3;
    QCOMPARE(network.restart(End::Killed, three).taken, 4);
    network.advance(1ms);
    const auto closed = network.events<SessionClosed>();
    QCOMPARE(closed.size(), 1U);
    QCOMPARE(closed.at(0).reason, CloseReason::Evicted);
    QCOMPARE(closed.at(0).session.path.peer, addressIn(1));
}

void TestTakeover::aRebootedDeviceHasOneSession()
{
    MemoryNetwork network(withReceipts());
    network.stopClock();
    network.keepSessions();
    KeyedDevice before(network, addressIn(1), {});
    QVERIFY(before.connect());
    const QByteArray old = bytesOf(network.stores.at(0)->descriptor());
    network.advance(10s);
    network.server->closeSessions([](const SessionInfo &) { return true; }, {});
    network.advance(10s);
    KeyedDevice after(network, addressIn(1), {});
    QVERIFY(after.connect());
    // A process that was killed after it had opened the new session, and before it ended the old.
    std::vector<std::unique_ptr<SessionStore>> both;
    both.push_back(std::move(SessionStore::open(copyOf(*network.stores.at(0)))).value());
    both.push_back(std::move(SessionStore::open(memfdOf(old))).value());
    const Takeover::Count count = network.restartWith(std::move(both), withReceipts());
    QCOMPARE(count.taken, 1);
    QCOMPARE(count.ended, 1);
    QVERIFY(network.serverSocket->takeSent().empty()); // its device could not read a close_notify
    after.send(after.seal("reading"));
    QCOMPARE(after.received.size(), 1U);
}

void TestTakeover::limitsHoldFromTheStart()
{
    MemoryNetwork network(withReceipts());
    network.keepSessions();
    std::vector<std::unique_ptr<KeyedDevice>> devices;
    for (int i = 0; i < 8; ++i) {
        devices.push_back(std::make_unique<KeyedDevice>(
            network, addressIn(i), KeyedClient::Options{.connectionId = ownId}));
        QVERIFY(devices.back()->connect());
    }
    ServerSettings few = withReceipts();
    few.limits.maxSessions = 5;
    QCOMPARE(network.restart(End::Left, few).taken, 8);
    network.server->doWhatIsDue();
    QCOMPARE(network.sessions().size(), 5U);
}

void TestTakeover::aFullStoreKeepsWhatItCan()
{
    MemoryNetwork network(withReceipts());
    network.keepSessions(3);
    std::vector<std::unique_ptr<KeyedDevice>> devices;
    for (int i = 0; i < 5; ++i) {
        devices.push_back(
            std::make_unique<KeyedDevice>(network, addressIn(i), KeyedClient::Options{}));
        QVERIFY(devices.back()->connect());
    }
    QCOMPARE(network.sessions().size(), 5U);
    network.keepSessions(8); // as max_sessions grows
    KeyedDevice further(network, addressIn(9), {});
    QVERIFY(further.connect());
    QCOMPARE(network.restart(End::Killed, withReceipts()).taken, 4);
}

void TestTakeover::anyFlippedBitIsHarmless()
{
    MemoryNetwork network(withReceipts());
    network.keepSessions(1);
    KeyedDevice device(network, addressIn(1), {.connectionId = ownId});
    QVERIFY(device.connect());
    device.send(device.seal("reading"));
    device.moveTo(addressIn(2));
    device.send(device.seal("reading"));
    const QByteArray whole = bytesOf(network.stores.at(0)->descriptor());
    const std::multiset<std::uint64_t> used = sequencesOf(device.heard);
    int taken = 0;
    int lost = 0;
    int refused = 0;
    const auto takeOverFlipped = [&](qsizetype bit) {
        QByteArray flipped = whole;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
        auto store = SessionStore::open(memfdOf(flipped));
        if (!store) {
            ++refused;
            return;
        }
        std::vector<std::unique_ptr<SessionStore>> stores;
        stores.push_back(std::move(store).value());
        const Takeover::Count count = network.restartWith(std::move(stores), withReceipts());
        network.arrive(device.address(), device.seal("reading"));
        std::vector<QByteArray> sent;
        for (const OutgoingDatagram &datagram : network.serverSocket->takeSent())
            sent.push_back(datagram.bytes);
        QCOMPARE(count.taken + count.ended + count.damaged + count.homeless, 1);
        (count.taken == 1 ? taken : lost) += 1;
        QVERIFY(count.taken == 1 || sent.empty() || count.ended == 1);
        for (const std::uint64_t sequence : sequencesOf(sent))
            QVERIFY2(!used.contains(sequence), qPrintable(QString::number(bit)));
    };
    const qsizetype header = whole.size() - qsizetype{sizeof(SessionSlot)};
    for (qsizetype bit = 0; bit < 8 * 256; ++bit)
        takeOverFlipped(bit);
    for (qsizetype bit = 8 * header; bit < 8 * whole.size(); ++bit)
        takeOverFlipped(bit);
    // Keys, identity, numbers and places are covered; counters, times and padding need no check.
    QVERIFY(lost > 8 * 500);
    QVERIFY(taken > 8 * 40);
    QVERIFY(refused >= 8 * 40);
}

void TestTakeover::whatWasCopiedIsEndedSilently()
{
    MemoryNetwork network(withReceipts());
    network.keepSessions();
    KeyedDevice device(network, addressIn(1), {});
    KeyedDevice other(network, addressIn(2), {});
    QVERIFY(device.connect() && other.connect());
    QByteArray both = bytesOf(network.stores.at(0)->descriptor());
    const qsizetype header = both.size() - 64 * qsizetype{sizeof(SessionSlot)};
    const QByteArray first = both.sliced(header, sizeof(SessionSlot));
    both.replace(header + qsizetype{sizeof(SessionSlot)}, first.size(), first);
    std::vector<std::unique_ptr<SessionStore>> stores;
    stores.push_back(std::move(SessionStore::open(memfdOf(both))).value());
    QCOMPARE(SessionStore::wipeTwins(stores), 2);
    const Takeover::Count count = network.restartWith(std::move(stores), withReceipts());
    QCOMPARE(count.taken + count.ended + count.damaged, 0);
    QVERIFY(network.serverSocket->takeSent().empty());
}

void TestTakeover::storesThatCannotBeUsedSayWhy_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<bool>("isSealed");
    QTest::addColumn<QString>("why");
    const QByteArray sound = bytesOf(SessionStore::make(0, 4).value()->descriptor());
    QTest::newRow("not sealed") << sound << false << QStringLiteral("its size is not sealed");
    QTest::newRow("empty") << QByteArray() << true
                           << QStringLiteral("it has 0 bytes; 4096 to 11676946432 are accepted");
    QTest::newRow("too short") << sound.first(100) << true
                               << QStringLiteral(
                                      "it has 100 bytes; 4096 to 11676946432 are accepted");
    QTest::newRow("cut") << sound.chopped(1) << true << QStringLiteral("it is damaged");
    QTest::newRow("longer") << sound + 'x' << true << QStringLiteral("it is damaged");
    QTest::newRow("zeros") << QByteArray(sound.size(), '\0') << true
                           << QStringLiteral("it is not one of dtlsd");
    QByteArray later = sound;
    later[8] = 7;
    QTest::newRow("a later layout")
        << later << true << QStringLiteral("it has layout 7; 1 is accepted");
}

void TestTakeover::storesThatCannotBeUsedSayWhy()
{
    QFETCH(QByteArray, bytes);
    QFETCH(bool, isSealed);
    QFETCH(QString, why);
    const auto opened = SessionStore::open(isSealed ? memfdOf(bytes) : memfdOf(bytes, 0));
    QVERIFY(!opened);
    QCOMPARE(opened.error().message, why);
}

void TestTakeover::aStoreThatEndsProcessesIsGivenUp()
{
    auto store = std::move(SessionStore::make(0, 4)).value();
    QByteArray bytes = bytesOf(store->descriptor());
    for (int i = 0; i < 3; ++i) {
        auto opened = SessionStore::open(memfdOf(bytes));
        QVERIFY(opened);
        static_cast<void>(opened.value()->takeStock([](SessionSlot &) {})); // and is killed
        bytes = bytesOf(opened.value()->descriptor());
    }
    const auto opened = SessionStore::open(memfdOf(bytes));
    QVERIFY(!opened);
    QCOMPARE(opened.error().message,
             QStringLiteral("3 processes in a row have ended while they took it over"));
}

DTLSD_TEST(TestTakeover)
#include "tst_takeover.moc"
