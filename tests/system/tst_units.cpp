// SPDX-License-Identifier: Apache-2.0
//
// The further ways of running dtlsd that its package offers: started by its first datagram, with a
// service on a network of their own, several instances, a journal of its own, keys as credentials;
// and how far each unit is confined.
#include "Administrator.h"
#include "Machine.h"

#include <QFile>
#include <QTest>

using namespace dtlsd::test;

namespace {

const QByteArray key = "00112233445566778899aabbccddeeff";

QByteArray configuration(const QByteArray &port, const QByteArray &reply = "reply = echo")
{
    return "[server]\nlisten = 127.0.0.1:" + port + '\n' + reply +
           "\n[psk]\nfile =\n[identity sensor-17]\nkey = hex:" + key + '\n';
}

/// One that says what it has heard. Its dynamic user implies PrivateTmp=yes, which dtlsd has too.
const QByteArray service = R"([Service]
DynamicUser=yes
ExecStart=/usr/bin/perl -MIO::Socket::INET -e \
    '$$it = IO::Socket::INET->new(Proto => "udp", LocalAddr => "127.0.0.1:5683") or die $$!; \
    while ($$from = $$it->recv($$said, 65536)) { $$it->send("heard: $$said", 0, $$from); }'
)";

/// What services.md says, for a service of that name.
QString isolation()
{
    QFile file(QStringLiteral(DTLSD_SOURCE_DIR "/packaging/docs/services.md"));
    if (!file.open(QIODevice::ReadOnly))
        return QStringLiteral("exit 1");
    return QString::fromUtf8(file.readAll())
        .section(QStringLiteral("**A network of their own.**"), 1, 1)
        .section(QStringLiteral("```sh\n"), 1, 1)
        .section(QStringLiteral("```"), 0, 0);
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
    void aServiceIsOnANetworkWithDtlsdAlone();
    void aServiceIsRefusedWithoutANetwork();
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

    [[nodiscard]] QByteArray networkOf(const QString &unit) const
    {
        const QString script = QStringLiteral("readlink /proc/%1/ns/net");
        return m_machine.run(script.arg(m_administrator.property(QStringLiteral("MainPID"), unit)))
            .said;
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
    QVERIFY2(m_machine.boot(), qPrintable(m_machine.errorText()));
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

void TestUnits::aServiceIsOnANetworkWithDtlsdAlone()
{
    QVERIFY(m_machine.write(QStringLiteral("/etc/systemd/system/coap-server.service"), service));
    VERIFY_GOOD(m_administrator.configure(configuration("22334", "forward = 127.0.0.1:5683")));
    // It has a namespace for its files before, which must not stand for one of both.
    VERIFY_GOOD(m_machine.run(QStringLiteral("systemctl daemon-reload\n"
                                             "systemctl start coap-server\n") +
                              isolation()));
    VERIFY_GOOD(checkExposure(6));
    const QByteArray machines = m_machine.run(QStringLiteral("readlink /proc/self/ns/net")).said;
    const QStringList disturbances{
        QStringLiteral("restart dtlsd"), QStringLiteral("restart coap-server"),
        QStringLiteral("stop dtlsd coap-server"), QStringLiteral("stop 'dtlsd*' coap-server")};
    for (const QString &disturbance : disturbances) {
        const auto isAnswered = [this] { // systemd does not know when the service can
            return m_machine.run(send("22334", "hello")).said == "heard: hello\n";
        };
        QVERIFY(waitUntil(isAnswered, QDeadlineTimer(patience)));
        const QByteArray network = networkOf(QStringLiteral("dtlsd"));
        QCOMPARE(networkOf(QStringLiteral("coap-server")), network);
        QVERIFY(network.startsWith("net:") && network != machines);
        VERIFY_GOOD(m_administrator.systemctl(disturbance));
        VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("start coap-server dtlsd")));
    }
    // A service that has not joined it is out of reach, not the other way round.
    VERIFY_GOOD(m_machine.run(QStringLiteral("rm -r /etc/systemd/system/coap-server.service.d\n"
                                             "systemctl daemon-reload\n"
                                             "systemctl stop dtlsd coap-server\n"
                                             "systemctl start coap-server\n"
                                             "systemctl start dtlsd")));
    QCOMPARE(networkOf(QStringLiteral("coap-server")), machines);
    QVERIFY(networkOf(QStringLiteral("dtlsd")) != machines);
    const QString since = m_administrator.fromNowOn();
    QVERIFY(!m_machine.run(send("22334", "hello")).isGood());
    QVERIFY(
        !m_administrator.waitForEntry({since, QStringLiteral("DTLSD_EVENT=service-unreachable")})
             .isEmpty());
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("stop coap-server")));
}

void TestUnits::aServiceIsRefusedWithoutANetwork()
{
    VERIFY_GOOD(m_administrator.systemctl(QStringLiteral("stop dtlsd.service")));
    VERIFY_GOOD(m_administrator.configure(configuration("22334", "forward = 127.0.0.1:5683")));
    VERIFY_GOOD(m_administrator.addExampleDropIn(QStringLiteral("socket-activated.conf")));
    const auto outcome = m_administrator.systemctl(QStringLiteral("start dtlsd.service"));
    QVERIFY(!outcome.isGood());
    QCOMPARE(m_administrator.property(QStringLiteral("ExecMainStatus")), QStringLiteral("78"));
    QVERIFY2(outcome.said.contains("dtlsd.ini:3: [server] forward: \"127.0.0.1:5683\" cannot be "
                                   "reached"),
             outcome.said);
    QVERIFY2(outcome.said.contains("with-service.conf"), outcome.said);
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
