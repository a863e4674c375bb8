// SPDX-License-Identifier: Apache-2.0
//
// A reload of the running daemon: all of a new configuration, or nothing, and what devices notice
// of it.
#include "support/DaemonLog.h"
#include "support/DaemonProcess.h"
#include "support/FreePort.h"
#include "support/HonestFleet.h"
#include "support/JsonFields.h"
#include "support/NotifySocket.h"
#include "support/ProcessUsage.h"
#include "support/TestProgram.h"

#include <QRegularExpression>
#include <QSignalSpy>
#include <QUdpSocket>

#include <signal.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

const QByteArray keyA(16, 'A');
const QByteArray keyB(16, 'B');

const QByteArray deviceA = "[identity dev]\nkey = text:AAAAAAAAAAAAAAAA\n";
const QByteArray deviceB = "[identity dev]\nkey = text:BBBBBBBBBBBBBBBB\n";

QByteArray ini(const QByteArray &rest, const QByteArray &listen = "127.0.0.1:0")
{
    return "[server]\nlisten = " + listen + "\nworkers = 2\nreply = echo\n[psk]\nfile =\n" + rest;
}

/// With a service manager that stores nothing.
QByteArray keepingNothing(QByteArray config)
{
    return config.replace("workers = 2", "workers = 2\nkeep_sessions = no");
}

DtlsClient::Options dev(const QByteArray &key, std::chrono::milliseconds timeout = 10s)
{
    return {.identity = "dev", .key = PskKey(key), .ciphers = {}, .handshakeTimeout = timeout};
}

/// Connects @p client; while keys are rotated, the first handshake may have been with the other.
bool connects(DtlsClient &client, const SocketAddress &server)
{
    QSignalSpy connected(&client, &DtlsClient::connected);
    QSignalSpy failed(&client, &DtlsClient::failed);
    return client.connectTo(server) &&
           waitUntil([&] { return !connected.isEmpty() || !failed.isEmpty(); },
                     QDeadlineTimer(patience)) &&
           !connected.isEmpty();
}

/// Whether the daemon echoes a message on @p client.
bool answers(DtlsClient &client)
{
    QSignalSpy received(&client, &DtlsClient::received);
    return client.send("hello") &&
           waitUntil([&] { return !received.isEmpty(); }, QDeadlineTimer(patience));
}

} // namespace

class TestReload : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aGoodOneSaysWhatHasChanged();
    void aBadOneChangesNothing_data();
    void aBadOneChangesNothing();
    void anAddressThatIsTakenRejectsAllOfIt();
    void theServiceManagerIsTold();
    void whatNeedsARestartIsWarnedAbout();
    void logOptionsHoldAtOnce();
    void aKeyIsRotatedUnderTraffic();
    void aRevokedDeviceHearsGoodbye();
    void addressesComeAndGoBesideOthers();
    void manySignalsAreHandledAndTheLastOneEndsIt();
    void aHundredUnderTrafficLoseNothing();

private:
    /// Writes @p config, sends SIGHUP and waits for the next @p outcome.
    static std::optional<QJsonObject> reload(DaemonProcess &daemon, const QByteArray &config,
                                             const char *outcome = "reloaded");
};

std::optional<QJsonObject> TestReload::reload(DaemonProcess &daemon, const QByteArray &config,
                                              const char *outcome)
{
    const QString name = QLatin1String(outcome);
    const qsizetype before = daemon.events(name).size();
    daemon.setConfig(config);
    daemon.process().sendSignal(SIGHUP);
    if (!waitUntil([&] { return daemon.events(name).size() > before; }, QDeadlineTimer(patience)))
        return std::nullopt;
    return daemon.events(name).constLast();
}

void TestReload::aGoodOneSaysWhatHasChanged()
{
    DaemonProcess daemon(ini(deviceA));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const auto same = reload(daemon, ini(deviceA));
    QVERIFY(same);
    QCOMPARE(text(*same, "message"), QStringLiteral("configuration reloaded: nothing changed"));
    QCOMPARE(text(*same, "level"), QStringLiteral("notice"));
    QCOMPARE(text(*same, "config_file"), daemon.configFile());
    QCOMPARE(DaemonProcess::number(same->value(QStringLiteral("count"))), 0);

    DtlsClient client(dev(keyA));
    QVERIFY(connects(client, daemon.addresses().constFirst()));
    const auto changed = reload(daemon, ini("[limits]\nidle_timeout = 1min\n" + deviceB +
                                            "[identity e]\nkey = text:EEEEEEEEEEEEEEEE\n" +
                                            "[identity *]\nkey = text:WWWWWWWWWWWWWWWW\n"));
    QVERIFY(changed);
    QCOMPARE(text(*changed, "message"),
             QStringLiteral("configuration reloaded: 2 identities added (*, e), 1 changed (dev); "
                            "[limits] idle_timeout changed; 1 session revoked"));
    QCOMPARE(DaemonProcess::number(changed->value(QStringLiteral("count"))), 1);
    const auto warned = daemon.waitForEvent(QStringLiteral("configuration-warning"));
    QVERIFY(warned); // about the wildcard, as at start
    QCOMPARE(DaemonProcess::number(warned->value(QStringLiteral("config_line"))), 13);
    QCOMPARE(daemon.stop(), 0);
}

void TestReload::aBadOneChangesNothing_data()
{
    QTest::addColumn<QByteArray>("config");
    QTest::addColumn<int>("line");
    QTest::addColumn<QString>("problem");
    QTest::newRow("an unknown key, and two further errors")
        << QByteArray("[limits]\nmax_sesions = 5\n[tls]\nmtu = 1\n[identity dev]\nkey = hex:no\n")
        << 2
        << QStringLiteral(":2: [limits] max_sesions: is unknown (did you mean max_sessions?); "
                          "max_sessions, *2 further errors, see dtlsd --check");
    QTest::newRow("a bad key alone") << ini("[identity dev]\nkey = text:short\n") << 8
                                     << QStringLiteral(":8: [identity dev] key: *");
    QTest::newRow("an interface that is not there")
        << ini(deviceA, "127.0.0.1:0, [fe80::1%nosuch0]:0") << 2
        << QStringLiteral(":2: [server] listen: \"[fe80::1%nosuch0]:0\" names an interface that*");
    QTest::newRow("nothing at all") << QByteArray() << 0 << QStringLiteral("*");
}

void TestReload::aBadOneChangesNothing()
{
    QFETCH(QByteArray, config);
    QFETCH(int, line);
    QFETCH(QString, problem);
    DaemonProcess daemon(ini(deviceA));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    DtlsClient client(dev(keyA));
    QVERIFY(connects(client, daemon.addresses().constFirst()));

    const auto rejected = reload(daemon, config, "reload-rejected");
    QVERIFY(rejected);
    QCOMPARE(text(*rejected, "level"), QStringLiteral("error"));
    QCOMPARE(text(*rejected, "config_file"), daemon.configFile());
    QCOMPARE(DaemonProcess::number(rejected->value(QStringLiteral("config_line"))), line);
    const QString expected =
        QRegularExpression::escape(QStringLiteral("configuration not reloaded: ") +
                                   daemon.configFile() + problem)
            .replace(QStringLiteral("\\*"), QStringLiteral(".*"));
    const QString message = text(*rejected, "message");
    QVERIFY2(QRegularExpression(expected).match(message).hasMatch(), qPrintable(message));
    const QString further = QStringLiteral("further error");
    QCOMPARE(message.contains(further), problem.contains(further));
    QVERIFY(!message.contains(QStringLiteral("short")));

    QVERIFY(answers(client));
    DtlsClient another(dev(keyA));
    QVERIFY(connects(another, daemon.addresses().constFirst()));
    QCOMPARE(daemon.events(QStringLiteral("reload-rejected")).size(), 1);
    QVERIFY(daemon.events(QStringLiteral("session-closed")).isEmpty());
    QVERIFY(reload(daemon, ini(deviceA))); // and the next good one is taken
    QCOMPARE(daemon.stop(), 0);
}

void TestReload::anAddressThatIsTakenRejectsAllOfIt()
{
    QUdpSocket taken;
    QVERIFY(taken.bind(QHostAddress(QHostAddress::LocalHost), 0, QUdpSocket::DontShareAddress));
    const QByteArray address = "127.0.0.1:" + QByteArray::number(taken.localPort());
    DaemonProcess daemon(ini(deviceA));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    DtlsClient client(dev(keyA));
    QVERIFY(connects(client, daemon.addresses().constFirst()));
    const ProcessUsage usage(daemon.process().processId());
    const qsizetype descriptors = usage.descriptors();

    // One that could be bound before it, and a key that would revoke the session.
    const auto rejected =
        reload(daemon, ini(deviceB, "127.0.0.1:0, [::1]:0, " + address), "reload-rejected");
    QVERIFY(rejected);
    QCOMPARE(text(*rejected, "message"),
             QStringLiteral("configuration not reloaded: %1: [server] listen: cannot listen on "
                            "%2: Address already in use; ss -lunp shows who has it")
                 .arg(daemon.configFile(), QString::fromLatin1(address)));
    QVERIFY(answers(client));
    QCOMPARE(usage.descriptors(), descriptors);
    taken.close();
    QVERIFY(reload(daemon, ini(deviceA, "127.0.0.1:0, [::1]:0, " + address)));
    QVERIFY(answers(client));
    QCOMPARE(daemon.stop(), 0);
}

void TestReload::theServiceManagerIsTold()
{
    const NotifySocket socket;
    QVERIFY(socket.ok());
    DaemonProcess daemon(keepingNothing(ini(deviceA)));
    daemon.setEnvironment(QStringLiteral("NOTIFY_SOCKET"), QString::fromLocal8Bit(socket.path()));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const auto toldUntilReady = [&] {
        QByteArrayList told;
        waitUntil(
            [&] {
                for (QByteArray message; !(message = socket.next()).isNull();)
                    told += message;
                return told.contains("READY=1");
            },
            QDeadlineTimer(patience));
        return told;
    };
    const QByteArray status = "STATUS=Listening on " +
                              daemon.addresses().constFirst().toString().toUtf8() + "; 0 sessions";
    QCOMPARE(toldUntilReady(), (QByteArrayList{status, "READY=1"}));

    QVERIFY(reload(daemon, "nonsense", "reload-rejected"));
    QByteArrayList told = toldUntilReady();
    QCOMPARE(told.size(), 3);
    QVERIFY(told.takeFirst().startsWith("RELOADING=1\nMONOTONIC_USEC="));
    QCOMPARE(told, (QByteArrayList{status + "; the last reload was rejected", "READY=1"}));

    QVERIFY(reload(daemon, keepingNothing(ini(deviceA))));
    told = toldUntilReady();
    QCOMPARE(told.size(), 3);
    QVERIFY(told.takeFirst().startsWith("RELOADING=1\nMONOTONIC_USEC="));
    QCOMPARE(told, (QByteArrayList{status, "READY=1"}));
    QCOMPARE(daemon.stop(), 0);
}

void TestReload::whatNeedsARestartIsWarnedAbout()
{
    DaemonProcess daemon(ini(deviceA));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const qsizetype before = daemon.events(QStringLiteral("configuration-warning")).size();
    QByteArray config = ini("[log]\nqueue = 100\n" + deviceA);
    config.replace("workers = 2", "workers = 3");
    const auto reloaded = reload(daemon, config);
    QVERIFY(reloaded);
    QCOMPARE(text(*reloaded, "message"), QStringLiteral("configuration reloaded: nothing changed"));
    QStringList warnings;
    for (const QJsonObject &event : daemon.events(QStringLiteral("configuration-warning")))
        warnings += text(event, "message");
    QCOMPARE(warnings.mid(before),
             (QStringList{daemon.configFile() +
                              QStringLiteral(": [server] workers: takes effect after a restart"),
                          daemon.configFile() +
                              QStringLiteral(": [log] queue: takes effect after a restart")}));
    QCOMPARE(daemon.stop(), 0);
}

void TestReload::logOptionsHoldAtOnce()
{
    DaemonProcess daemon(ini(deviceA));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    DtlsClient client(dev(keyA));
    QVERIFY(connects(client, daemon.addresses().constFirst()));
    QVERIFY(answers(client));
    QVERIFY(reload(daemon, ini("[log]\npayload = hex\nciphertext = yes\n"
                               "statistics_interval = 1s\n" +
                               deviceA)));
    QVERIFY(answers(client));
    QVERIFY(daemon.waitForEvent(QStringLiteral("statistics")));
    const auto datagrams = daemon.events(QStringLiteral("datagram-received"));
    QCOMPARE(datagrams.size(), 2);
    QVERIFY(text(datagrams[0], "message").endsWith(QStringLiteral(": hello")));
    QVERIFY(!datagrams[0].contains(QStringLiteral("ciphertext")));
    QVERIFY(text(datagrams[1], "message").endsWith(QStringLiteral(": 68656c6c6f")));
    QVERIFY(datagrams[1].contains(QStringLiteral("ciphertext")));

    // Echo needs no entry. `reloaded` itself is too quiet for this level.
    daemon.setConfig(ini("[log]\nlevel = error\n" + deviceA));
    daemon.process().sendSignal(SIGHUP);
    QVERIFY(waitUntil(
        [&] {
            const qsizetype before = daemon.events(QStringLiteral("datagram-received")).size();
            return answers(client) &&
                   daemon.events(QStringLiteral("datagram-received")).size() == before;
        },
        QDeadlineTimer(patience)));
    QCOMPARE(daemon.stop(), 0);
}

void TestReload::aKeyIsRotatedUnderTraffic()
{
    DaemonProcess daemon(ini(deviceA));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const SocketAddress server = daemon.addresses().constFirst();
    HonestFleet old(5, dev(keyA));
    QVERIFY(old.start(server));

    QVERIFY(reload(daemon, ini(deviceA + "next_key = text:BBBBBBBBBBBBBBBB\n")));
    bool isIn = false; // each time from a new port, so which key it is tried with is drawn
    for (int attempt = 0; attempt < 30 && !isIn; ++attempt) {
        DtlsClient first(dev(keyB, 2s));
        isIn = connects(first, server);
    }
    QVERIFY(isIn);
    HonestFleet renewed(5, dev(keyB));
    QVERIFY(renewed.start(server));
    QVERIFY(old.goRound());
    QCOMPARE(old.failures(), 0);

    const auto moved = reload(daemon, ini(deviceB));
    QVERIFY(moved);
    QCOMPARE(DaemonProcess::number(moved->value(QStringLiteral("count"))), 5);
    QVERIFY(waitUntil([&] { return old.failures() == 5; }, QDeadlineTimer(patience)));
    QVERIFY(renewed.goRound());
    QVERIFY(renewed.settle());
    QCOMPARE(renewed.failures(), 0);
    QCOMPARE(renewed.answered(), renewed.asked());
    DtlsClient outdated(dev(keyA, 1s));
    QVERIFY(!connects(outdated, server));
    QCOMPARE(daemon.stop(), 0);
}

void TestReload::aRevokedDeviceHearsGoodbye()
{
    const QByteArray other = "[identity other]\nkey = text:EEEEEEEEEEEEEEEE\n";
    DaemonProcess daemon(ini(deviceA + other));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const SocketAddress server = daemon.addresses().constFirst();
    DtlsClient goes(dev(keyA));
    DtlsClient stays({.identity = "other", .key = PskKey(QByteArray(16, 'E')), .ciphers = {}});
    QVERIFY(connects(goes, server));
    QVERIFY(connects(stays, server));
    QSignalSpy closed(&goes, &DtlsClient::closed);

    QVERIFY(reload(daemon, ini(other)));
    QVERIFY(waitUntil([&] { return !closed.isEmpty(); }, QDeadlineTimer(patience)));
    QVERIFY(answers(stays));
    const auto events = daemon.events(QStringLiteral("session-closed"));
    QCOMPARE(events.size(), 1);
    QCOMPARE(text(events[0], "reason"), QStringLiteral("revoked"));
    QCOMPARE(text(events[0], "identity"), QStringLiteral("dev"));
    QCOMPARE(daemon.stop(), 0);
}

void TestReload::addressesComeAndGoBesideOthers()
{
    DaemonProcess daemon(ini(deviceA, "127.0.0.1:0"));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const SocketAddress first = daemon.addresses().constFirst();
    const ProcessUsage usage(daemon.process().processId());
    const qsizetype descriptors = usage.descriptors();
    DtlsClient stays(dev(keyA));
    QVERIFY(connects(stays, first));

    const SocketAddress second(QHostAddress(QHostAddress::LocalHostIPv6), freePort());
    const QByteArray both = "127.0.0.1:0, " + second.toString().toUtf8();
    const auto added = reload(daemon, ini(deviceA, both));
    QVERIFY(added);
    QCOMPARE(text(*added, "message"),
             QStringLiteral("configuration reloaded: [server] listen changed"));
    DtlsClient goes(dev(keyA));
    QVERIFY(connects(goes, second));
    QSignalSpy closed(&goes, &DtlsClient::closed);
    QVERIFY(answers(stays));

    QVERIFY(reload(daemon, ini(deviceA, "127.0.0.1:0")));
    QVERIFY(waitUntil([&] { return !closed.isEmpty(); }, QDeadlineTimer(patience)));
    const auto events = daemon.events(QStringLiteral("session-closed"));
    QCOMPARE(events.size(), 1);
    QCOMPARE(text(events[0], "reason"), QStringLiteral("shutdown"));
    QVERIFY(answers(stays));
    QCOMPARE(usage.descriptors(), descriptors);
    DtlsClient tooLate(dev(keyA, 1s));
    QVERIFY(!connects(tooLate, second));
    QCOMPARE(daemon.stop(), 0);
}

void TestReload::manySignalsAreHandledAndTheLastOneEndsIt()
{
    DaemonProcess daemon(ini(deviceA));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    for (int i = 0; i < 50; ++i)
        daemon.process().sendSignal(SIGHUP);
    QCOMPARE(daemon.stop(), 0);
    const auto reloads = daemon.events(QStringLiteral("reloaded")).size();
    QVERIFY(reloads >= 1); // the kernel merges those not yet delivered
    QVERIFY(reloads <= 50);
    QCOMPARE(daemon.events(QStringLiteral("stopping")).size(), 1);
}

void TestReload::aHundredUnderTrafficLoseNothing()
{
    constexpr int devices = 20;
    const QByteArray one = ini(deviceA);
    const QByteArray other = ini("[tls]\nmtu = 1000\n[limits]\nidle_timeout = 5min\n"
                                 "handshakes_per_second = 1000\n"
                                 "[log]\npayload = hex\nciphertext = yes\nlevel = debug\n" +
                                     deviceA +
                                     "next_key = text:BBBBBBBBBBBBBBBB\n"
                                     "[identity e]\nkey = text:EEEEEEEEEEEEEEEE\n",
                                 "127.0.0.1:0, [::1]:0");
    DaemonProcess daemon(one);
    DaemonLog log(daemon);
    QVERIFY2(log.start(), qPrintable(daemon.errorText()));
    HonestFleet fleet(devices, dev(keyA));
    QVERIFY(fleet.start(log.address()));
    const ProcessUsage usage(daemon.process().processId());
    const qsizetype descriptors = usage.descriptors();

    const QString name = QStringLiteral("reloaded");
    for (int i = 1; i <= 100; ++i) {
        daemon.setConfig(i % 2 == 1 ? other : one);
        daemon.process().sendSignal(SIGHUP);
        QVERIFY(waitUntil([&] { return log.events(name).size() == i; }, QDeadlineTimer(patience)));
    }
    QVERIFY(fleet.goRound());
    QVERIFY(fleet.settle());
    QCOMPARE(fleet.failures(), 0);
    QCOMPARE(fleet.answered(), fleet.asked());
    QVERIFY(fleet.asked() > 2 * devices);
    QCOMPARE(usage.descriptors(), descriptors);
    for (const QByteArray &message : fleet.messages())
        QVERIFY2(log.payloads().contains(message), message.constData());
    QCOMPARE(log.events(QStringLiteral("session-opened")).size(), devices);
    QVERIFY(log.events(QStringLiteral("session-closed")).isEmpty());
    QVERIFY(log.events(QStringLiteral("reload-rejected")).isEmpty());
    qInfo("100 reloads, %d messages of %d devices with receipts, the longest wait %lld ms",
          fleet.answered(), devices, static_cast<long long>(fleet.longestWait()));
    QCOMPARE(daemon.stop(), 0);
    QCOMPARE(log.events(QStringLiteral("session-closed")).size(), devices);
    QVERIFY(log.events(QStringLiteral("entries-dropped")).isEmpty());
    QVERIFY(log.strayLines().isEmpty());
}

DTLSD_TEST(TestReload)
#include "tst_reload.moc"
