// SPDX-License-Identifier: Apache-2.0
//
// dtlsd as a service of a real systemd, from its Debian package, while devices talk to it: what its
// administrator changes, what fails, and that it comes back.
#include "Administrator.h"
#include "Machine.h"
#include "Traffic.h"

#include "support/StoppedThread.h"

#include <QTest>

#include <csignal>

using namespace dtlsd::test;

namespace {

const QByteArray oldKey = "00112233445566778899aabbccddeeff";
const QByteArray newKey = "ffeeddccbbaa99887766554433221100";
const QByteArray otherKey = "0123456789abcdef0123456789abcdef";

QByteArray identity(const QByteArray &name, const QByteArray &key, const QByteArray &nextKey = {})
{
    QByteArray section = "[identity " + name + "]\nkey = hex:" + key + '\n';
    if (!nextKey.isEmpty())
        section += "next_key = hex:" + nextKey + '\n';
    return section;
}

QByteArray configuration(const QByteArray &identities = identity("sensor-17", oldKey))
{
    return "[server]\nlisten = 127.0.0.1:22334\nworkers = 2\nreply = echo\n[psk]\nfile =\n" +
           identities;
}

/// One session with one message. It is given up after @p timeout.
QString tryOnce(const QByteArray &name, const QByteArray &key, const char *timeout = "1s")
{
    return QStringLiteral("KEY=%1 dtls-send --psk-env KEY --psk-identity %2 --timeout %3 "
                          "127.0.0.1:22334 hello")
        .arg(QString::fromUtf8(key), QString::fromUtf8(name), QLatin1String(timeout));
}

/// The same, which has to succeed.
QString sendOnce(const QByteArray &name, const QByteArray &key)
{
    return tryOnce(name, key, "10s");
}

/// As above. With two keys for an identity it is drawn which one a new port is tried with.
QString sendUntilHeard(const QByteArray &name, const QByteArray &key)
{
    return QStringLiteral("for try in $(seq 30); do (%1) && exit 0; done; exit 1")
        .arg(tryOnce(name, key));
}

constexpr int neverLost = 0;       // what a device thinks of its session
constexpr int handshakeFailed = 2; // dtls-send's

} // namespace

class TestService : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup() { m_administrator.explainFailure(); }
    void aReloadAddsADeviceAndDisturbsNone();
    void aReloadThatIsWrongFailsVisiblyAndChangesNothing();
    void aDeviceWhoseKeyChangesMissesNoReceipt();
    void aRevokedDeviceIsShutOutAtOnce();
    void aWorkerThatHangsIsNoticedAndTheServiceStartedAgain();
    void afterAKillItIsBackAndSoAreItsDevices();
    void whatAnotherStartCannotMendIsNotStartedAgain_data();
    void whatAnotherStartCannotMendIsNotStartedAgain();
    void restartsOfJournaldCostNoAcknowledgedDatagram();

private:
    [[nodiscard]] QString property(const char *name) const
    {
        return m_administrator.property(QLatin1String(name));
    }
    [[nodiscard]] Machine::Outcome reload()
    {
        return m_administrator.systemctl(QStringLiteral("reload dtlsd"));
    }

    Machine m_machine;
    Administrator m_administrator{m_machine};
};

void TestService::initTestCase()
{
    if (!m_machine.prepare())
        QSKIP(qPrintable(m_machine.errorText()));
    const auto packages = Administrator::buildPackages();
    VERIFY_GOOD(packages);
    QVERIFY2(m_machine.boot(), qPrintable(m_machine.errorText()));
    VERIFY_GOOD(m_administrator.install(QString::fromUtf8(packages.said).section(u'\n', 0, 0)));
}

void TestService::init()
{
    VERIFY_GOOD(m_administrator.configure(configuration()));
    VERIFY_GOOD(m_administrator.startAfresh());
}

void TestService::aReloadAddsADeviceAndDisturbsNone()
{
    Traffic traffic(Administrator::server(), "sensor-17", oldKey, 4, neverLost);
    QVERIFY(traffic.flows());
    const int handshakes = traffic.handshakes();
    VERIFY_GOOD(m_administrator.configure(
        configuration(identity("sensor-17", oldKey) + identity("meter-4", otherKey))));
    VERIFY_GOOD(reload());
    VERIFY_GOOD(m_machine.run(sendOnce("meter-4", otherKey)));
    QVERIFY(traffic.flows());
    QCOMPARE(traffic.handshakes(), handshakes);
}

void TestService::aReloadThatIsWrongFailsVisiblyAndChangesNothing()
{
    Traffic traffic(Administrator::server(), "sensor-17", oldKey, 4, neverLost);
    QVERIFY(traffic.flows());
    const int handshakes = traffic.handshakes();
    const pid_t process = m_administrator.process();
    const QByteArray wrong = configuration(identity("meter-4", otherKey)) + "nonsense\n";
    VERIFY_GOOD(m_administrator.configure(wrong));

    const Machine::Outcome outcome = reload();
    QVERIFY2(outcome.status > 0, outcome.description());
    const QString place = QStringLiteral("dtlsd.ini:%1:").arg(wrong.count('\n'));
    VERIFY_GOOD(m_machine.run(
        QStringLiteral("journalctl --sync; journalctl --unit=dtlsd DTLSD_EVENT=reload-rejected | "
                       "grep --fixed-strings ") +
        place));
    VERIFY_GOOD(m_machine.run(
        QStringLiteral("systemctl status dtlsd | grep 'Status: .*the last reload was rejected'")));
    QVERIFY(traffic.flows());
    QCOMPARE(traffic.handshakes(), handshakes);
    QCOMPARE(m_administrator.process(), process);
    VERIFY_GOOD(m_machine.run(sendOnce("sensor-17", oldKey)));
    QCOMPARE(m_machine.run(tryOnce("meter-4", otherKey)).status, handshakeFailed);
}

void TestService::aDeviceWhoseKeyChangesMissesNoReceipt()
{
    Traffic early(Administrator::server(), "sensor-17", oldKey); // gets its key before the server
    Traffic late(Administrator::server(), "meter-4", oldKey);    // and that one last of all
    VERIFY_GOOD(m_administrator.configure(configuration(identity("sensor-17", oldKey, newKey) +
                                                        identity("meter-4", oldKey, newKey))));
    VERIFY_GOOD(reload());
    QVERIFY(early.flows());
    QVERIFY(late.flows());
    early.setKey(newKey);
    VERIFY_GOOD(m_machine.run(sendUntilHeard("sensor-17", newKey)));
    VERIFY_GOOD(m_machine.run(sendUntilHeard("sensor-17", oldKey))); // as long as both are there

    late.setKey(newKey);
    VERIFY_GOOD(m_administrator.configure(
        configuration(identity("sensor-17", newKey) + identity("meter-4", newKey))));
    VERIFY_GOOD(reload()); // sessions of the old key end; the devices begin anew with the new one
    QVERIFY(early.flows());
    QVERIFY(late.flows());
    QCOMPARE(m_machine.run(tryOnce("sensor-17", oldKey)).status, handshakeFailed);
    early.stop();
    late.stop();
    const QList<QByteArray> payloads = m_administrator.payloads();
    QCOMPARE(early.missingIn(payloads), 0);
    QCOMPARE(late.missingIn(payloads), 0);
}

void TestService::aRevokedDeviceIsShutOutAtOnce()
{
    const QByteArray both = identity("sensor-17", oldKey) + identity("stolen", otherKey);
    VERIFY_GOOD(m_administrator.configure(configuration(both)));
    VERIFY_GOOD(reload());
    Traffic honest(Administrator::server(), "sensor-17", oldKey, 1, neverLost);
    Traffic stolen(Administrator::server(), "stolen", otherKey, 1);
    QVERIFY(honest.flows());
    QVERIFY(stolen.flows());
    const int handshakes = honest.handshakes();

    VERIFY_GOOD(m_administrator.configure(configuration()));
    VERIFY_GOOD(reload());
    const QJsonObject closed = m_administrator.waitForEntry(
        {QStringLiteral("DTLSD_EVENT=session-closed"), QStringLiteral("DTLSD_REASON=revoked"),
         QStringLiteral("DTLSD_IDENTITY=stolen")});
    QVERIFY(!closed.isEmpty());
    const qsizetype until = stolen.acknowledged().size();
    QVERIFY(honest.flows());
    QCOMPARE(honest.handshakes(), handshakes);
    QCOMPARE(m_machine.run(tryOnce("stolen", otherKey)).status, handshakeFailed);
    QCOMPARE(stolen.acknowledged().size(), until);
}

void TestService::aWorkerThatHangsIsNoticedAndTheServiceStartedAgain()
{
    VERIFY_GOOD(
        m_administrator.addDropIn(QStringLiteral("watchdog.conf"), "[Service]\nWatchdogSec=2s\n"));
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("restart dtlsd")));
    Traffic traffic(Administrator::server(), "sensor-17", oldKey);
    QVERIFY(traffic.flows());
    const pid_t before = m_administrator.process();

    StoppedThread worker(before, "worker-0");
    QVERIFY(worker.isStopped());
    QVERIFY(waitUntil([&worker] { return worker.hasEnded(); }, QDeadlineTimer(patience)));
    QVERIFY(m_administrator.waitForRestart(before));
    const QJsonObject noticed = m_administrator.waitForEntry(
        {QStringLiteral("_PID=1"), QStringLiteral("UNIT=dtlsd.service"),
         QStringLiteral("UNIT_RESULT=watchdog")});
    QVERIFY(!noticed.isEmpty());
    QVERIFY(traffic.flows());
}

void TestService::afterAKillItIsBackAndSoAreItsDevices()
{
    Traffic traffic(Administrator::server(), "sensor-17", oldKey);
    QVERIFY(traffic.flows());
    const pid_t before = m_administrator.process();
    QVERIFY(Administrator::sendSignal(before, SIGKILL));
    QVERIFY(m_administrator.waitForRestart(before));
    QVERIFY(traffic.flows());
    QCOMPARE(property("NRestarts"), QStringLiteral("1"));
    traffic.stop();
    QCOMPARE(traffic.missingIn(m_administrator.payloads()), 0);
}

void TestService::whatAnotherStartCannotMendIsNotStartedAgain_data()
{
    QTest::addColumn<QByteArray>("command");
    QTest::addColumn<QString>("status");
    QTest::newRow("wrong usage") << QByteArray("/usr/sbin/dtlsd --nonsense")
                                 << QStringLiteral("64");
    QTest::newRow("a configuration that is wrong")
        << QByteArray("/usr/sbin/dtlsd --config /etc/hostname") << QStringLiteral("78");
}

void TestService::whatAnotherStartCannotMendIsNotStartedAgain()
{
    QFETCH(QByteArray, command);
    QFETCH(QString, status);
    VERIFY_GOOD(m_administrator.addDropIn(QStringLiteral("wrong.conf"),
                                          "[Service]\nExecStart=\nExecStart=" + command + '\n'));
    const auto outcome = m_administrator.systemctl(QStringLiteral("restart dtlsd"));
    QVERIFY2(outcome.status > 0, outcome.description());
    QCOMPARE(property("ExecMainStatus"), status);
    QCOMPARE(property("ActiveState"), QStringLiteral("failed"));
    QCOMPARE(property("NRestarts"), QStringLiteral("0"));
}

void TestService::restartsOfJournaldCostNoAcknowledgedDatagram()
{
    Traffic traffic(Administrator::server(), "sensor-17", oldKey);
    QVERIFY(traffic.flows());
    for (int i = 0; i < 2; ++i) { // journald itself may be started five times in ten seconds
        VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("restart systemd-journald")));
        QVERIFY(traffic.flows());
        VERIFY_GOOD(
            m_administrator.systemctl(QStringLiteral("kill --signal=KILL systemd-journald")));
        QVERIFY(traffic.flows());
    }
    QCOMPARE(property("NRestarts"), QStringLiteral("0"));
    traffic.stop();
    QCOMPARE(traffic.missingIn(m_administrator.payloads()), 0);
}

QTEST_GUILESS_MAIN(TestService)

#include "tst_service.moc"
