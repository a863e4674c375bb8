// SPDX-License-Identifier: Apache-2.0
//
// dtlsctl against dtlsd: what it shows of devices and services, and what it sends to devices, which
// are OpenSSL's s_client where every byte counts.
#include "DtlsctlTest.h"
#include "dtls/DtlsClient.h"
#include "support/ClientProcess.h"
#include "support/ControlPeer.h"
#include "support/DaemonProcess.h"
#include "support/JsonFields.h"
#include "support/TestProgram.h"
#include "support/TwoDevices.h"

#include <QSignalSpy>
#include <QUdpSocket>

#include <algorithm>
#include <memory>
#include <numeric>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;

namespace {

QByteArray everyByte()
{
    QByteArray bytes(256, '\0');
    std::iota(bytes.begin(), bytes.end(), '\0');
    return bytes;
}

} // namespace

class TestDtlsctlDaemon : public DtlsctlTest
{
    Q_OBJECT

private Q_SLOTS:
    void init() { begin(); }
    void dtlsdAnswers();
    void aServiceIsShown();
    void aDeviceGetsWhatIsSent_data();
    void aDeviceGetsWhatIsSent();
    void eachSessionOfAnIdentityGetsIt();
    void whatCannotBeSentIsSaid();
    void aDeviceMayTakeLessThanARecordHolds();
    void anInputThatIsNoDatagramIsNotSent_data();
    void anInputThatIsNoDatagramIsNotSent();

private:
    /// Another daemon, which serves dev and other.
    void startDaemon(const QByteArray &server);
    /// dtlsctl, with the daemon's socket.
    Outcome tell(const QStringList &arguments, const QByteArray &input = {});
    /// The number of the first session that is listed.
    QString session();
    [[nodiscard]] ClientProcess::Options sClient(const QStringList &arguments = {});

    std::unique_ptr<DaemonProcess> m_daemon;
};

void TestDtlsctlDaemon::startDaemon(const QByteArray &server)
{
    m_daemon = std::make_unique<DaemonProcess>(
        "[server]\nlisten = 127.0.0.1:0\nworkers = 2\nreply = none\n" + server + "[psk]\nfile =\n" +
        twoDevices);
    QVERIFY2(m_daemon->start(), qPrintable(m_daemon->errorText()));
}

DtlsctlTest::Outcome TestDtlsctlDaemon::tell(const QStringList &arguments, const QByteArray &input)
{
    return run(QStringList{u"--socket"_s, m_daemon->controlSocket()} + arguments, input);
}

QString TestDtlsctlDaemon::session()
{
    return text(
        ControlPeer::askAll(m_daemon->controlSocket(), R"({"command":"sessions"})").value(0),
        "session");
}

ClientProcess::Options TestDtlsctlDaemon::sClient(const QStringList &arguments)
{
    return {.kind = ClientProcess::Kind::OpenSsl,
            .server = m_daemon->addresses().constFirst(),
            .identity = u"dev"_s,
            .key = QByteArray(16, 'A'),
            .cipher = {},
            .arguments = arguments};
}

void TestDtlsctlDaemon::dtlsdAnswers()
{
    const QByteArray key = "00112233445566778899aabbccddeeff";
    DaemonProcess daemon({});
    const QString socket = daemon.directory() + u"/control.sock"_s;
    const QByteArray config =
        "[server]\nlisten = 127.0.0.1:0\n[control]\nsocket = " + socket.toUtf8() +
        "\n[psk]\nfile =\n[identity a b]\nkey = hex:" + key;
    daemon.setConfig(config + '\n');
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const auto tell = [&](const QStringList &arguments) {
        return run(QStringList{u"--socket"_s, socket} + arguments);
    };
    QCOMPARE(tell({u"health"_s}).output, "healthy\n"_ba);
    QCOMPARE(tell({u"sessions"_s}).output, "No sessions.\n"_ba);

    DtlsClient::Options options;
    options.identity = "a b";
    options.key = PskKey(QByteArray::fromHex(key));
    DtlsClient device(options);
    QSignalSpy connected(&device, &DtlsClient::connected);
    QSignalSpy closed(&device, &DtlsClient::closed);
    QVERIFY(device.connectTo(daemon.addresses().constFirst()).ok());
    QVERIFY(waitUntil([&] { return !connected.isEmpty(); }, QDeadlineTimer(patience)));

    const Outcome metrics = tell({u"metrics"_s});
    QVERIFY2(metrics.output.contains("\n# HELP dtlsd_"), metrics.output);
    const Outcome status = tell({u"status"_s});
    QCOMPARE(status.errors, QByteArray());
    QVERIFY2(status.output.contains("  1 session of 1 identity, 0 handshakes under way\n"),
             status.output);
    const Outcome table = tell({u"sessions"_s});
    QCOMPARE(table.errors, QByteArray());
    QVERIFY2(table.output.contains("  a b       127.0.0.1:"), table.output);
    const QByteArray session = table.output.mid(table.output.indexOf('\n') + 1).first(16);
    const Outcome json = tell({u"--json"_s, u"sessions"_s});
    QVERIFY2(json.output.contains("\"session\":\"" + session + '"'), json.output);

    const Outcome end = tell({u"close"_s, QString::fromLatin1(session)});
    QCOMPARE(end.output, "Session " + session + " is closed.\n");
    QVERIFY(waitUntil([&] { return !closed.isEmpty(); }, QDeadlineTimer(patience)));
    QCOMPARE(tell({u"close"_s, QString::fromLatin1(session)}).status, 1);
    QCOMPARE(tell({u"close-identity"_s, u"a b"_s}).status, 1);

    daemon.setConfig(config + "\nnext_key = hex:00\n");
    const Outcome rejected = tell({u"reload"_s});
    QCOMPARE(rejected.status, 78);
    QVERIFY2(rejected.errors.contains("next_key"), rejected.errors);
    daemon.setConfig(config + "\nreply = none\n");
    const Outcome reloaded = tell({u"reload"_s});
    QCOMPARE(reloaded.status, 0);
    QVERIFY2(reloaded.output.startsWith("configuration reloaded: "), reloaded.output);
    const Outcome refused = tell({u"restart"_s}); // it was started by hand
    QCOMPARE(refused.status, 1);
    QVERIFY2(refused.errors.contains("a restart would end all sessions: "), refused.errors);
    QCOMPARE(daemon.stop(), 0);
    QCOMPARE(tell({u"health"_s}).status, 69);
}

void TestDtlsctlDaemon::aServiceIsShown()
{
    auto service = std::make_unique<QUdpSocket>();
    QVERIFY(service->bind(QHostAddress::LocalHost));
    const QString address = u"127.0.0.1:%1"_s.arg(service->localPort());
    startDaemon("forward = " + address.toLatin1() + '\n');
    ClientProcess device(sClient());
    QVERIFY2(device.connectToServer(), qPrintable(device.errorText()));
    QVERIFY(tell({u"--json"_s, u"sessions"_s}).output.contains(R"("service_source":"")"));

    QVERIFY(device.send("hello"));
    QHostAddress sender;
    quint16 port = 0;
    QByteArray heard(64, '\0');
    QTRY_VERIFY(service->hasPendingDatagrams());
    heard.truncate(service->readDatagram(heard.data(), heard.size(), &sender, &port));
    QCOMPARE(heard, "hello\n"_ba);
    service->writeDatagram("hi", sender, port);
    QCOMPARE(device.waitForReply(), "hi"_ba);
    const QByteArray source = sender.toString().toLatin1() + ':' + QByteArray::number(port);
    const Outcome table = tell({u"sessions"_s});
    QVERIFY2(table.output.contains("  " + source + "  "), table.output);
    const QByteArray label = "\n  Service        " + address.toLatin1();
    const Outcome well = tell({u"status"_s});
    QVERIFY2(well.output.contains(label + ": reachable\n  Forwarded      1 datagram (6 B) to "
                                          "services, 1 datagram (2 B) from services, 1 socket\n"),
             well.output);

    service.reset();
    QVERIFY(device.send("anybody there?"));
    Outcome unwell;
    const auto isSaid = [&] {
        unwell = tell({u"status"_s});
        return unwell.output.contains(label + ": not reachable\n") &&
               unwell.output.contains("\n  Not taken      1 refused\n");
    };
    QVERIFY2(waitUntil(isSaid, QDeadlineTimer(patience)), unwell.output);
}

void TestDtlsctlDaemon::aDeviceGetsWhatIsSent_data()
{
    QTest::addColumn<QString>("argument");
    QTest::addColumn<QByteArray>("input");
    QTest::addColumn<QByteArray>("expected");
    QTest::newRow("an argument") << u"reboot now"_s << QByteArray() << "reboot now"_ba;
    QTest::newRow("an argument that is no ASCII")
        << u"gr\u00fcn"_s << QByteArray() << "gr\xc3\xbcn"_ba;
    QTest::newRow("a line of standard input") << u"-"_s << "reboot\n"_ba
                                              << "reboot\n"_ba;
    QTest::newRow("a hyphen of it") << u"-"_s << "-"_ba
                                    << "-"_ba;
    QTest::newRow("every byte") << u"-"_s << everyByte() << everyByte();
    QTest::newRow("as much as a record holds")
        << u"-"_s << everyByte().repeated(64) << everyByte().repeated(64);
}

void TestDtlsctlDaemon::aDeviceGetsWhatIsSent()
{
    QFETCH(QString, argument);
    QFETCH(QByteArray, input);
    QFETCH(QByteArray, expected);
    startDaemon({});
    ClientProcess device(sClient());
    QVERIFY2(device.connectToServer(), qPrintable(device.errorText()));
    const QString number = session();
    const Outcome outcome = tell({u"send"_s, number, argument}, input);
    QCOMPARE(outcome.errors, QByteArray());
    QCOMPARE(outcome.output, "Sent to session " + number.toLatin1() + ".\n");
    QCOMPARE(outcome.status, 0);
    QByteArray received;
    waitUntil(
        [&] {
            received += device.takeReplies();
            return received.size() >= expected.size();
        },
        QDeadlineTimer(patience));
    QCOMPARE(received, expected);
    const QJsonObject status =
        ControlPeer::ask(m_daemon->controlSocket(), R"({"command":"status"})");
    QCOMPARE(test::number(status, "datagrams_sent"), 1);
}

void TestDtlsctlDaemon::eachSessionOfAnIdentityGetsIt()
{
    startDaemon({});
    constexpr int number = 8; // on both workers
    std::vector<std::unique_ptr<DtlsClient>> devices;
    std::vector<std::unique_ptr<QSignalSpy>> received;
    for (int i = 0; i <= number; ++i) { // the last one has the other identity
        devices.push_back(std::make_unique<DtlsClient>(i < number ? dev() : other()));
        received.push_back(
            std::make_unique<QSignalSpy>(devices.back().get(), &DtlsClient::received));
        QVERIFY(devices.back()->connectTo(m_daemon->addresses().constFirst()).ok());
    }
    const auto areConnected = [&] {
        return std::ranges::all_of(devices, &DtlsClient::isConnected);
    };
    QVERIFY(waitUntil(areConnected, QDeadlineTimer(patience)));

    QCOMPARE(tell({u"send"_s, u"--identity"_s, u"dev"_s, u"all"_s}).output,
             "Sent to 8 sessions of dev.\n"_ba);
    QCOMPARE(tell({u"send"_s, u"--identity"_s, u"other"_s, u"one"_s}).output,
             "Sent to 1 session of other.\n"_ba);
    QCOMPARE(tell({u"--json"_s, u"send"_s, u"--identity=dev"_s, u"end"_s}).output,
             "{\"ok\":true,\"sent\":8}\n"_ba);
    const auto heardBy = [&](int device) {
        QByteArrayList datagrams;
        for (const QList<QVariant> &arguments : *received[static_cast<std::size_t>(device)])
            datagrams += arguments.constFirst().toByteArray();
        return datagrams;
    };
    for (int i = 0; i < number; ++i)
        QTRY_COMPARE(heardBy(i), (QByteArrayList{"all", "end"}));
    QTRY_COMPARE(heardBy(number), QByteArrayList{"one"});
}

void TestDtlsctlDaemon::whatCannotBeSentIsSaid()
{
    startDaemon({});
    const Outcome noIdentity = tell({u"send"_s, u"--identity"_s, u"dev"_s, u"x"_s});
    QCOMPARE(noIdentity.status, 1);
    QCOMPARE(noIdentity.errors, "dtlsctl: no session of that identity is open\n"_ba);
    QCOMPARE(noIdentity.output, QByteArray());

    ClientProcess device(sClient());
    QVERIFY2(device.connectToServer(), qPrintable(device.errorText()));
    const QString number = session();
    QCOMPARE(tell({u"close"_s, number}).status, 0);
    const Outcome noSession = tell({u"--json"_s, u"send"_s, number, u"x"_s});
    QCOMPARE(noSession.status, 1);
    QCOMPARE(noSession.errors, "dtlsctl: no such session is open\n"_ba);
    QCOMPARE(noSession.output,
             R"({"code":"not-found","error":"no such session is open","ok":false})"
             "\n"_ba);
    QCOMPARE(tell({u"send"_s, number}).status, 64);
}

/// It says so by max_fragment_length.
void TestDtlsctlDaemon::aDeviceMayTakeLessThanARecordHolds()
{
    startDaemon({});
    ClientProcess device(sClient({u"-maxfraglen"_s, u"512"_s}));
    QVERIFY2(device.connectToServer(), qPrintable(device.errorText()));
    const Outcome tooLong = tell({u"send"_s, u"--identity=dev"_s, u"-"_s}, QByteArray(513, '\0'));
    QCOMPARE(tooLong.status, 1);
    QCOMPARE(tooLong.errors, "dtlsctl: the data is longer than the device takes\n"_ba);
    QCOMPARE(tell({u"send"_s, session(), QString(512, u'x')}).status, 0);
    QByteArray received;
    waitUntil(
        [&] {
            received += device.takeReplies();
            return received.size() >= 512;
        },
        QDeadlineTimer(patience));
    QCOMPARE(received, QByteArray(512, 'x'));
}

void TestDtlsctlDaemon::anInputThatIsNoDatagramIsNotSent_data()
{
    QTest::addColumn<QString>("input"); // a redirection of the shell
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("problem");
    QTest::newRow("an empty one") << u"</dev/null"_s << 65
                                  << "is empty; 1 to 16384 bytes are accepted"_ba;
    QTest::newRow("none") << u"<&-"_s << 65 << "is empty; 1 to 16384 bytes are accepted"_ba;
    QTest::newRow("one without end")
        << u"</dev/zero"_s << 65 << "has more than 16384 bytes; 1 to 16384 bytes are accepted"_ba;
    QTest::newRow("a directory") << u"</"_s << 66 << "cannot be read: Is a directory"_ba;
}

void TestDtlsctlDaemon::anInputThatIsNoDatagramIsNotSent()
{
    QFETCH(QString, input);
    QFETCH(int, status);
    QFETCH(QByteArray, problem);
    m_control->answer("{\"ok\":true,\"sent\":1}\n");
    ChildProcess shell;
    QVERIFY(
        shell.run({u"sh"_s,
                   {u"-c"_s, u"exec \"$0\" \"$@\" "_s + input, QStringLiteral(DTLSCTL_BINARY),
                    u"--socket"_s, m_control->path(), u"send"_s, u"--identity=dev"_s, u"-"_s}}));
    const Outcome outcome = outcomeOf(shell);
    QCOMPARE(outcome.errors, "dtlsctl: standard input " + problem + '\n');
    QCOMPARE(outcome.output, QByteArray());
    QCOMPARE(outcome.status, status);
    QCOMPARE(m_control->questions(), QList<QByteArray>());
}

DTLSD_TEST(TestDtlsctlDaemon)
#include "tst_dtlsctldaemon.moc"
