// SPDX-License-Identifier: Apache-2.0
//
// A running DtlsServer gets new settings: which sessions live on, what they get from then on, and
// which end.
#include "support/ConfigFolder.h"
#include "support/MemoryNetwork.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

const QByteArray keyA(16, 'A');
const QByteArray keyB(16, 'B');
const QByteArray keyC(16, 'C');

const QByteArray plain = "[identity dev]\nkey = text:AAAAAAAAAAAAAAAA\n";

/// Settings as the sections @p ini make them.
ServerSettings settingsOf(const QByteArray &ini)
{
    const ConfigFolder folder;
    const ConfigResult result = folder.load("[psk]\nfile =\n" + ini);
    if (!result.errors.isEmpty())
        qFatal("%s", qPrintable(result.errors.constFirst().toString()));
    return result.config.settings;
}

std::int64_t apply(MemoryNetwork &network, const ServerSettings &settings)
{
    std::int64_t revoked = -1;
    network.server->apply(std::make_shared<const ServerSettings>(settings),
                          [&revoked](std::int64_t count) { revoked = count; });
    network.run();
    return revoked;
}

DtlsClient::Options device(const QByteArray &identity, const QByteArray &key)
{
    return {.identity = identity, .key = PskKey(key), .ciphers = {}};
}

} // namespace

class TestNewSettings : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSessionLivesAsLongAsItsKeyIsGood_data();
    void aSessionLivesAsLongAsItsKeyIsGood();
    void aRotationKeepsItsSessionsThroughEveryStep();
    void aReplyChangesWithTheNextDatagram();
    void whatNobodyHearsOfIsAnsweredAtOnce();
    void aHandshakeUnderWayIsJudgedAnew_data();
    void aHandshakeUnderWayIsJudgedAnew();
    void whoWasUnknownGetsInAfterwards();
    void aLoweredLimitHoldsAtOnce();
    void aShorterIdleTimeoutHoldsAtOnce();
    void aRateOfHandshakesCanChange();
    void anAddressThatIsLeftEndsItsSessionsOnly();
    void whatWasLearnedAboutAnOldKeyIsForgotten();
};

void TestNewSettings::aSessionLivesAsLongAsItsKeyIsGood_data()
{
    QTest::addColumn<QByteArray>("before");
    QTest::addColumn<QByteArray>("after");
    QTest::addColumn<bool>("lives");
    const QByteArray withNext = plain + "next_key = text:BBBBBBBBBBBBBBBB\n";
    const QByteArray other = "[identity dev]\nkey = text:BBBBBBBBBBBBBBBB\n";
    const QByteArray wildcard = "[identity *]\nkey = text:AAAAAAAAAAAAAAAA\n";
    const QByteArray otherWildcard = "[identity *]\nkey = text:BBBBBBBBBBBBBBBB\n";
    QTest::newRow("nothing changes") << plain << plain << true;
    QTest::newRow("a next key is added") << plain << withNext << true;
    QTest::newRow("a next key goes, unused") << withNext << plain << true;
    QTest::newRow("its key becomes the next one")
        << plain << other + "next_key = text:AAAAAAAAAAAAAAAA\n"
        << true;
    QTest::newRow("another identity comes")
        << plain << plain + "[identity e]\nkey = text:EEEEEEEEEEEEEEEE\n"
        << true;
    QTest::newRow("the reply changes") << plain << plain + "reply = echo\n" << true;
    QTest::newRow("its address stays allowed") << plain << plain + "allow_from = 198.51.100.0/24\n"
                                               << true;
    QTest::newRow("everything else changes")
        << plain
        << "[tls]\nciphers = strict\nmtu = 1000\n[limits]\nmax_sessions = 7\n"
           "[server]\nidentity_hint = x\nreply = none\n" +
               plain
        << true;
    QTest::newRow("its key changes") << plain << other << false;
    QTest::newRow("its key changes, and a third is next")
        << plain << other + "next_key = text:CCCCCCCCCCCCCCCC\n"
        << false;
    QTest::newRow("its identity goes")
        << plain << QByteArray("[identity e]\nkey = text:AAAAAAAAAAAAAAAA\n") << false;
    QTest::newRow("its address is no longer allowed")
        << plain << plain + "allow_from = 10.0.0.0/8\n"
        << false;
    QTest::newRow("the wildcard's key stays") << wildcard << wildcard << true;
    QTest::newRow("the wildcard's key changes") << wildcard << otherWildcard << false;
    QTest::newRow("the wildcard goes")
        << wildcard << QByteArray("[identity e]\nkey = text:" + keyA) << false;
    QTest::newRow("a section takes it over, with the wildcard's key")
        << wildcard << otherWildcard + plain << true;
    QTest::newRow("a section takes it over, with another key")
        << wildcard << wildcard + other << false;
    QTest::newRow("the wildcard takes it over, with its key") << plain << wildcard << true;
    QTest::newRow("the wildcard takes it over, with another key")
        << plain << otherWildcard << false;
}

void TestNewSettings::aSessionLivesAsLongAsItsKeyIsGood()
{
    QFETCH(QByteArray, before);
    QFETCH(QByteArray, after);
    QFETCH(bool, lives);
    MemoryNetwork network(settingsOf(before));
    auto &dev = network.add(1, device("dev", keyA));
    network.run();
    QVERIFY(dev.client->isConnected());

    QCOMPARE(apply(network, settingsOf(after)), lives ? 0 : 1);
    QCOMPARE(dev.client->isConnected(), lives); // it hears close_notify
    const auto closed = network.events<SessionClosed>();
    QCOMPARE(closed.size(), lives ? 0U : 1U);
    if (!lives) {
        QCOMPARE(closed[0].reason, CloseReason::Revoked);
        return;
    }
    QVERIFY(dev.client->send("still here"));
    network.run();
    QCOMPARE(network.datagrams.size(), 1U);
}

void TestNewSettings::aRotationKeepsItsSessionsThroughEveryStep()
{
    MemoryNetwork network(settingsOf(plain));
    auto &old = network.add(1, device("dev", keyA));
    network.run();
    QCOMPARE(apply(network, settingsOf(plain + "next_key = text:BBBBBBBBBBBBBBBB\n")), 0);
    auto &refused = network.add(2, device("dev", keyB)); // `key` is tried first
    network.run();
    network.crash(refused);
    auto &rotated = network.add(2, device("dev", keyB));
    network.run();
    QVERIFY(rotated.client->isConnected());
    QVERIFY(network.events<SessionOpened>().back().withNextKey);

    // The new key becomes `key`: who holds the old one has to go, and twice is like once.
    QCOMPARE(apply(network, settingsOf("[identity dev]\nkey = text:BBBBBBBBBBBBBBBB\n")), 1);
    QVERIFY(!old.client->isConnected());
    QVERIFY(rotated.client->isConnected());
    QCOMPARE(apply(network, settingsOf("[identity dev]\nkey = text:BBBBBBBBBBBBBBBB\n")), 0);
    QCOMPARE(apply(network, settingsOf("[identity dev]\nkey = text:CCCCCCCCCCCCCCCC\n"
                                       "next_key = text:BBBBBBBBBBBBBBBB\n")),
             0);
    QVERIFY(rotated.client->isConnected());
    QCOMPARE(apply(network, settingsOf("[identity dev]\nkey = text:CCCCCCCCCCCCCCCC\n")), 1);
    QVERIFY(!rotated.client->isConnected());
}

void TestNewSettings::aReplyChangesWithTheNextDatagram()
{
    MemoryNetwork network(settingsOf(plain));
    auto &dev = network.add(1, device("dev", keyA));
    network.run();
    const auto replyTo = [&](const QByteArray &message) {
        dev.client->send(message);
        network.run();
        return dev.received.empty() ? QByteArray("none") : dev.received.back();
    };
    QCOMPARE(replyTo("a"), "to 198.51.100.2:20001: ACK");
    apply(network, settingsOf(plain + "reply = echo\n"));
    QCOMPARE(replyTo("b"), "b");
    apply(network, settingsOf("[server]\nreply = {sequence}\n" + plain));
    QCOMPARE(replyTo("c"), "3");
}

void TestNewSettings::whatNobodyHearsOfIsAnsweredAtOnce()
{
    MemoryNetwork network(settingsOf(plain));
    auto &dev = network.add(1, device("dev", keyA));
    network.run();
    network.reply = false;
    network.server->setHeard(false);
    dev.client->send("unheard");
    network.run();
    QVERIFY(network.datagrams.empty());
    QCOMPARE(dev.received, std::vector<QByteArray>{"to 198.51.100.2:20001: ACK"});
    QCOMPARE(network.server->statistics().received.datagrams, 1U);
    QCOMPARE(network.server->statistics().sent.datagrams, 1U);

    network.server->setHeard(true);
    dev.client->send("heard");
    network.run();
    QCOMPARE(network.datagrams.size(), 1U);
    QCOMPARE(dev.received.size(), 1U); // its receipt is not given yet
}

void TestNewSettings::aHandshakeUnderWayIsJudgedAnew_data()
{
    QTest::addColumn<QByteArray>("after");
    QTest::addColumn<bool>("succeeds");
    QTest::addColumn<HandshakeFailure>("reason");
    QTest::newRow("nothing that concerns it changes")
        << plain + "reply = none\n[tls]\nciphers = PSK-AES128-GCM-SHA256\n"
        << true << HandshakeFailure::Error;
    QTest::newRow("its key changes") << QByteArray("[identity dev]\nkey = text:BBBBBBBBBBBBBBBB\n")
                                     << false << HandshakeFailure::WrongKeyOrLoss;
    QTest::newRow("its identity goes") << QByteArray("[identity e]\nkey = text:EEEEEEEEEEEEEEEE\n")
                                       << false << HandshakeFailure::UnknownIdentity;
    QTest::newRow("its address is no longer allowed")
        << plain + "allow_from = 10.0.0.0/8\n"
        << false << HandshakeFailure::AddressNotAllowed;
}

void TestNewSettings::aHandshakeUnderWayIsJudgedAnew()
{
    QFETCH(QByteArray, after);
    QFETCH(bool, succeeds);
    QFETCH(HandshakeFailure, reason);
    MemoryNetwork network(settingsOf(plain));
    auto &dev = network.add(1, device("dev", keyA));
    // Its last flight is on the way in three records: the server knows the identity by the first,
    // and hears the rest under the new settings.
    std::vector<QByteArray> flight;
    network.run([&](const OutgoingDatagram &datagram) {
        const bool isLast = datagram.path.peer == MemoryNetwork::serverAddress() &&
                            network.server->statistics().halfOpen == 1;
        if (isLast)
            flight.push_back(datagram.bytes);
        return isLast;
    });
    QByteArray records;
    for (const QByteArray &datagram : flight)
        records += datagram;
    RecordReader reader(records);
    const auto keyExchange = reader.next();
    QVERIFY(keyExchange);
    network.arrive(dev.address, keyExchange->bytes.toByteArray());
    QCOMPARE(network.server->statistics().halfOpen, 1);

    QCOMPARE(apply(network, settingsOf(after)), 0);
    while (const auto record = reader.next())
        network.arrive(dev.address, record->bytes.toByteArray());
    network.run();
    QCOMPARE(dev.client->isConnected(), succeeds);
    QCOMPARE(network.server->statistics().halfOpen, 0);
    const auto failed = network.events<HandshakeFailed>();
    QCOMPARE(failed.size(), succeeds ? 0U : 1U);
    if (!succeeds)
        QCOMPARE(failed[0].reason, reason);
}

void TestNewSettings::whoWasUnknownGetsInAfterwards()
{
    MemoryNetwork network(settingsOf(plain));
    auto &stranger = network.add(1, device("new", keyC));
    network.run();
    QVERIFY(!stranger.client->isConnected());
    QCOMPARE(network.server->statistics().halfOpen, 1);
    // Whom it took for a stranger stays one: its handshake has a key that nobody holds.
    QCOMPARE(apply(network, settingsOf(plain + "[identity new]\nkey = text:" + keyC + '\n')), 0);
    QVERIFY(!stranger.client->isConnected());
    network.crash(stranger);
    auto &known = network.add(1, device("new", keyC));
    network.run();
    QVERIFY(known.client->isConnected());
}

void TestNewSettings::aLoweredLimitHoldsAtOnce()
{
    ServerSettings settings = settingsOf(plain);
    MemoryNetwork network(settings);
    QList<MemoryNetwork::Device *> devices;
    for (int i = 0; i < 5; ++i) {
        devices += &network.add(i, device("dev", keyA));
        network.run();
    }
    for (int i = 10; i < 14; ++i)
        network.addHalfOpen(MemoryNetwork::clientAddress(i));
    QCOMPARE(network.server->statistics().halfOpen, 4);
    settings.limits.maxSessions = 2;
    settings.limits.maxHalfOpen = 1;
    QCOMPARE(apply(network, settings), 0); // evicted, not revoked
    QTRY_COMPARE(network.server->statistics().sessions, 2);
    QTRY_COMPARE(network.server->statistics().halfOpen, 1); // once they are beyond their grace
    network.run();                                          // close_notify is on its way
    for (int i = 0; i < 5; ++i)
        QCOMPARE(devices[i]->client->isConnected(), i >= 3);
    for (const SessionClosed &closed : network.events<SessionClosed>())
        QCOMPARE(closed.reason, CloseReason::Evicted);
    for (const HandshakeFailed &failed : network.events<HandshakeFailed>())
        QCOMPARE(failed.reason, HandshakeFailure::Limit);

    settings.limits.maxSessions = 10;
    settings.limits.maxHalfOpen = 10;
    apply(network, settings);
    for (int i = 20; i < 24; ++i)
        network.add(i, device("dev", keyA));
    network.run();
    QCOMPARE(network.server->statistics().sessions, 6);
}

void TestNewSettings::aShorterIdleTimeoutHoldsAtOnce()
{
    ServerSettings settings = settingsOf(plain);
    MemoryNetwork network(settings);
    network.add(1, device("dev", keyA));
    network.run();
    settings.limits.idleTimeout = 1ms;
    apply(network, settings);
    QTRY_COMPARE(network.events<SessionClosed>().size(), 1U);
    QCOMPARE(network.events<SessionClosed>()[0].reason, CloseReason::Idle);
}

void TestNewSettings::aRateOfHandshakesCanChange()
{
    RateLimit limit(0, 0);
    const RateLimit::Clock::time_point now{1h};
    for (int i = 0; i < 100; ++i)
        QVERIFY(limit.admit(now));
    limit.set(10, 2);
    QVERIFY(limit.admit(now));
    QVERIFY(limit.admit(now));
    QVERIFY(!limit.admit(now));
    limit.set(10, 3);
    QVERIFY(limit.admit(now));
    QVERIFY(!limit.admit(now));
    limit.set(0, 0);
    QVERIFY(limit.admit(now));
}

void TestNewSettings::anAddressThatIsLeftEndsItsSessionsOnly()
{
    MemoryNetwork network(settingsOf(plain));
    auto &dev = network.add(1, device("dev", keyA));
    network.run();
    const SocketAddress other(QHostAddress(QStringLiteral("192.0.2.2")), 5684);
    network.server->listen(std::make_unique<MemorySocket>(other));
    network.server->leave(other);
    QVERIFY(dev.client->send("still here"));
    network.run();
    QVERIFY(dev.client->isConnected());
    QCOMPARE(network.datagrams.size(), 1U);

    // A session and a handshake: nothing may remember the socket.
    network.addHalfOpen(MemoryNetwork::clientAddress(2));
    network.server->listen(std::make_unique<MemorySocket>(other));
    network.server->leave(MemoryNetwork::serverAddress());
    QVERIFY(network.server->isListening());
    const auto closed = network.events<SessionClosed>();
    QCOMPARE(closed.size(), 1U);
    QCOMPARE(closed[0].reason, CloseReason::Shutdown);
    QCOMPARE(network.server->statistics().sessions, 0);
    QCOMPARE(network.server->statistics().halfOpen, 0);
}

void TestNewSettings::whatWasLearnedAboutAnOldKeyIsForgotten()
{
    const auto store = [](const QByteArray &ini) { return settingsOf(ini).identities; };
    const SocketAddress peer = MemoryNetwork::clientAddress(1);
    KeyRotation rotation;
    rotation.noteSuccess("dev", peer, true);
    const auto rotating = store(plain + "next_key = text:BBBBBBBBBBBBBBBB\n");
    rotation.forgetChanged(*rotating, *rotating);
    QVERIFY(rotation.triesNext("dev", peer));
    rotation.forgetChanged(*rotating, *store("[identity dev]\nkey = text:BBBBBBBBBBBBBBBB\n"));
    QVERIFY(!rotation.triesNext("dev", peer));
}

DTLSD_TEST(TestNewSettings)
#include "tst_newsettings.moc"
