// SPDX-License-Identifier: Apache-2.0
//
// Peers that are wrong in one way or another: each makes one clear event, or is part of a summary,
// and an honest session beside them never notices.
#include "dtls/DtlsClient.h"
#include "support/ClientProcess.h"
#include "support/DaemonProcess.h"
#include "support/TestKey.h"
#include "support/TestProgram.h"

#include <QNetworkDatagram>
#include <QSignalSpy>
#include <QUdpSocket>

using namespace dtlsd;
using namespace dtlsd::test;

class TestStrangers : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void aFailedHandshakeIsOneEventWithItsReason_data();
    void aFailedHandshakeIsOneEventWithItsReason();
    void datagramsOfUnprovedSourcesMakeOneSummary();
    void badRecordsOfAnOpenSessionMakeOneEntry();

private:
    void exchangeHonestly();

    std::unique_ptr<DaemonProcess> m_daemon;
    std::unique_ptr<DtlsClient> m_honest;
};

void TestStrangers::init()
{
    m_daemon = std::make_unique<DaemonProcess>(
        "[server]\nlisten = 127.0.0.1:0\nworkers = 1\n[limits]\nhandshake_timeout = 3s\n"
        "[psk]\nfile =\n[identity honest]\nkey = hex:" +
        hexKey + "\n[identity elsewhere]\nallow_from = 10.0.0.0/8\nkey = hex:" + hexKey + "\n");
    QVERIFY2(m_daemon->start(), qPrintable(m_daemon->errorText()));
    m_honest = std::make_unique<DtlsClient>(
        DtlsClient::Options{.identity = "honest", .key = PskKey(testKey), .ciphers = {}});
    QSignalSpy connected(m_honest.get(), &DtlsClient::connected);
    QVERIFY(m_honest->connectTo(m_daemon->addresses().constFirst()));
    QVERIFY(connected.wait(qtPatience));
    exchangeHonestly();
}

void TestStrangers::cleanup()
{
    exchangeHonestly();
    QVERIFY(m_daemon->events(QStringLiteral("session-closed")).isEmpty());
    QCOMPARE(m_daemon->stop(), 0);
    QTRY_VERIFY(!m_honest->isConnected()); // it was told goodbye
    QCOMPARE(m_daemon->strayLines(), QList<QByteArray>());
    m_honest.reset();
    m_daemon.reset();
}

void TestStrangers::exchangeHonestly()
{
    QSignalSpy received(m_honest.get(), &DtlsClient::received);
    QVERIFY(m_honest->send("still here"));
    QVERIFY(received.wait(qtPatience));
}

void TestStrangers::aFailedHandshakeIsOneEventWithItsReason_data()
{
    QTest::addColumn<QString>("identity");
    QTest::addColumn<QByteArray>("usedKey");
    QTest::addColumn<QString>("cipher");
    QTest::addColumn<QString>("protocol");
    QTest::addColumn<QString>("reason");
    const QString honest = QStringLiteral("honest");
    const QString dtls12 = QStringLiteral("-dtls1_2");
    const QString gcm = QStringLiteral("PSK-AES128-GCM-SHA256");
    QTest::newRow("a wrong key") << honest << QByteArray(16, 'x') << gcm << dtls12
                                 << QStringLiteral("wrong-key-or-loss");
    QTest::newRow("an unknown identity") << QStringLiteral("nobody") << testKey << gcm << dtls12
                                         << QStringLiteral("unknown-identity");
    QTest::newRow("an identity from a foreign network")
        << QStringLiteral("elsewhere") << testKey << gcm << dtls12
        << QStringLiteral("address-not-allowed");
    QTest::newRow("no common cipher suite")
        << honest << testKey << QStringLiteral("PSK-AES128-CCM8:@SECLEVEL=0") << dtls12
        << QStringLiteral("no-shared-cipher");
    QTest::newRow("DTLS 1.0") << honest << testKey
                              << QStringLiteral("PSK-AES128-CBC-SHA:@SECLEVEL=0")
                              << QStringLiteral("-dtls1") << QStringLiteral("protocol-version");
}

void TestStrangers::aFailedHandshakeIsOneEventWithItsReason()
{
    QFETCH(QString, identity);
    QFETCH(QByteArray, usedKey);
    QFETCH(QString, cipher);
    QFETCH(QString, protocol);
    QFETCH(QString, reason);
    ClientProcess stranger({.kind = ClientProcess::Kind::OpenSsl,
                            .server = m_daemon->addresses().constFirst(),
                            .identity = identity,
                            .key = usedKey,
                            .cipher = cipher,
                            .protocol = protocol,
                            .arguments = {}});
    QVERIFY(stranger.launch());
    const auto failed = m_daemon->waitForEvent(QStringLiteral("handshake-failed"));
    QVERIFY(failed);
    QCOMPARE(failed->value(QStringLiteral("reason")).toString(), reason);
    QCOMPARE(failed->value(QStringLiteral("level")).toString(), QStringLiteral("warning"));
    const bool named = reason != u"no-shared-cipher" && reason != u"protocol-version";
    QCOMPARE(failed->value(QStringLiteral("claimed_identity")).toString(),
             named ? identity : QString());
    QVERIFY(!failed->contains(QStringLiteral("identity")));
    stranger.process().kill();
    QVERIFY(stranger.process().waitForEnd());
    exchangeHonestly();
    QCOMPARE(m_daemon->events(QStringLiteral("handshake-failed")).size(), 1);
}

void TestStrangers::datagramsOfUnprovedSourcesMakeOneSummary()
{
    const SocketAddress server = m_daemon->addresses().constFirst();
    QUdpSocket stranger;
    const auto throwAt = [&](const QByteArray &datagram) {
        QCOMPARE(stranger.writeDatagram(datagram, server.address(), server.port()),
                 datagram.size());
    };
    for (int i = 0; i < 10; ++i)
        throwAt({});
    for (int i = 0; i < 10; ++i)
        throwAt(QByteArray(65'507, 'x'));
    for (int i = 0; i < 10; ++i)
        throwAt("GET / HTTP/1.1\r\n\r\n");
    // A record for a session that is not there.
    for (int i = 0; i < 5; ++i)
        throwAt(QByteArray::fromHex("17fefd000100000000000100043132333400").chopped(1));
    // A hello of nothing but zeros behind its header: one answer, no larger.
    const QByteArray hello =
        QByteArray::fromHex("16fefd00000000000000000040010000340000000000000034") +
        QByteArray(52, '\0');
    throwAt(hello);
    const auto summary = m_daemon->waitForEvent(QStringLiteral("unverified-traffic"));
    QVERIFY(summary);
    QCOMPARE(DaemonProcess::number(summary->value(QStringLiteral("count"))), 35);
    QVERIFY(stranger.hasPendingDatagrams());
    QVERIFY(stranger.pendingDatagramSize() <= hello.size());
    QVERIFY(stranger.receiveDatagram().isValid());
    QVERIFY(!stranger.hasPendingDatagrams());
    QCOMPARE(m_daemon->events(QStringLiteral("unverified-traffic")).size(), 1);
}

void TestStrangers::badRecordsOfAnOpenSessionMakeOneEntry()
{
    // From the honest device's own address and port: forged, as anybody on its way could.
    const SocketAddress server = m_daemon->addresses().constFirst();
    const auto received = m_daemon->waitForEvent(QStringLiteral("datagram-received"));
    QVERIFY(received);
    const auto port = DaemonProcess::number(received->value(QStringLiteral("peer_port")));
    auto forger = DatagramSocket::bind(
        SocketAddress(QHostAddress(QHostAddress::AnyIPv4), static_cast<quint16>(port)),
        {DatagramSocket::Sharing::Sibling, 0});
    QVERIFY(forger);
    const auto socket = std::move(forger).value();
    const Path path{server, SocketAddress(QHostAddress(QHostAddress::LocalHost), 0)};
    for (int i = 0; i < 50; ++i)
        socket->output(path)->write(QByteArray::fromHex("17fefd00010000000000990028") +
                                    QByteArray(40, 'x'));
    socket->output(path)->write(QByteArray());
    socket->output(path)->write("garbage");
    socket->flush();
    const auto misbehaving = m_daemon->waitForEvent(QStringLiteral("peer-misbehaving"));
    QVERIFY(misbehaving);
    QCOMPARE(misbehaving->value(QStringLiteral("identity")).toString(), QStringLiteral("honest"));
}

DTLSD_TEST(TestStrangers)
#include "tst_strangers.moc"
