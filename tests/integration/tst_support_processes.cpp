// SPDX-License-Identifier: Apache-2.0
//
// ClientProcess against a server that others wrote, and DaemonProcess with a shell script in the
// daemon's place: when another test fails, it is not for want of these.
#include "support/ClientProcess.h"
#include "support/DaemonProcess.h"
#include "support/JournalInstance.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <QUdpSocket>

#include <csignal>

using namespace dtlsd::test;
using dtlsd::SocketAddress;

Q_DECLARE_METATYPE(ClientProcess::Kind)

class tst_SupportProcesses : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void aClientExchangesLines_data();
    void aClientExchangesLines();
    void aClientWithAWrongKeyDoesNotConnect_data() { aClientExchangesLines_data(); }
    void aClientWithAWrongKeyDoesNotConnect();
    void aLineThatOpenSslTakesAsACommandIsRefused();
    void aDaemonsEventsComeFromItsOutput();
    void aDaemonsEventsComeFromTheJournal();
    void aDaemonThatEndsEarlyIsNoticed();
    void aDaemonThatIgnoresSigtermHasNoExitStatus();
    void theEndOfTheObjectIsTheEndOfTheProcess();

private:
    [[nodiscard]] ClientProcess::Options clientOptions(ClientProcess::Kind kind) const;
    void fakeDaemon(const QByteArray &script);

    const QByteArray m_key = QByteArray::fromHex("000102030405060708090a0b0c0d0e0f");
    QTemporaryDir m_directory;
    ChildProcess m_server;
    SocketAddress m_address;
};

void tst_SupportProcesses::initTestCase()
{
    QFile keys(m_directory.filePath(QStringLiteral("keys")));
    QVERIFY(keys.open(QIODevice::WriteOnly));
    keys.write("device:" + m_key.toHex() + '\n');
    keys.close();

    // gnutls-serv cannot choose a port and tell: one that was free a moment ago has to do.
    QUdpSocket socket;
    QVERIFY(socket.bind(QHostAddress::LocalHost));
    m_address = SocketAddress(QHostAddress(QHostAddress::LocalHost), socket.localPort());
    socket.close();
    QVERIFY2(
        m_server.run({QStringLiteral("gnutls-serv"),
                      {QStringLiteral("--udp"), QStringLiteral("--echo"),
                       QStringLiteral("--pskpasswd"), keys.fileName(), QStringLiteral("--priority"),
                       QStringLiteral("NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK:+ECDHE-PSK"),
                       QStringLiteral("--port"), QString::number(m_address.port())}}),
        "gnutls-serv is missing: install gnutls-bin");
    QByteArray output;
    QVERIFY(waitUntil(
        [&] {
            output += m_server.readAllStandardError();
            return output.contains("done");
        },
        QDeadlineTimer(patience)));
}

void tst_SupportProcesses::aClientExchangesLines_data()
{
    QTest::addColumn<ClientProcess::Kind>("kind");
    QTest::newRow("openssl s_client") << ClientProcess::Kind::OpenSsl;
    QTest::newRow("gnutls-cli") << ClientProcess::Kind::GnuTls;
    QTest::newRow("Mbed TLS") << ClientProcess::Kind::MbedTls;
    QTest::newRow("wolfSSL") << ClientProcess::Kind::WolfSsl;
}

ClientProcess::Options tst_SupportProcesses::clientOptions(ClientProcess::Kind kind) const
{
    ClientProcess::Options options;
    options.kind = kind;
    options.server = m_address;
    options.identity = QStringLiteral("device");
    options.key = m_key;
    return options;
}

void tst_SupportProcesses::aClientExchangesLines()
{
    QFETCH(const ClientProcess::Kind, kind);
    if (!ClientProcess::isAvailable(kind))
        QSKIP("not installed, or the build found no library for it");
    ClientProcess client(clientOptions(kind));
    QVERIFY2(client.connectToServer(), qPrintable(client.errorText()));
    QVERIFY2(client.cipher().contains(QStringLiteral("PSK")), qPrintable(client.cipher()));
    for (const QByteArray line : {"one", "two words", "three"})
        QCOMPARE(client.exchange(line).value_or("no reply"), line + '\n');
    QCOMPARE(client.close().value_or(-1), 0);
}

void tst_SupportProcesses::aClientWithAWrongKeyDoesNotConnect()
{
    QFETCH(const ClientProcess::Kind, kind);
    if (!ClientProcess::isAvailable(kind))
        QSKIP("not installed, or the build found no library for it");
    ClientProcess::Options options = clientOptions(kind);
    options.key[0] = 'x';
    ClientProcess client(options);
    QVERIFY(!client.connectToServer(QDeadlineTimer(500)));
}

void tst_SupportProcesses::aLineThatOpenSslTakesAsACommandIsRefused()
{
    ClientProcess client(clientOptions(ClientProcess::Kind::OpenSsl));
    QVERIFY2(client.connectToServer(), qPrintable(client.errorText()));
    QVERIFY(!client.send("Quiet"));
    QVERIFY(!client.send("Renew"));
    QCOMPARE(client.exchange("quiet").value_or("no reply"), QByteArray("quiet\n"));
}

void tst_SupportProcesses::fakeDaemon(const QByteArray &script)
{
    QFile file(m_directory.filePath(QStringLiteral("dtlsd")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("#!/bin/sh\n" + script);
    file.close();
    QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::ExeOwner | QFile::WriteOwner));
    qputenv("DTLSD_BINARY", file.fileName().toLocal8Bit());
}

void tst_SupportProcesses::aDaemonsEventsComeFromItsOutput()
{
    fakeDaemon(R"(
trap 'exit 3' TERM
echo "$* $EXTRA" >&2
cat "$2" >&2
echo '{"event":"started","local_address":"127.0.0.1:40001, [::1]:40002"}'
echo 'no JSON'
printf '{"event":"datagram-received",'
printf '"sequence":7}\n'
while :; do sleep 0.01; done
)");
    DaemonProcess daemon("[server]\n");
    daemon.addArguments({QStringLiteral("--further")});
    daemon.setEnvironment(QStringLiteral("EXTRA"), QStringLiteral("value"));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QCOMPARE(daemon.ports(), (QList<std::uint16_t>{40001, 40002}));
    const auto seventh =
        daemon.waitForEvent(QStringLiteral("datagram-received"), [](const QJsonObject &event) {
            return DaemonProcess::number(event[u"sequence"]) == 7;
        });
    QVERIFY(seventh);
    QCOMPARE(daemon.events(QStringLiteral("datagram-received")).size(), 1);
    QCOMPARE(daemon.strayLines(), QList<QByteArray>{"no JSON"});
    QCOMPARE(daemon.stop().value_or(-1), 3);
    QVERIFY(daemon.errorText().contains(QStringLiteral("--log-target json --further value")));
    QVERIFY(daemon.errorText().contains(QStringLiteral("[server]")));
    QCOMPARE(QFile::permissions(daemon.configFile()) & QFile::Permissions(0x77),
             QFile::Permissions());
}

void tst_SupportProcesses::aDaemonsEventsComeFromTheJournal()
{
    QString why;
    if (!JournalInstance::isAvailable(&why))
        QSKIP(qPrintable(why));
    JournalInstance journal;
    QVERIFY2(journal.start(), qPrintable(journal.errorText()));
    // exec keeps the process id, by which DaemonProcess knows its own entries.
    fakeDaemon(R"(
echo "$*" >&2
printf 'MESSAGE=m\nDTLSD_EVENT=started\nDTLSD_COUNT=5\nDTLSD_LOCAL_ADDRESS=127.0.0.1:40001\n' |
    logger --journald
printf 'MESSAGE=m\nDTLSD_EVENT=started\nDTLSD_COUNT=6\nDTLSD_LOCAL_ADDRESS=127.0.0.1:40003\n' \
    > "$0.entry"
exec logger --journald="$0.entry"
)");
    DaemonProcess daemon("", &journal);
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QCOMPARE(daemon.ports(), QList<std::uint16_t>{40003});
    QCOMPARE(DaemonProcess::number(daemon.events(QStringLiteral("started"))[0][u"count"]), 6);
    QCOMPARE(daemon.waitForExit().value_or(-1), 0);
    QVERIFY(daemon.errorText().contains(QStringLiteral("--log-target journal")));
}

void tst_SupportProcesses::aDaemonThatEndsEarlyIsNoticed()
{
    fakeDaemon("echo 'dtlsd.ini:1: wrong' >&2; exit 78");
    DaemonProcess daemon("nonsense");
    QVERIFY(!daemon.start());
    QCOMPARE(daemon.waitForExit().value_or(-1), 78);
    QCOMPARE(daemon.errorText(), QStringLiteral("dtlsd.ini:1: wrong\n"));
}

void tst_SupportProcesses::aDaemonThatIgnoresSigtermHasNoExitStatus()
{
    fakeDaemon("trap '' TERM; echo '{\"event\":\"started\"}'; while :; do sleep 0.01; done");
    DaemonProcess daemon("");
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QVERIFY(!daemon.stop(QDeadlineTimer(50)));
}

void tst_SupportProcesses::theEndOfTheObjectIsTheEndOfTheProcess()
{
    fakeDaemon("trap '' TERM; echo '{\"event\":\"started\"}'; while :; do sleep 0.01; done");
    pid_t id = 0;
    {
        DaemonProcess daemon("");
        QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
        id = static_cast<pid_t>(daemon.process().processId());
        QCOMPARE(::kill(id, 0), 0);
    }
    QCOMPARE(::kill(id, 0), -1);
}

QTEST_GUILESS_MAIN(tst_SupportProcesses)
#include "tst_support_processes.moc"
