// SPDX-License-Identifier: Apache-2.0
//
// The whole way of a datagram: from a client that others wrote, or ours, through dtlsd into a real
// systemd-journald, and the receipt back.
#include "dtls/DtlsClient.h"
#include "events/EventLog.h"
#include "support/ClientProcess.h"
#include "support/DaemonProcess.h"
#include "support/JournalInstance.h"
#include "support/JsonFields.h"
#include "support/TestKey.h"
#include "support/TestProgram.h"

#include <QSignalSpy>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

QByteArray configuration(const QByteArray &extra = {})
{
    return "[server]\nlisten = 127.0.0.1:0, [::1]:0\nworkers = 2\n[psk]\nfile =\n"
           "[identity sensor-17]\nkey = hex:" +
           hexKey + "\n" + extra;
}

} // namespace

class TestEndToEnd : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void threeDatagramsBecomeThreeEntriesAndThreeReceipts_data();
    void threeDatagramsBecomeThreeEntriesAndThreeReceipts();
    void theExampleConfigurationServesQtsExampleClient();
    void bytesOfAnyKindArriveExactly();

private:
    struct Exchange
    {
        QList<QByteArray> sent;
        QList<QByteArray> received;
    };
    static Exchange withOurs(const SocketAddress &server);
    static Exchange withTheirs(ClientProcess::Kind kind, const SocketAddress &server);
};

void TestEndToEnd::initTestCase()
{
    QString why;
    if (!JournalInstance::isAvailable(&why))
        QSKIP(qPrintable(why));
}

TestEndToEnd::Exchange TestEndToEnd::withOurs(const SocketAddress &server)
{
    DtlsClient client(
        {.identity = "sensor-17",
         .key = PskKey(testKey),
         .ciphers = CipherPolicy::parse(QStringLiteral("PSK-AES128-GCM-SHA256")).value()});
    QSignalSpy connected(&client, &DtlsClient::connected);
    QSignalSpy received(&client, &DtlsClient::received);
    Exchange exchange;
    if (!client.connectTo(server) || !connected.wait(qtPatience))
        return exchange;
    for (const QByteArray message : {"temperature=21.5", "temperature=21.6", "temperature=21.7"}) {
        exchange.sent += message;
        client.send(message);
        if (received.wait(qtPatience))
            exchange.received += received.takeFirst().constFirst().toByteArray();
    }
    client.close();
    return exchange;
}

TestEndToEnd::Exchange TestEndToEnd::withTheirs(ClientProcess::Kind kind,
                                                const SocketAddress &server)
{
    // gnutls-cli 3.7.9 itself crashes after an ECDHE-PSK handshake.
    ClientProcess client({.kind = kind,
                          .server = server,
                          .identity = QStringLiteral("sensor-17"),
                          .key = testKey,
                          .cipher = kind == ClientProcess::Kind::OpenSsl
                                        ? QStringLiteral("PSK-AES128-GCM-SHA256")
                                        : QStringLiteral("-KX-ALL:+PSK:-CIPHER-ALL:+AES-128-GCM"),
                          .arguments = {}});
    Exchange exchange;
    if (!client.connectToServer())
        qWarning("%s", qPrintable(client.errorText()));
    for (const QByteArray line : {"temperature=21.5", "temperature=21.6", "temperature=21.7"}) {
        exchange.sent += line + '\n';
        exchange.received += client.exchange(line).value_or("none");
    }
    if (client.close() != 0)
        qWarning("%s", qPrintable(client.errorText()));
    return exchange;
}

void TestEndToEnd::threeDatagramsBecomeThreeEntriesAndThreeReceipts_data()
{
    QTest::addColumn<QString>("client");
    QTest::addColumn<int>("address"); // of the daemon's
    QTest::addColumn<QByteArray>("backend");
    for (const char *client : {"QDtls", "openssl s_client", "gnutls-cli"}) {
        const QString name = QString::fromLatin1(client);
        QTest::addRow("%s over IPv4", client) << name << 0 << QByteArray("auto");
        QTest::addRow("%s over IPv6", client) << name << 1 << QByteArray("auto");
        QTest::addRow("%s, on Qt's TLS backend", client) << name << 0 << QByteArray("qt");
    }
}

void TestEndToEnd::threeDatagramsBecomeThreeEntriesAndThreeReceipts()
{
    QFETCH(QString, client);
    QFETCH(int, address);
    QFETCH(QByteArray, backend);
    JournalInstance journal;
    QVERIFY2(journal.start(), qPrintable(journal.errorText()));
    DaemonProcess daemon(
        configuration("[tls]\nbackend = " + backend + "\n[log]\nciphertext = yes\n"), &journal);
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const SocketAddress server = daemon.addresses().at(address);

    const Exchange exchange = client == u"QDtls" ? withOurs(server)
                              : client == u"openssl s_client"
                                  ? withTheirs(ClientProcess::Kind::OpenSsl, server)
                                  : withTheirs(ClientProcess::Kind::GnuTls, server);
    QCOMPARE(exchange.sent.size(), 3);
    QCOMPARE(exchange.received.size(), 3);
    QVERIFY(daemon.waitForEvent(QStringLiteral("session-closed")));
    QCOMPARE(daemon.stop(), 0);

    const QString messageId =
        QStringLiteral("MESSAGE_ID=%1").arg(QLatin1String(EventLog::kindOf(Datagram{}).messageId));
    const auto entries =
        journal.entries({messageId, QStringLiteral("DTLSD_IDENTITY=sensor-17")}, 3);
    QCOMPARE(entries.size(), 3);
    for (qsizetype i = 0; i < 3; ++i) {
        const QJsonObject &entry = entries[i];
        const QString peer = text(entry, "DTLSD_PEER_ADDRESS");
        const QString port = text(entry, "DTLSD_PEER_PORT");
        const QString peerText =
            (address == 0 ? QStringLiteral("%1:%2") : QStringLiteral("[%1]:%2")).arg(peer, port);
        QCOMPARE(peer, address == 0 ? QStringLiteral("127.0.0.1") : QStringLiteral("::1"));
        QCOMPARE(exchange.received[i].trimmed(),
                 QStringLiteral("to %1: ACK").arg(peerText).toUtf8());
        QCOMPARE(JournalInstance::bytes(entry.value(QStringLiteral("DTLSD_PAYLOAD"))),
                 exchange.sent[i]);
        QCOMPARE(text(entry, "DTLSD_PAYLOAD_SIZE"), QString::number(exchange.sent[i].size()));
        QCOMPARE(text(entry, "DTLSD_EVENT"), QStringLiteral("datagram-received"));
        QCOMPARE(text(entry, "DTLSD_SEQUENCE"), QString::number(i + 1));
        QCOMPARE(text(entry, "DTLSD_LOCAL_ADDRESS"), server.toString());
        QCOMPARE(text(entry, "DTLSD_CIPHER"), QStringLiteral("PSK-AES128-GCM-SHA256"));
        QCOMPARE(text(entry, "DTLSD_PROTOCOL"), QStringLiteral("DTLSv1.2"));
        QCOMPARE(text(entry, "DTLSD_SESSION"), text(entries[0], "DTLSD_SESSION"));
        QCOMPARE(text(entry, "DTLSD_SESSION").size(), 16);
        // A record of application data under epoch 1: what came from the network.
        QVERIFY(text(entry, "DTLSD_CIPHERTEXT").startsWith(QStringLiteral("17fefd0001")));
        QCOMPARE(text(entry, "PRIORITY"), QStringLiteral("6"));
        QCOMPARE(text(entry, "SYSLOG_IDENTIFIER"), QStringLiteral("dtlsd"));
        QVERIFY(text(entry, "MESSAGE")
                    .startsWith(QStringLiteral("sensor-17 (%1): temperature=21.").arg(peerText)));
    }

    const auto closed = journal.entries({QStringLiteral("DTLSD_EVENT=session-closed")}, 1);
    QCOMPARE(text(closed.constFirst(), "DTLSD_REASON"), QStringLiteral("close-notify"));
    QCOMPARE(journal.entries({QStringLiteral("DTLSD_EVENT=session-opened")}, 1).size(), 1);
    QCOMPARE(journal.entries({QStringLiteral("DTLSD_EVENT=stopping")}, 1).size(), 1);
    // A healthy life has nothing above notice.
    QVERIFY(
        journal
            .entries({QStringLiteral("SYSLOG_IDENTIFIER=dtlsd"), QStringLiteral("PRIORITY=4")}, 0)
            .isEmpty());
}

void TestEndToEnd::theExampleConfigurationServesQtsExampleClient()
{
    JournalInstance journal;
    QVERIFY2(journal.start(), qPrintable(journal.errorText()));
    QFile example(QStringLiteral(DTLSD_SOURCE_DIR "/config/examples/qt-dtls-example.ini"));
    QVERIFY(example.open(QIODevice::ReadOnly));
    QByteArray config = example.readAll();
    config.replace("0.0.0.0:22334, [::]:22334", "127.0.0.1:0");
    DaemonProcess daemon(config, &journal);
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));

    // As Qt's client does it: an identity made of its own name, six bytes of key, Qt's ciphers.
    DtlsClient client(
        {.identity = "Alice (Bob)", .key = PskKey("\x1a\x2b\x3c\x4d\x5e\x6f"), .ciphers = {}});
    QSignalSpy connected(&client, &DtlsClient::connected);
    QSignalSpy received(&client, &DtlsClient::received);
    QVERIFY(client.connectTo(daemon.addresses().constFirst()));
    QVERIFY(connected.wait(qtPatience));
    client.send("I am Alice, please, accept our #0 message");
    QVERIFY(received.wait(qtPatience));
    QVERIFY(received[0][0].toByteArray().endsWith(": ACK"));
    client.close();
    QVERIFY(daemon.waitForEvent(QStringLiteral("session-closed")));
    QCOMPARE(daemon.stop(), 0);

    const auto entries = journal.entries({QStringLiteral("DTLSD_IDENTITY=Alice (Bob)"),
                                          QStringLiteral("DTLSD_EVENT=datagram-received")},
                                         1);
    QCOMPARE(entries.size(), 1);
    QVERIFY(!text(entries[0], "DTLSD_CIPHERTEXT").isEmpty());
    // Any identity is accepted: that is warned about.
    QVERIFY(!journal.entries({QStringLiteral("DTLSD_EVENT=configuration-warning")}, 1).isEmpty());
}

void TestEndToEnd::bytesOfAnyKindArriveExactly()
{
    JournalInstance journal;
    QVERIFY2(journal.start(), qPrintable(journal.errorText()));
    DaemonProcess daemon(configuration(), &journal);
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    DtlsClient client({.identity = "sensor-17", .key = PskKey(testKey), .ciphers = {}});
    QSignalSpy connected(&client, &DtlsClient::connected);
    QSignalSpy received(&client, &DtlsClient::received);
    QVERIFY(client.connectTo(daemon.addresses().constFirst()));
    QVERIFY(connected.wait(qtPatience));

    QByteArray everyByte;
    for (int byte = 0; byte < 256; ++byte)
        everyByte += static_cast<char>(byte);
    const QList<QByteArray> messages{everyByte, "line\nMESSAGE=forged\n",
                                     QByteArray(16'384, '\xfe'), "\0", QByteArray(1, '\0')};
    for (const QByteArray &message : messages) {
        if (message.isEmpty())
            continue;
        QVERIFY(client.send(message));
        QVERIFY(received.wait(qtPatience));
    }
    const auto entries = journal.entries({QStringLiteral("DTLSD_EVENT=datagram-received")}, 4);
    QCOMPARE(entries.size(), 4);
    QList<QByteArray> payloads;
    for (const QJsonObject &entry : entries)
        payloads += JournalInstance::bytes(entry.value(QStringLiteral("DTLSD_PAYLOAD")));
    QCOMPARE(payloads, (QList<QByteArray>{messages[0], messages[1], messages[2], messages[4]}));
    QCOMPARE(text(entries[1], "MESSAGE").count(u'\n'), 0);
}

DTLSD_TEST(TestEndToEnd)
#include "tst_endtoend.moc"
