// SPDX-License-Identifier: Apache-2.0
//
// The life of dtlsd's Debian package on a machine, told in order: installed, set up, listened to,
// rebooted, upgraded under traffic, and purged.
#include "Administrator.h"
#include "Machine.h"
#include "Traffic.h"

#include <QRegularExpression>
#include <QSet>
#include <QTest>

using namespace dtlsd::test;
using namespace std::chrono_literals;

class TestPackage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void aptInstallsItAndSaysWhatIsLeftToDo();
    void theFirstDeviceGetsAKeyAndTheServiceStarts();
    void systemctlStatusTellsWhereItListens();
    void devicesTalkToItAndAreAnswered();
    void theJournalHasWhatTheySaidInFields();
    void journalctlExplainsAnEntry();
    void afterARebootItServesAgain();
    void anUpgradeKeepsTheConfigurationAndHardlyInterrupts();
    void aPurgeLeavesNothingBehind();

private:
    [[nodiscard]] QSet<QString> files() const;
    [[nodiscard]] QString keyOfSensor() const;
    void talk(const QString &server, const QByteArray &message);

    Machine m_machine;
    Administrator m_administrator{m_machine};
    bool m_isBroken = false;
    QString m_package;
    QString m_nextPackage;
    QSet<QString> m_filesBefore;
    QByteArray m_explanation; // what the package said when it was installed
};

/// What is on the disk, but for the books of package manager, systemd and journal, and the folders
/// that systemd's own services have until they end.
QSet<QString> TestPackage::files() const
{
    const QStringList found =
        QString::fromUtf8(
            m_machine
                .run(QStringLiteral("find / -xdev \\( -path /var/lib/dpkg -o -path /var/lib/apt -o "
                                    "-path /var/cache -o -path /var/lib/systemd -o -path /var/log "
                                    "-o -name 'systemd-private-*-systemd-*' \\) -prune -o -print"))
                .said)
            .split(u'\n');
    return {found.begin(), found.end()};
}

/// As dtlsd.ini has it.
QString TestPackage::keyOfSensor() const
{
    const QString text =
        QString::fromUtf8(m_machine.run(QStringLiteral("cat /etc/dtlsd/dtlsd.ini")).said);
    const QRegularExpression section(QStringLiteral("^\\[identity sensor-17\\]\nkey = (.+)$"),
                                     QRegularExpression::MultilineOption);
    return section.match(text).captured(1);
}

void TestPackage::initTestCase()
{
    if (!m_machine.prepare())
        QSKIP(qPrintable(m_machine.errorText()));
    const auto packages = Administrator::buildPackages();
    VERIFY_GOOD(packages);
    const QStringList paths = QString::fromUtf8(packages.said).split(u'\n');
    QCOMPARE(paths.size(), 2);
    m_package = paths[0];
    m_nextPackage = paths[1];
    QVERIFY2(m_machine.boot(), qPrintable(m_machine.errorText()));
    m_filesBefore = files();
}

void TestPackage::init()
{
    if (m_isBroken)
        QSKIP("the story has broken off before");
}

void TestPackage::cleanup()
{
    m_isBroken |= QTest::currentTestFailed();
    m_administrator.explainFailure();
}

void TestPackage::aptInstallsItAndSaysWhatIsLeftToDo()
{
    const auto outcome = m_administrator.install(m_package);
    VERIFY_GOOD(outcome);
    m_explanation = outcome.said;
    QVERIFY2(m_explanation.contains("dtlsctl key new sensor-17"), m_explanation);
    QCOMPARE(m_administrator.property(QStringLiteral("UnitFileState")), QStringLiteral("enabled"));
    QCOMPARE(m_administrator.property(QStringLiteral("ActiveState")), QStringLiteral("inactive"));
}

void TestPackage::theFirstDeviceGetsAKeyAndTheServiceStarts()
{
    // As it is said, up to the end of the line, which a terminal of apt's ends with a CR.
    const QRegularExpression command(QStringLiteral("^ +(dtlsctl key new .+[a-z])"),
                                     QRegularExpression::MultilineOption);
    VERIFY_GOOD(m_machine.run(command.match(QString::fromUtf8(m_explanation)).captured(1)));
    QCOMPARE(m_administrator.property(QStringLiteral("ActiveState")), QStringLiteral("active"));
    QVERIFY(keyOfSensor().startsWith(QStringLiteral("hex:")));
    QCOMPARE(
        m_machine.run(QStringLiteral("stat --format='%A %U:%G %n' /etc/dtlsd /etc/dtlsd/*")).said,
        QByteArray("drwxr-x--- root:dtlsd /etc/dtlsd\n"
                   "-rw-r----- root:dtlsd /etc/dtlsd/dtlsd.ini\n"
                   "-rw-r----- root:dtlsd /etc/dtlsd/psk.txt\n"));
}

void TestPackage::systemctlStatusTellsWhereItListens()
{
    const QByteArray status = m_machine.run(QStringLiteral("systemctl status dtlsd")).said;
    QVERIFY2(status.contains("Active: active (running)"), status);
    QVERIFY2(status.contains("Status: \"Listening on 0.0.0.0:22334, [::]:22334; 0 sessions\""),
             status);
    VERIFY_GOOD(m_machine.run(QStringLiteral("dtlsctl health")));
}

void TestPackage::talk(const QString &server, const QByteArray &message)
{
    const auto outcome = m_machine.run(
        QStringLiteral("KEY=%1 dtls-send --psk-env KEY --psk-identity sensor-17 %2 %3")
            .arg(keyOfSensor(), server, QString::fromUtf8(message)));
    VERIFY_GOOD(outcome);
    QVERIFY2(QRegularExpression(QStringLiteral("^to .+: ACK\n$"))
                 .match(QString::fromUtf8(outcome.said))
                 .hasMatch(),
             outcome.said);
}

void TestPackage::devicesTalkToItAndAreAnswered()
{
    talk(QStringLiteral("127.0.0.1:22334"), "temperature=21.5");
    talk(QStringLiteral("[::1]:22334"), "temperature=21.7");
}

void TestPackage::theJournalHasWhatTheySaidInFields()
{
    const auto entries = m_administrator.entries(
        {QStringLiteral("--unit=dtlsd"), QStringLiteral("DTLSD_EVENT=datagram-received")});
    QCOMPARE(entries.size(), 2);
    const QJsonObject &entry = entries.constFirst();
    const auto field = [&entry](const char *name) { return entry[QLatin1String(name)].toString(); };
    QCOMPARE(field("DTLSD_IDENTITY"), QStringLiteral("sensor-17"));
    QCOMPARE(field("DTLSD_PAYLOAD"), QStringLiteral("temperature=21.5"));
    QCOMPARE(field("DTLSD_PAYLOAD_SIZE"), QStringLiteral("16"));
    QCOMPARE(field("DTLSD_SEQUENCE"), QStringLiteral("1"));
    QCOMPARE(field("DTLSD_PEER_ADDRESS"), QStringLiteral("127.0.0.1"));
    QCOMPARE(field("DTLSD_PROTOCOL"), QStringLiteral("DTLSv1.2"));
    QCOMPARE(field("PRIORITY"), QStringLiteral("6"));
    QCOMPARE(field("SYSLOG_IDENTIFIER"), QStringLiteral("dtlsd"));
    QCOMPARE(field("_SYSTEMD_UNIT"), QStringLiteral("dtlsd.service"));
    QCOMPARE(field("MESSAGE_ID").size(), 32);
    QVERIFY(field("MESSAGE").contains(field("DTLSD_PAYLOAD")));
    QCOMPARE(entries.constLast()[QStringLiteral("DTLSD_PEER_ADDRESS")].toString(),
             QStringLiteral("::1"));
}

void TestPackage::journalctlExplainsAnEntry()
{
    const QByteArray explained =
        m_machine.run(QStringLiteral("journalctl -x --unit=dtlsd DTLSD_EVENT=session-opened")).said;
    QVERIFY2(explained.contains("Subject: A session was opened"), explained);
    QVERIFY2(explained.contains("A device has proved that it holds the key of its identity."),
             explained);
}

void TestPackage::afterARebootItServesAgain()
{
    QVERIFY2(m_machine.reboot(), qPrintable(m_machine.errorText()));
    QCOMPARE(m_administrator.property(QStringLiteral("ActiveState")), QStringLiteral("active"));
    talk(QStringLiteral("127.0.0.1:22334"), "awake=1");
    const QByteArray units = m_machine.run(QStringLiteral("systemctl --failed --plain")).said;
    QVERIFY2(units.contains("0 loaded units listed"), units);
}

void TestPackage::anUpgradeKeepsTheConfigurationAndHardlyInterrupts()
{
    const QByteArray key = keyOfSensor().mid(4).toLatin1(); // behind hex:
    VERIFY_GOOD(m_machine.run(
        QStringLiteral("sed -i 's/^; reply = ack/reply = echo/' /etc/dtlsd/dtlsd.ini\n"
                       "systemctl reload dtlsd")));
    const QString contents = QStringLiteral("sha256sum /etc/dtlsd/*");
    const QByteArray before = m_machine.run(contents).said;
    const pid_t process = m_administrator.process();
    Traffic traffic(Administrator::server(), "sensor-17", key);
    QVERIFY(traffic.flows());
    (void)traffic.longestSilence();

    VERIFY_GOOD(m_administrator.install(m_nextPackage));
    QVERIFY(traffic.flows());
    const auto silence = traffic.longestSilence();
    qInfo("no receipt for %lld ms while the package was upgraded",
          static_cast<long long>(silence.count()));
    QVERIFY(silence < 10s); // which no device would call an outage; usual is less than one
    QVERIFY(m_administrator.process() != process);
    QCOMPARE(m_machine.run(contents).said, before);
    QCOMPARE(m_machine.run(QStringLiteral("dpkg-query --show --showformat='${Version}' dtlsd"))
                 .said.right(5),
             QByteArray("+next"));
    traffic.stop();
    QCOMPARE(traffic.missingIn(m_administrator.payloads()), 0);
}

void TestPackage::aPurgeLeavesNothingBehind()
{
    VERIFY_GOOD(m_machine.run(QStringLiteral("apt-get purge --yes dtlsd")));
    QCOMPARE((files() - m_filesBefore).values().join(u'\n'), QString());
    const QByteArray known =
        m_machine
            .run(QStringLiteral("getent passwd dtlsd || true\n"
                                "getent group dtlsd || true\n"
                                "find /run /var/lib/systemd -name '*dtlsd*'\n"
                                "systemctl list-unit-files 'dtlsd*' --no-legend"))
            .said;
    QCOMPARE(known, QByteArray());
}

QTEST_GUILESS_MAIN(TestPackage)

#include "tst_package.moc"
