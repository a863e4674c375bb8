// SPDX-License-Identifier: Apache-2.0
//
// The further ways of running dtlsd that its package offers: started by its first datagram, several
// instances, a journal of its own, keys as credentials; and how far each unit is confined.
#include "Administrator.h"
#include "Machine.h"

#include <QTest>

using namespace dtlsd::test;

namespace {

const QByteArray key = "00112233445566778899aabbccddeeff";

QByteArray configuration(const QByteArray &port)
{
    return "[server]\nlisten = 127.0.0.1:" + port +
           "\nreply = echo\n[psk]\nfile =\n[identity sensor-17]\nkey = hex:" + key + '\n';
}

/// One session with one message.
QString send(const QByteArray &port, const QByteArray &message)
{
    return QStringLiteral(
               "KEY=%1 dtls-send --psk-env KEY --psk-identity sensor-17 127.0.0.1:%2 '%3'")
        .arg(QString::fromUtf8(key), QString::fromUtf8(port), QString::fromUtf8(message));
}

} // namespace

class TestUnits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup() { m_administrator.explainFailure(); }
    void theServiceIsConfined();
    void theFirstDatagramStartsAServiceWithoutANetwork();
    void instancesServeSideBySide();
    void aBusyFleetHasAJournalOfItsOwn();
    void keysComeAsCredentials();

private:
    /// At most @p exposure, in tenths. What is said is how much it is.
    [[nodiscard]] Machine::Outcome checkExposure(int exposure)
    {
        return m_machine.run(QStringLiteral("status=0\n"
                                            "systemd-analyze security --threshold=%1 dtlsd.service "
                                            ">/tmp/exposure || status=1\n"
                                            "grep 'Overall exposure' /tmp/exposure\n"
                                            "exit $status")
                                 .arg(exposure));
    }

    Machine m_machine;
    Administrator m_administrator{m_machine};
};

void TestUnits::initTestCase()
{
    if (!m_machine.prepare())
        QSKIP(qPrintable(m_machine.errorText()));
    const auto packages = Administrator::buildPackages();
    VERIFY_GOOD(packages);
    if (!m_machine.boot())
        QSKIP(qPrintable(m_machine.errorText()));
    VERIFY_GOOD(m_administrator.install(QString::fromUtf8(packages.said).section(u'\n', 0, 0)));
}

void TestUnits::init()
{
    VERIFY_GOOD(m_administrator.configure(configuration("22334")));
    VERIFY_GOOD(m_administrator.startAfresh());
}

void TestUnits::theServiceIsConfined()
{
    VERIFY_GOOD(checkExposure(12));
    VERIFY_GOOD(m_machine.run(send("22334", "confined")));
}

void TestUnits::theFirstDatagramStartsAServiceWithoutANetwork()
{
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("stop dtlsd.service")));
    VERIFY_GOOD(m_administrator.addExampleDropIn(QStringLiteral("socket-activated.conf")));
    VERIFY_GOOD(checkExposure(3));
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("start dtlsd.socket")));
    QCOMPARE(m_administrator.property(QStringLiteral("ActiveState")), QStringLiteral("inactive"));

    const auto answered = m_machine.run(send("22334", "awake"));
    VERIFY_GOOD(answered);
    QCOMPARE(answered.said, QByteArray("awake\n"));
    QCOMPARE(m_administrator.property(QStringLiteral("ActiveState")), QStringLiteral("active"));
    // Only its loopback, which is down.
    const QString links = QStringLiteral("/proc/%1/net/dev").arg(m_administrator.process());
    QFile devices(links);
    QVERIFY(devices.open(QIODevice::ReadOnly));
    QCOMPARE(devices.readAll().count(':'), 1);
    // The port outlives the service.
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("restart dtlsd.service")));
    VERIFY_GOOD(m_machine.run(send("22334", "again")));
}

void TestUnits::instancesServeSideBySide()
{
    for (const auto &[name, port] : {std::pair{"a", "22335"}, std::pair{"b", "22336"}}) {
        const QString file = QStringLiteral("/etc/dtlsd/%1.ini").arg(QLatin1String(name));
        VERIFY_GOOD(
            m_machine.run(QStringLiteral("install -m 640 -o root -g dtlsd /dev/null ") + file));
        QVERIFY(m_machine.write(file, configuration(port)));
    }
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("start dtlsd@a dtlsd@b")));
    VERIFY_GOOD(m_machine.run(send("22334", "to the one without a name")));
    VERIFY_GOOD(m_machine.run(send("22335", "to a")));
    VERIFY_GOOD(m_machine.run(send("22336", "to b")));
    for (const char *name : {"a", "b"}) {
        const QString unit = QStringLiteral("--unit=dtlsd@") + QLatin1String(name);
        const auto entries =
            m_administrator.entries({unit, QStringLiteral("DTLSD_EVENT=datagram-received")});
        QCOMPARE(entries.size(), 1);
        QCOMPARE(entries.constFirst()[QStringLiteral("DTLSD_PAYLOAD")].toString(),
                 QStringLiteral("to ") + QLatin1String(name));
        VERIFY_GOOD(
            m_machine.run(QStringLiteral("dtlsctl --socket /run/dtlsd-%1/control.sock status")
                              .arg(QLatin1String(name))));
        VERIFY_GOOD(
            m_administrator.systemctl(QStringLiteral("reload dtlsd@") + QLatin1String(name)));
    }
}

void TestUnits::aBusyFleetHasAJournalOfItsOwn()
{
    VERIFY_GOOD(m_administrator.addExampleDropIn(QStringLiteral("log-namespace.conf")));
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("restart dtlsd")));
    VERIFY_GOOD(m_machine.run(send("22334", "apart")));
    const QStringList matches{QStringLiteral("DTLSD_PAYLOAD=apart")};
    QCOMPARE(m_administrator.entries(matches).size(), 0);
    QCOMPARE(
        m_administrator.entries(QStringList{QStringLiteral("--namespace=dtlsd")} + matches).size(),
        1);
}

void TestUnits::keysComeAsCredentials()
{
    VERIFY_GOOD(m_machine.run(QStringLiteral("install -d -m 700 /etc/credstore\n"
                                             "echo credited:%1 >/etc/credstore/dtlsd.psk.txt\n"
                                             "chmod 600 /etc/credstore/dtlsd.psk.txt")
                                  .arg(QString::fromUtf8(key))));
    VERIFY_GOOD(m_administrator.configure("[psk]\nfile = psk.txt\n"));
    VERIFY_GOOD(m_administrator.addExampleDropIn(QStringLiteral("credentials.conf")));
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("restart dtlsd")));
    VERIFY_GOOD(m_machine.run(QStringLiteral("dtls-send --psk-file /etc/credstore/dtlsd.psk.txt "
                                             "127.0.0.1:22334 hello")));
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("reload dtlsd")));
}

QTEST_GUILESS_MAIN(TestUnits)

#include "tst_units.moc"
