// SPDX-License-Identifier: Apache-2.0
//
// What dtlsd's devices notice when its process ends on a machine with a real systemd: nothing, as
// long as another one follows; a goodbye if none will.
#include "Administrator.h"
#include "Machine.h"
#include "TalkingFleet.h"

#include "core/Descriptor.h"

#include <QDir>
#include <QFile>
#include <QTest>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

constexpr int fleetSize = 200;
// Two workers at one address have two stores and two sockets.
constexpr int descriptors = 4;

QByteArray configuration()
{
    return "[server]\nlisten = 127.0.0.1:22334\nworkers = 2\nreply = echo\n[tls]\nciphers = iot\n"
           "[psk]\nfile =\n" +
           TalkingFleet::identities(fleetSize);
}

const QString sendOnce = QStringLiteral(
    "KEY=00112233445566778899aabbccddeeff dtls-send --psk-env KEY --psk-identity without-id-1 "
    "127.0.0.1:22334 hello");

/// A command that sends a signal to the service's process, without a job of systemd.
QString killBy(const char *signal)
{
    return QStringLiteral("kill -%1 $(systemctl show --value --property=MainPID dtlsd)")
        .arg(QLatin1String(signal));
}

QString message(const QJsonObject &entry)
{
    return entry[QStringLiteral("MESSAGE")].toString();
}

} // namespace

/// Nothing in a list of complaints.
#define VERIFY_NONE(complaints)                                                                    \
    do {                                                                                           \
        const QStringList found = (complaints);                                                    \
        QVERIFY2(found.isEmpty(), qPrintable(found.mid(0, 20).join(u'\n')));                       \
    } while (false)

class TestKeptSessions : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void noDeviceNoticesHowAProcessEnds_data();
    void noDeviceNoticesHowAProcessEnds();
    void tenKillsInARowReachNoLimit();
    void dtlsctlRestartsIt();
    void noDeviceOfASocketUnitNotices_data();
    void noDeviceOfASocketUnitNotices();
    void aStopSaysGoodbye();
    void aSignalWithoutAJobSaysGoodbye();
    void aStoreThatIsOneTooSmallIsNotUsed();
    void aStoreThatCannotBeTakenOverCostsOneStart_data();
    void aStoreThatCannotBeTakenOverCostsOneStart();
    void withoutABusARestartSaysGoodbye();
    void withoutABusDtlsctlRestartsIt();
    void aDowngradeLeavesNothingBehind();
    void aPurgeLeavesNothingBehind();

private:
    [[nodiscard]] QString property(const char *name) const
    {
        return m_administrator.property(QLatin1String(name));
    }
    /// There is time for dpkg.
    Machine::Outcome run(const QString &script)
    {
        return m_machine.run(script, QDeadlineTimer(std::chrono::minutes(1)));
    }
    /// Of this scene.
    [[nodiscard]] Administrator::Entries entries(const char *event) const;
    /// What `started` said last in that field.
    [[nodiscard]] QString started(const char *field) const;
    /// What is not as it should be after another process has taken over all sessions of @p fleet.
    [[nodiscard]] QStringList complaints(TalkingFleet &fleet);
    /// What is left of sessions and sockets when no process needs them.
    [[nodiscard]] QStringList remains() const;
    /// Descriptors of the stores that systemd holds.
    [[nodiscard]] std::vector<Descriptor> openStores() const;
    void report(const TalkingFleet &fleet) const;

    Machine m_machine;
    Administrator m_administrator{m_machine};
    QString m_sceneBegan; // for journalctl
};

void TestKeptSessions::initTestCase()
{
    if (!m_machine.prepare())
        QSKIP(qPrintable(m_machine.errorText()));
    const auto packages = Administrator::buildPackages();
    VERIFY_GOOD(packages);
    QVERIFY2(m_machine.boot(), qPrintable(m_machine.errorText()));
    const QStringList paths = QString::fromUtf8(packages.said).split(u'\n');
    VERIFY_GOOD(m_administrator.install(paths[0]));
    QVERIFY(QFile::copy(paths[0], m_machine.outsidePath(QStringLiteral("/tmp/this.deb"))));
    QVERIFY(QFile::copy(paths[1], m_machine.outsidePath(QStringLiteral("/tmp/next.deb"))));
    VERIFY_GOOD(m_administrator.configure(configuration()));
}

void TestKeptSessions::init()
{
    VERIFY_GOOD(m_administrator.startAfresh());
    m_sceneBegan = m_administrator.fromNowOn();
}

void TestKeptSessions::cleanup()
{
    m_administrator.explainFailure();
    run(QStringLiteral("systemctl start dbus.socket dbus.service"));
}

Administrator::Entries TestKeptSessions::entries(const char *event) const
{
    return m_administrator.entries(
        {m_sceneBegan,
         QStringLiteral("--output-fields=MESSAGE,DTLSD_IDENTITY,DTLSD_SESSION,DTLSD_SEQUENCE,"
                        "DTLSD_PAYLOAD,DTLSD_REASON,DTLSD_KEPT_SESSIONS,DTLSD_TAKEN_OVER"),
         QStringLiteral("DTLSD_EVENT=") + QLatin1String(event)});
}

QString TestKeptSessions::started(const char *field) const
{
    const auto found = entries("started");
    return found.isEmpty() ? QStringLiteral("nothing")
                           : found.constLast()[QLatin1String(field)].toString();
}

QStringList TestKeptSessions::complaints(TalkingFleet &fleet)
{
    QStringList found;
    if (!fleet.goRound() || !fleet.settle())
        found << QString::fromUtf8(fleet.trouble());
    found += fleet.breaches(entries("datagram-received"));
    for (const char *never : {"session-closed", "sessions-lost", "handshake-failed"}) {
        for (const QJsonObject &entry : entries(never))
            found << message(entry);
    }
    if (started("DTLSD_TAKEN_OVER") != QString::number(fleet.size()))
        found << started("MESSAGE");
    report(fleet);
    return found;
}

QStringList TestKeptSessions::remains() const
{
    QStringList found;
    if (!openStores().empty())
        found << QStringLiteral("systemd holds a store");
    const QString stored = property("NFileDescriptorStore");
    if (stored != u"0" && !stored.isEmpty())
        found << QStringLiteral("NFileDescriptorStore=") + stored;
    return found;
}

std::vector<Descriptor> TestKeptSessions::openStores() const
{
    std::vector<Descriptor> stores;
    const QDir held(QStringLiteral("/proc/%1/fd").arg(m_machine.outsideId(1)));
    for (const QFileInfo &one : held.entryInfoList(QDir::Files | QDir::System)) {
        if (one.symLinkTarget().contains(u"memfd:dtlsd-sessions"))
            stores.emplace_back(open(QFile::encodeName(one.filePath()), O_RDWR | O_CLOEXEC));
    }
    return stores;
}

void TestKeptSessions::report(const TalkingFleet &fleet) const
{
    qInfo("no message waited longer for its receipt than %lld ms",
          static_cast<long long>(fleet.longestWait().count()));
}

void TestKeptSessions::noDeviceNoticesHowAProcessEnds_data()
{
    QTest::addColumn<QString>("command");
    QTest::newRow("systemctl restart") << QStringLiteral("systemctl restart dtlsd");
    QTest::newRow("an upgrade") << QStringLiteral("dpkg --install /tmp/next.deb");
    QTest::newRow("the same version once more") << QStringLiteral("dpkg --install /tmp/next.deb");
    QTest::newRow("SIGKILL") << killBy("KILL");
    QTest::newRow("SIGSEGV") << killBy("SEGV");
    QTest::newRow("the watchdog") << killBy("STOP");
}

void TestKeptSessions::noDeviceNoticesHowAProcessEnds()
{
    QFETCH(QString, command);
    VERIFY_GOOD(
        m_administrator.addDropIn(QStringLiteral("watchdog.conf"), "[Service]\nWatchdogSec=2s\n"));
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("restart dtlsd")));
    TalkingFleet fleet(fleetSize);
    QVERIFY2(fleet.start(Administrator::server()), fleet.trouble());
    QCOMPARE(property("NFileDescriptorStore"), QString::number(descriptors));
    const pid_t before = m_administrator.process();

    VERIFY_GOOD(run(command));
    QVERIFY(m_administrator.waitForRestart(before));
    VERIFY_NONE(complaints(fleet));
    QCOMPARE(started("DTLSD_KEPT_SESSIONS"), QStringLiteral("yes"));
    QCOMPARE(property("NFileDescriptorStore"), QString::number(descriptors));
}

void TestKeptSessions::tenKillsInARowReachNoLimit()
{
    TalkingFleet fleet(fleetSize);
    QVERIFY2(fleet.start(Administrator::server()), fleet.trouble());
    for (int i = 0; i < 10; ++i) { // most of them while it starts
        const pid_t process = m_administrator.process();
        QVERIFY(Administrator::sendSignal(process, SIGKILL));
        const auto isThere = [&] {
            const pid_t next = m_administrator.process();
            return next != 0 && next != process;
        };
        QVERIFY(waitUntil(isThere, QDeadlineTimer(patience)));
    }
    QVERIFY2(fleet.goRound(), fleet.trouble());
    QCOMPARE(property("NRestarts"), QStringLiteral("10"));
    VERIFY_NONE(complaints(fleet));
}

void TestKeptSessions::dtlsctlRestartsIt()
{
    TalkingFleet fleet(fleetSize);
    QVERIFY2(fleet.start(Administrator::server()), fleet.trouble());
    const pid_t before = m_administrator.process();
    VERIFY_GOOD(run(QStringLiteral("dtlsctl restart")));
    QVERIFY(m_administrator.waitForRestart(before));
    VERIFY_NONE(complaints(fleet));
    QCOMPARE(property("NRestarts"), QStringLiteral("1"));
}

void TestKeptSessions::noDeviceOfASocketUnitNotices_data()
{
    QTest::addColumn<QString>("command");
    QTest::newRow("systemctl restart") << QStringLiteral("systemctl restart dtlsd");
    QTest::newRow("SIGKILL") << killBy("KILL");
}

void TestKeptSessions::noDeviceOfASocketUnitNotices()
{
    QFETCH(QString, command);
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("stop dtlsd")));
    VERIFY_GOOD(m_administrator.addExampleDropIn(QStringLiteral("socket-activated.conf")));
    VERIFY_GOOD(run(QStringLiteral("mkdir /etc/systemd/system/dtlsd.socket.d")));
    QVERIFY(
        m_machine.write(QStringLiteral("/etc/systemd/system/dtlsd.socket.d/two.conf"),
                        "[Socket]\nListenDatagram=\nListenDatagram=22334\nListenDatagram=22334\n"));
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("daemon-reload")));
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("start dtlsd.socket")));
    TalkingFleet fleet(fleetSize);
    QVERIFY2(fleet.start(Administrator::server()), fleet.trouble());
    QCOMPARE(property("NFileDescriptorStore"), QStringLiteral("2")); // no sockets
    const pid_t before = m_administrator.process();

    VERIFY_GOOD(run(command));
    QVERIFY(m_administrator.waitForRestart(before));
    VERIFY_NONE(complaints(fleet));
}

void TestKeptSessions::aStopSaysGoodbye()
{
    TalkingFleet fleet(fleetSize);
    QVERIFY2(fleet.start(Administrator::server()), fleet.trouble());
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("stop dtlsd")));
    QVERIFY2(fleet.hearGoodbye(), fleet.trouble());
    VERIFY_NONE(remains());
    QCOMPARE(entries("session-closed").size(), fleetSize);
}

void TestKeptSessions::aSignalWithoutAJobSaysGoodbye()
{
    TalkingFleet fleet(fleetSize);
    QVERIFY2(fleet.start(Administrator::server()), fleet.trouble());
    VERIFY_GOOD(run(killBy("TERM")));
    QVERIFY2(fleet.hearGoodbye(), fleet.trouble());
    const auto isOver = [this] { return property("ActiveState") == u"inactive"; };
    QVERIFY(waitUntil(isOver, QDeadlineTimer(patience)));
    QCOMPARE(property("NRestarts"), QStringLiteral("0"));
    VERIFY_NONE(remains());
}

void TestKeptSessions::aStoreThatIsOneTooSmallIsNotUsed()
{
    VERIFY_GOOD(m_administrator.addDropIn(
        QStringLiteral("small.conf"),
        "[Service]\nFileDescriptorStoreMax=" + QByteArray::number(descriptors - 1) + '\n'));
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("stop dtlsd")));
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("start dtlsd")));
    QCOMPARE(started("DTLSD_KEPT_SESSIONS"), QStringLiteral("no"));
    const auto warnings = entries("configuration-warning");
    const QString advice = QStringLiteral("kept 3 of 4 descriptors; FileDescriptorStoreMax= of the "
                                          "unit has to be larger");
    QVERIFY(std::ranges::any_of(
        warnings, [&](const QJsonObject &one) { return message(one).contains(advice); }));
    VERIFY_NONE(remains());
    const auto refused = run(QStringLiteral("dtlsctl restart"));
    QVERIFY2(refused.status > 0 && refused.said.contains("FileDescriptorStoreMax="),
             refused.description());

    TalkingFleet fleet(fleetSize);
    QVERIFY2(fleet.start(Administrator::server()), fleet.trouble());
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("restart dtlsd")));
    QVERIFY2(fleet.hearGoodbye(), fleet.trouble());
}

void TestKeptSessions::aStoreThatCannotBeTakenOverCostsOneStart_data()
{
    QTest::addColumn<bool>("isDamaged");
    QTest::addColumn<QString>("why");
    QTest::newRow("damaged") << true << QStringLiteral("it is not one of dtlsd");
    QTest::newRow("in use by another process") << false << QStringLiteral("still uses it");
}

void TestKeptSessions::aStoreThatCannotBeTakenOverCostsOneStart()
{
    QFETCH(bool, isDamaged);
    QFETCH(QString, why);
    TalkingFleet fleet(fleetSize);
    QVERIFY2(fleet.start(Administrator::server()), fleet.trouble());
    const std::vector<Descriptor> stores = openStores();
    QCOMPARE(stores.size(), 2U);
    const pid_t before = m_administrator.process();
    QVERIFY(
        Administrator::sendSignal(before, SIGSTOP)); // what it has in mind is not written over ours
    for (const Descriptor &store : stores) {
        if (isDamaged)
            QCOMPARE(pwrite(store.number(), "damaged!", 8, 0), 8);
    }
    QVERIFY(Administrator::sendSignal(before, SIGKILL));
    for (const Descriptor &store : stores) {
        const auto isLocked = [&store] {
            struct flock all = {};
            all.l_type = F_WRLCK;
            return fcntl(store.number(), F_SETLK, &all) == 0;
        };
        if (!isDamaged)
            QVERIFY(waitUntil(isLocked, QDeadlineTimer(patience)));
    }
    QVERIFY(m_administrator.waitForRestart(before));
    VERIFY_GOOD(run(sendOnce));
    QCOMPARE(property("NRestarts"), QStringLiteral("1"));
    QCOMPARE(started("DTLSD_TAKEN_OVER"), QStringLiteral("0"));
    QCOMPARE(started("DTLSD_KEPT_SESSIONS"), QStringLiteral("yes"));
    const auto lost = entries("sessions-lost");
    QCOMPARE(lost.size(), 2);
    QVERIFY2(message(lost.constFirst()).contains(why), qPrintable(message(lost.constFirst())));
    QCOMPARE(property("NFileDescriptorStore"), QString::number(descriptors));
}

void TestKeptSessions::withoutABusARestartSaysGoodbye()
{
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("stop dbus.socket dbus.service")));
    TalkingFleet fleet(fleetSize);
    QVERIFY2(fleet.start(Administrator::server()), fleet.trouble());
    const pid_t before = m_administrator.process();
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("restart dtlsd")));
    QVERIFY2(fleet.hearGoodbye(), fleet.trouble());
    QVERIFY(m_administrator.waitForRestart(before));
    QCOMPARE(started("DTLSD_TAKEN_OVER"), QStringLiteral("0"));
}

void TestKeptSessions::withoutABusDtlsctlRestartsIt()
{
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("stop dbus.socket dbus.service")));
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("restart dtlsd"))); // which cannot ask
    TalkingFleet fleet(fleetSize);
    QVERIFY2(fleet.start(Administrator::server()), fleet.trouble());
    const pid_t before = m_administrator.process();
    VERIFY_GOOD(run(QStringLiteral("dtlsctl restart")));
    QVERIFY(m_administrator.waitForRestart(before));
    VERIFY_NONE(complaints(fleet));
}

void TestKeptSessions::aDowngradeLeavesNothingBehind()
{
    // To a version that knows nothing of stored descriptors.
    VERIFY_GOOD(run(
        QStringLiteral("dpkg-deb --raw-extract /tmp/this.deb /tmp/older\n"
                       "sed -i 's/^Version: .*/Version: 0.0.9/' /tmp/older/DEBIAN/control\n"
                       "find /tmp/older -name 'dtlsd*.service' -exec sed -i "
                       "/^FileDescriptorStoreMax=/d {} +\n"
                       "dpkg-deb -Znone --root-owner-group --build /tmp/older /tmp/older.deb")));
    TalkingFleet fleet(fleetSize);
    QVERIFY2(fleet.start(Administrator::server()), fleet.trouble());
    const pid_t before = m_administrator.process();
    const auto outcome = run(QStringLiteral("dpkg --install /tmp/older.deb"));
    VERIFY_GOOD(outcome);
    QVERIFY2(outcome.said.contains("dtlsd is stopped: version 0.0.9"), outcome.said);
    QVERIFY2(fleet.hearGoodbye(), fleet.trouble());
    QVERIFY(m_administrator.waitForRestart(before));
    VERIFY_NONE(remains());
    QFile environment(QStringLiteral("/proc/%1/environ").arg(m_administrator.process()));
    QVERIFY(environment.open(QIODevice::ReadOnly));
    QVERIFY(!environment.readAll().contains("LISTEN_FDS="));
    VERIFY_GOOD(run(QStringLiteral("dpkg --install /tmp/this.deb")));
}

void TestKeptSessions::aPurgeLeavesNothingBehind()
{
    TalkingFleet fleet(fleetSize);
    QVERIFY2(fleet.start(Administrator::server()), fleet.trouble());
    VERIFY_GOOD(run(QStringLiteral("dpkg --purge dtlsd")));
    QVERIFY2(fleet.hearGoodbye(), fleet.trouble());
    VERIFY_NONE(remains());
    QCOMPARE(run(QStringLiteral("find /etc /lib /run /usr /var -xdev -name '*dtlsd*'")).said,
             QByteArray());
}

QTEST_GUILESS_MAIN(TestKeptSessions)

#include "tst_keptsessions.moc"
