// SPDX-License-Identifier: Apache-2.0
//
// What a ClientHello may ask for, what becomes of it where the server has no answer to it, and how
// the log says so.
#include "dtls/CipherPolicy.h"
#include "support/CraftedHello.h"
#include "support/KeyedDevice.h"
#include "support/MemoryNetwork.h"
#include "support/TestProgram.h"
#include "wire/ClientHello.h"

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

ServerSettings settingsOffering(const QString &ciphers)
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.tls.ciphers = CipherPolicy::parse(ciphers).value();
    settings.limits.handshakeTimeout = 50ms;
    return settings;
}

const SocketAddress address = MemoryNetwork::clientAddress(1);

/// The answers of the server to @p datagram, in one.
QByteArray ask(MemoryNetwork &network, const QByteArray &datagram)
{
    network.arrive(address, datagram);
    QByteArray answers;
    for (const OutgoingDatagram &answer : network.serverSocket->takeSent())
        answers += answer.bytes;
    return answers;
}

/// @p hello with its cookie.
CraftedHello proved(MemoryNetwork &network, CraftedHello hello)
{
    CraftedHello first = hello;
    first.padding = 0;
    hello.cookie = cookieOf(ask(network, first.datagram())).value_or(QByteArray());
    return hello;
}

QByteArray clearAlert(int level, int description)
{
    return QByteArray::fromHex("15fefd00000000000000090002") + static_cast<char>(level) +
           static_cast<char>(description);
}

HandshakeFailed failureIn(const MemoryNetwork &network)
{
    const auto failed = network.events<HandshakeFailed>();
    return failed.empty() ? HandshakeFailed{{}, HandshakeFailure::Error} : failed.back();
}

} // namespace

class TestHellos : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aHelloThatIsTooLongIsDropped_data();
    void aHelloThatIsTooLongIsDropped();
    void theRestOfAHelloCannotBeLonger();
    void groupsAreThoseOfTheServer_data();
    void groupsAreThoseOfTheServer();
    void whatWasOfferedIsToldWithTheFailure_data();
    void whatWasOfferedIsToldWithTheFailure();
    void anAlertInClearIsNamedAndEndsNothing_data();
    void anAlertInClearIsNamedAndEndsNothing();
    void anAlertBehindTheChangeOfKeysIsNotTheDevices();
    void anEmptyIdentityIsNamed();
};

void TestHellos::aHelloThatIsTooLongIsDropped_data()
{
    QTest::addColumn<qsizetype>("size");
    QTest::addColumn<bool>("isAccepted");
    const qsizetype longest{ClientHello::maximumSize};
    QTest::newRow("as long as those of today") << qsizetype{2000} << true;
    QTest::newRow("the longest") << longest << true;
    QTest::newRow("one byte more") << longest + 1 << false;
    QTest::newRow("60 KB") << qsizetype{60'000} << false;
}

void TestHellos::aHelloThatIsTooLongIsDropped()
{
    QFETCH(qsizetype, size);
    QFETCH(bool, isAccepted);
    MemoryNetwork network(settingsOffering(QStringLiteral("modern")));
    auto hello = proved(network, {});
    hello.padding = 1;
    const qsizetype others = hello.datagram().size() - Record::headerSize - 12 - 1;
    hello.padding = size - others;

    const bool isAnswered = !ask(network, hello.datagram()).isEmpty();
    QCOMPARE(isAnswered, isAccepted);
    QCOMPARE(network.server->statistics().halfOpen, isAccepted ? 1 : 0);
    QCOMPARE(network.server->statistics().unverified.tooLong, isAccepted ? 0U : 1U);
    QCOMPARE(network.server->statistics().unverified.malformed, 0U);

    // And in pieces, from the first of them.
    MemoryNetwork another(settingsOffering(QStringLiteral("modern")));
    auto pieces = proved(another, {});
    pieces.padding = hello.padding;
    ask(another, pieces.firstFragment(200));
    QCOMPARE(another.server->statistics().halfOpen, isAccepted ? 1 : 0);
    if (size > 16'000)
        return; // does not go into a record
    QCOMPARE(!ask(another, pieces.lastFragment(200)).isEmpty(), isAccepted);
}

void TestHellos::theRestOfAHelloCannotBeLonger()
{
    MemoryNetwork network(settingsOffering(QStringLiteral("modern")));
    auto hello = proved(network, {});
    hello.padding = 1000;
    QCOMPARE(ask(network, hello.firstFragment(200)), QByteArray());
    // OpenSSL would answer a rest that announces something else by ending the handshake.
    auto longer = hello;
    longer.padding = 10'000;
    QCOMPARE(ask(network, longer.lastFragment(200)), QByteArray());
    QCOMPARE(network.server->statistics().halfOpen, 1);
    QVERIFY(!ask(network, hello.lastFragment(200)).isEmpty());
}

void TestHellos::groupsAreThoseOfTheServer_data()
{
    QTest::addColumn<QByteArray>("ciphers");
    QTest::addColumn<QByteArray>("groups");
    QTest::addColumn<QByteArray>("chosen");
    const QByteArray ecdhe = "ECDHE-PSK-CHACHA20-POLY1305";
    const QByteArray psk = "PSK-AES128-GCM-SHA256";
    QTest::newRow("X25519") << ecdhe << QByteArray("X25519") << ecdhe;
    QTest::newRow("P-256") << ecdhe << QByteArray("P-256") << ecdhe;
    QTest::newRow("P-384 and P-256") << ecdhe << QByteArray("P-384:P-256") << ecdhe;
    QTest::newRow("P-384 only") << ecdhe << QByteArray("P-384") << QByteArray();
    QTest::newRow("P-521 and X448") << ecdhe << QByteArray("P-521:X448") << QByteArray();
    QTest::newRow("P-384 only, and a suite that needs none")
        << ecdhe + ':' + psk << QByteArray("P-384") << psk;
    QTest::newRow("a suite that needs none") << psk << QByteArray("P-384") << psk;
}

void TestHellos::groupsAreThoseOfTheServer()
{
    QFETCH(QByteArray, ciphers);
    QFETCH(QByteArray, groups);
    QFETCH(QByteArray, chosen);
    MemoryNetwork network(settingsOffering(QStringLiteral("modern")));
    KeyedDevice device(network, address, {.ciphers = ciphers, .groups = groups});
    QCOMPARE(device.connect(), !chosen.isEmpty());
    if (chosen.isEmpty())
        QCOMPARE(failureIn(network).reason, HandshakeFailure::NoSharedGroup);
    else
        QCOMPARE(network.events<SessionOpened>().at(0).session.cipher.text(), chosen);
}

void TestHellos::whatWasOfferedIsToldWithTheFailure_data()
{
    QTest::addColumn<bool>("isInPieces");
    QTest::newRow("a hello in one datagram") << false;
    QTest::newRow("a hello in pieces") << true;
}

void TestHellos::whatWasOfferedIsToldWithTheFailure()
{
    QFETCH(bool, isInPieces);
    MemoryNetwork network(settingsOffering(QStringLiteral("modern")));
    CraftedHello hello;
    hello.cipherSuites = QByteArray::fromHex("008c00aed001");
    hello.padding = 500;
    hello = proved(network, hello);
    if (isInPieces) {
        ask(network, hello.firstFragment(200));
        ask(network, hello.lastFragment(200));
    } else {
        ask(network, hello.datagram());
    }
    const HandshakeFailed failed = failureIn(network);
    QCOMPARE(failed.reason, HandshakeFailure::NoSharedCipher);
    QCOMPARE(failed.offered, (std::vector<CipherSuite>{{0x008C}, {0x00AE}, {0xD001}}));
    QCOMPARE(failed.ciphers, QStringLiteral("modern"));
}

void TestHellos::anAlertInClearIsNamedAndEndsNothing_data()
{
    QTest::addColumn<QByteArray>("alert");
    QTest::addColumn<HandshakeFailure>("reason");
    QTest::addColumn<QByteArray>("text");
    QTest::newRow("a fatal one") << clearAlert(2, 47) << HandshakeFailure::Alert
                                 << QByteArray("illegal_parameter (47)");
    QTest::newRow("a warning") << clearAlert(1, 90) << HandshakeFailure::Timeout << QByteArray();
    QTest::newRow("no alert") << clearAlert(3, 47) << HandshakeFailure::Timeout << QByteArray();
}

void TestHellos::anAlertInClearIsNamedAndEndsNothing()
{
    QFETCH(QByteArray, alert);
    QFETCH(HandshakeFailure, reason);
    QFETCH(QByteArray, text);
    ServerSettings settings = settingsOffering(QStringLiteral("modern"));
    MemoryNetwork network(settings);
    const auto hello = proved(network, {});
    QVERIFY(!ask(network, hello.datagram()).isEmpty());
    QCOMPARE(ask(network, alert), QByteArray());
    QCOMPARE(network.server->statistics().halfOpen, 1);
    QTRY_COMPARE(network.events<HandshakeFailed>().size(), 1U);
    const HandshakeFailed failed = failureIn(network);
    QCOMPARE(failed.reason, reason);
    QCOMPARE(failed.alert ? failed.alert->text() : QByteArray(), text);

    // Nor does it end a handshake that goes on.
    KeyedDevice device(network, MemoryNetwork::clientAddress(2), {});
    for (const QByteArray &datagram : device.takeSent())
        network.arrive(device.address(), datagram);
    device.listen();
    for (const QByteArray &datagram : device.takeSent())
        network.arrive(device.address(), datagram);
    network.arrive(device.address(), alert);
    device.listen();
    QVERIFY(device.connect());
}

void TestHellos::anAlertBehindTheChangeOfKeysIsNotTheDevices()
{
    MemoryNetwork network(settingsOffering(QStringLiteral("modern")));
    KeyedDevice device(network, address, {.key = QByteArray(16, 'w')});
    QVERIFY(!device.connect());
    network.arrive(address, clearAlert(2, 47)); // it would be protected
    QTRY_COMPARE(network.events<HandshakeFailed>().size(), 1U);
    QCOMPARE(failureIn(network).reason, HandshakeFailure::WrongKeyOrLoss);
    QVERIFY(!failureIn(network).alert);
}

void TestHellos::anEmptyIdentityIsNamed()
{
    MemoryNetwork network(settingsOffering(QStringLiteral("modern")));
    KeyedDevice device(network, address, {.identity = ""});
    QVERIFY(!device.connect());
    QTRY_COMPARE(network.events<HandshakeFailed>().size(), 1U);
    QCOMPARE(failureIn(network).reason, HandshakeFailure::UnknownIdentity);
    QVERIFY(failureIn(network).session.hasIdentity());
    QCOMPARE(failureIn(network).session.identity, QByteArray());

    MemoryNetwork another(settingsOffering(QStringLiteral("modern")));
    QVERIFY(!ask(another, proved(another, {}).datagram()).isEmpty());
    QTRY_COMPARE(another.events<HandshakeFailed>().size(), 1U);
    QCOMPARE(failureIn(another).reason, HandshakeFailure::Timeout);
    QVERIFY(!failureIn(another).session.hasIdentity());
}

DTLSD_TEST(TestHellos)
#include "tst_hellos.moc"
