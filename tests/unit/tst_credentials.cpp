// SPDX-License-Identifier: Apache-2.0
//
// Which key opens a session: the identity's own, its next one, or that of the wildcard.
#include "support/MemoryNetwork.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace dtlsd::test;

class TestCredentials : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void eitherKeyIsAcceptedWhileRotating();
    void aDeviceThatKeepsItsPortIsInAfterTwoHandshakes_data();
    void aDeviceThatKeepsItsPortIsInAfterTwoHandshakes();
    void aDeviceWithNewPortsIsInAfterAFewHandshakes_data();
    void aDeviceWithNewPortsIsInAfterAFewHandshakes();
    void aNeighbourWithoutAKeyDoesNotDecide();
    void whatIsLearnedIsBounded();
    void theWildcardIsForEveryOtherIdentity();
    void aStrangerGetsAKeyThatNobodyHolds();
};

void TestCredentials::eitherKeyIsAcceptedWhileRotating()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    auto identities = std::make_shared<PskStore>();
    const PskKey next(QByteArray(16, 'n'));
    identities->add("sensor-17",
                    {.key = MemoryNetwork::key(), .nextKey = next, .allowFrom = {}, .reply = {}});
    settings.identities = identities;
    MemoryNetwork network(settings);

    auto options = MemoryNetwork::defaultClient();
    options.key = next;
    auto &refused = network.add(1, options); // `key` is tried first
    network.run();
    QVERIFY(!refused.client->isConnected());
    network.crash(refused);
    auto &withNext = network.add(1, options);
    network.run();
    QVERIFY(withNext.client->isConnected());
    QVERIFY(network.events<SessionOpened>().back().withNextKey);
    network.crash(withNext);
    auto &again = network.add(1, options); // and what was right last is tried first
    network.run();
    QVERIFY(again.client->isConnected());
}

void TestCredentials::aDeviceThatKeepsItsPortIsInAfterTwoHandshakes_data()
{
    QTest::addColumn<bool>("learned");
    QTest::addColumn<bool>("held");
    for (const bool learned : {false, true}) {
        for (const bool held : {false, true})
            QTest::addRow("with %s, where %s was right last", held ? "next_key" : "key",
                          learned ? "next_key" : "key")
                << learned << held;
    }
}

void TestCredentials::aDeviceThatKeepsItsPortIsInAfterTwoHandshakes()
{
    QFETCH(bool, learned);
    QFETCH(bool, held);
    const SocketAddress device = MemoryNetwork::clientAddress(1);
    for (int round = 0; round < 200; ++round) { // for what is drawn at random
        KeyRotation rotation;
        rotation.noteSuccess("dev", device, learned);
        rotation.noteFailure("dev", {device.address(), 4711}, learned); // a neighbour's
        int handshakes = 1;
        while (rotation.triesNext("dev", device) != held) {
            rotation.noteFailure("dev", device, !held);
            ++handshakes;
        }
        QVERIFY(handshakes <= 2);
    }
}

void TestCredentials::aDeviceWithNewPortsIsInAfterAFewHandshakes_data()
{
    QTest::addColumn<bool>("hasOpened");
    QTest::addColumn<int>("average");
    QTest::newRow("once it has changed its key") << true << 5;
    QTest::newRow("where no session was opened") << false << 3;
}

void TestCredentials::aDeviceWithNewPortsIsInAfterAFewHandshakes()
{
    QFETCH(bool, hasOpened);
    QFETCH(int, average);
    const SocketAddress device = MemoryNetwork::clientAddress(1);
    constexpr int devices = 400;
    int handshakes = 0;
    for (int i = 0; i < devices; ++i) {
        KeyRotation rotation;
        if (hasOpened)
            rotation.noteSuccess("dev", device, false);
        for (std::uint16_t port = 1; ++handshakes; ++port) { // it holds next_key
            const SocketAddress from(device.address(), port);
            if (rotation.triesNext("dev", from))
                break;
            rotation.noteFailure("dev", from, false);
        }
    }
    // The deviation of the mean of 400 is below 0.2.
    QVERIFY2(handshakes < (average + 1) * devices, qPrintable(QString::number(handshakes)));
}

void TestCredentials::aNeighbourWithoutAKeyDoesNotDecide()
{
    constexpr int attempts = 1000;
    const SocketAddress device = MemoryNetwork::clientAddress(1);
    for (const bool held : {false, true}) {
        KeyRotation rotation;
        rotation.noteSuccess("dev", device, held);
        int wrong = 0;
        for (int i = 0; i < attempts; ++i) {
            // He fails with whatever he is tried with, any number of times, before each of its.
            for (std::uint16_t port = 1; port < 4; ++port) {
                const SocketAddress neighbour(device.address(), port);
                rotation.noteFailure("dev", neighbour, rotation.triesNext("dev", neighbour));
            }
            const SocketAddress from(device.address(), static_cast<std::uint16_t>(10'000 + i));
            wrong += rotation.triesNext("dev", from) != held ? 1 : 0;
        }
        // 250 expected; 14 is the deviation.
        QVERIFY2(wrong < 350, qPrintable(QString::number(wrong)));
        rotation.noteSuccess("dev", device, held);
        for (std::uint16_t port = 1; port < 100; ++port)
            QCOMPARE(rotation.triesNext("dev", {device.address(), port}), held);
        // From elsewhere he is nobody's neighbour.
        rotation.noteFailure("dev", {QHostAddress(QStringLiteral("203.0.113.7")), 1}, held);
        QCOMPARE(rotation.triesNext("dev", device), held);
    }
}

void TestCredentials::whatIsLearnedIsBounded()
{
    // Failures without end do not make it forget who has succeeded.
    const SocketAddress device = MemoryNetwork::clientAddress(1);
    KeyRotation rotation;
    rotation.noteSuccess("dev", device, true);
    for (int i = 0; i < 300'000; ++i)
        rotation.noteFailure("dev" + QByteArray::number(i), device, false);
    QVERIFY(rotation.triesNext("dev", device));
}

void TestCredentials::theWildcardIsForEveryOtherIdentity()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    auto identities = std::make_shared<PskStore>(*settings.identities);
    const PskKey shared(QByteArray(16, 'w'));
    identities->setWildcard({.key = shared, .nextKey = {}, .allowFrom = {}, .reply = {}});
    settings.identities = identities;
    MemoryNetwork network(settings);
    auto &stranger = network.add(1, {.identity = "any name", .key = shared, .ciphers = {}});
    auto &listed = network.add(2);
    auto &pretender = network.add(3, {.identity = "sensor-17", .key = shared, .ciphers = {}});
    network.run();
    QVERIFY(stranger.client->isConnected());
    QCOMPARE(network.events<SessionOpened>().at(0).session.identity, "any name");
    QVERIFY(listed.client->isConnected());
    QVERIFY(!pretender.client->isConnected());
}

void TestCredentials::aStrangerGetsAKeyThatNobodyHolds()
{
    auto identities = std::make_shared<PskStore>();
    const QList<Subnet> home{QHostAddress::parseSubnet(QStringLiteral("10.0.0.0/8"))};
    identities->add("at-home", {PskKey(QByteArray(16, 'h')), {}, home, {}});
    auto settings = std::make_shared<ServerSettings>();
    settings->identities = identities;
    KeyRotation rotation;
    const QByteArray secret(32, 's');
    const SocketAddress inside = SocketAddress::parse(u"10.1.2.3:4").value();
    const SocketAddress outside = SocketAddress::parse(u"192.0.2.7:4").value();

    const Credentials hiding(settings, rotation, secret);
    QCOMPARE(hiding.find("at-home", inside).key.bytes(), QByteArray(16, 'h'));
    const Credential away = hiding.find("at-home", outside);
    QCOMPARE(away.verdict, Credential::Verdict::AddressNotAllowed);
    const Credential stranger = hiding.find("nobody", outside);
    QCOMPARE(stranger.verdict, Credential::Verdict::UnknownIdentity);
    QCOMPARE(stranger.key.size(), 32);
    QVERIFY(stranger.key != away.key);
    QCOMPARE(hiding.find("nobody", inside).key, stranger.key); // the same for ever

    settings->tls.unknownIdentity = TlsOptions::UnknownIdentity::Alert;
    QVERIFY(Credentials(settings, rotation, secret).find("nobody", outside).key.isEmpty());
}

DTLSD_TEST(TestCredentials)
#include "tst_credentials.moc"
