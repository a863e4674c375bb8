// SPDX-License-Identifier: Apache-2.0
//
// dtlsd with sockets that were bound before it was started: by systemd-socket-activate(1), which
// does what systemd does for a socket unit, or by the test in its place.
#include "support/CraftedHello.h"
#include "support/DaemonProcess.h"
#include "support/FreePort.h"
#include "support/HonestFleet.h"
#include "support/JsonFields.h"
#include "support/ProcessUsage.h"
#include "support/TestProgram.h"
#include "support/TwoDevices.h"

#include <QFileInfo>
#include <QNetworkDatagram>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTcpSocket>
#include <QUdpSocket>

#include <algorithm>
#include <memory>
#include <vector>

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

const QString activator = QStringLiteral("systemd-socket-activate");

/// Where to listen is nowhere: it has to be ignored.
QByteArray ini(const QByteArray &rest = {}, const QByteArray &listen = "192.0.2.1:1")
{
    return "[server]\nlisten = " + listen + "\nreply = echo\n" + rest +
           "\n[psk]\nfile =\n[identity dev]\nkey = text:AAAAAAAAAAAAAAAA\n"
           "allow_from = 127.0.0.0/8, ::1/128\n";
}

/// What listens for @p daemon at @p addresses, and starts it by way of @p wrapper when something
/// comes.
bool waitsAt(DaemonProcess &daemon, const QStringList &addresses, QStringList options,
             const QStringList &wrapper = {})
{
    for (const QString &address : addresses)
        options << QStringLiteral("--listen") << address;
    // It passes hardly any of its environment on.
    for (const QString &name : {QStringLiteral("RUNTIME_DIRECTORY"), QStringLiteral("ASAN_OPTIONS"),
                                QStringLiteral("TSAN_OPTIONS")})
        options << QStringLiteral("--setenv") << name;
    daemon.runBy({activator, options + wrapper});
    const auto listens = [&] {
        return daemon.errorText().count(QStringLiteral("Listening on")) == addresses.size() ||
               !daemon.process().isRunning();
    };
    return daemon.launch() && waitUntil(listens, QDeadlineTimer(patience)) &&
           daemon.process().isRunning();
}

const QStringList datagrams{QStringLiteral("--datagram")};

/// Begins a handshake at @p server, and returns where the answer came from.
SocketAddress answerTo(QUdpSocket &peer, const SocketAddress &server)
{
    peer.writeDatagram(CraftedHello().datagram(), server.address(), server.port());
    if (!waitUntil([&] { return peer.hasPendingDatagrams(); }, QDeadlineTimer(patience)))
        return {};
    const QNetworkDatagram answer = peer.receiveDatagram();
    return cookieOf(answer.data()) ? SocketAddress(answer.senderAddress(),
                                                   static_cast<std::uint16_t>(answer.senderPort()))
                                   : SocketAddress();
}

/// Whether the daemon echoes a message of a device.
bool isServed(const SocketAddress &server)
{
    DtlsClient client(dev());
    QSignalSpy connected(&client, &DtlsClient::connected);
    QSignalSpy received(&client, &DtlsClient::received);
    return client.connectTo(server) &&
           waitUntil([&] { return !connected.isEmpty(); }, QDeadlineTimer(patience)) &&
           client.send("hello") &&
           waitUntil([&] { return !received.isEmpty(); }, QDeadlineTimer(patience));
}

/// Sockets that share their addresses with siblings, as ReusePort=yes makes them.
class Siblings
{
public:
    ~Siblings()
    {
        for (const int descriptor : m_descriptors)
            close(descriptor);
    }
    /// One more at @p address, whose port it takes, or sets if that is 0.
    void add(SocketAddress &address)
    {
        const int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
        m_descriptors << descriptor;
        const int on = 1;
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
        sockaddr_storage storage{};
        const socklen_t length = address.toSockaddr(storage, AF_INET);
        QCOMPARE(bind(descriptor, reinterpret_cast<const sockaddr *>(&storage), length), 0);
        address = DatagramSocket::addressOf(descriptor);
    }
    /// What passes them to a program, in their order.
    [[nodiscard]] Command passing() const
    {
        QString script;
        for (qsizetype i = 0; i < m_descriptors.size(); ++i) // first away from where they go to
            script += QStringLiteral("exec {fd%1}<&%2\n").arg(i).arg(m_descriptors[i]);
        for (qsizetype i = 0; i < m_descriptors.size(); ++i)
            script += QStringLiteral("exec %1<&$fd%2\n").arg(3 + i).arg(i);
        script +=
            QStringLiteral("LISTEN_PID=$$ LISTEN_FDS=%1 exec \"$@\"").arg(m_descriptors.size());
        return {QStringLiteral("bash"), {QStringLiteral("-euc"), script, QStringLiteral("bash")}};
    }

private:
    QList<int> m_descriptors;
};

} // namespace

class TestActivation : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void theFirstDatagramStartsItAndIsAnswered_data();
    void theFirstDatagramStartsItAndIsAnswered();
    void twoSocketsAreServedByTwoWorkers();
    void thereAreNoMoreWorkersThanSockets();
    void socketsOfOneAddressGoToDifferentWorkers();
    void aReloadLeavesThemAsTheyAre();
    void itNeedsNoNetworkOfItsOwn();
    void aStreamSocketIsRefused();
    void aServiceIsNotAtAPassedAddress_data();
    void aServiceIsNotAtAPassedAddress();
};

void TestActivation::initTestCase()
{
    if (QStandardPaths::findExecutable(activator).isEmpty())
        QSKIP("needs systemd-socket-activate");
}

void TestActivation::theFirstDatagramStartsItAndIsAnswered_data()
{
    QTest::addColumn<QString>("listen");
    QTest::addColumn<QString>("spokenTo");
    QTest::newRow("127.0.0.1") << QStringLiteral("127.0.0.1:%1") << QStringLiteral("127.0.0.1:%1");
    QTest::newRow("127.0.0.2 through 0.0.0.0")
        << QStringLiteral("0.0.0.0:%1") << QStringLiteral("127.0.0.2:%1");
    QTest::newRow("::1") << QStringLiteral("[::1]:%1") << QStringLiteral("[::1]:%1");
    QTest::newRow("::1 through both families")
        << QStringLiteral("%1") << QStringLiteral("[::1]:%1");
    QTest::newRow("127.0.0.2 through both families")
        << QStringLiteral("%1") << QStringLiteral("127.0.0.2:%1");
}

void TestActivation::theFirstDatagramStartsItAndIsAnswered()
{
    QFETCH(QString, listen);
    QFETCH(QString, spokenTo);
    const std::uint16_t port = freePort();
    const SocketAddress server = SocketAddress::parse(spokenTo.arg(port)).value();
    DaemonProcess daemon(ini());
    QVERIFY2(waitsAt(daemon, {listen.arg(port)}, datagrams), qPrintable(daemon.errorText()));
    QVERIFY(daemon.events(QStringLiteral("started")).isEmpty());

    // Nobody repeats it: the answer is to the datagram that waited.
    QUdpSocket peer;
    QCOMPARE(answerTo(peer, server), server);
    const auto started = daemon.waitForEvent(QStringLiteral("started"));
    QVERIFY2(started, qPrintable(daemon.errorText()));
    QVERIFY(
        text(*started, "message").contains(QStringLiteral(" (passed by systemd) with 1 worker")));

    QVERIFY(isServed(server)); // and allow_from admits an IPv4 address on a socket of both families
    const auto opened = daemon.waitForEvent(QStringLiteral("session-opened"));
    QVERIFY(opened);
    QCOMPARE(text(*opened, "local_address"), server.toString());
    QCOMPARE(text(*opened, "peer_address"),
             server.isIPv4() ? QStringLiteral("127.0.0.1") : QStringLiteral("::1"));
    QCOMPARE(daemon.stop(), 0);
}

void TestActivation::twoSocketsAreServedByTwoWorkers()
{
    const QStringList addresses{QStringLiteral("127.0.0.1:%1").arg(freePort()),
                                QStringLiteral("[::1]:%1").arg(freePort())};
    DaemonProcess daemon(ini("workers = 2"));
    QVERIFY2(waitsAt(daemon, addresses, datagrams), qPrintable(daemon.errorText()));
    for (const QString &address : addresses)
        QVERIFY(isServed(SocketAddress::parse(address).value()));
    const auto started = daemon.waitForEvent(QStringLiteral("started"));
    QVERIFY(started);
    QVERIFY2(text(*started, "message")
                 .contains(addresses.join(u", ") +
                           QStringLiteral(" (passed by systemd) with 2 workers")),
             qPrintable(text(*started, "message")));
    QCOMPARE(daemon.stop(), 0);
}

void TestActivation::thereAreNoMoreWorkersThanSockets()
{
    SocketAddress address = SocketAddress::parse(u"127.0.0.1:0").value();
    Siblings sockets;
    sockets.add(address);
    DaemonProcess daemon(ini("workers = 3\nreceive_buffer = 1M"));
    daemon.runBy(sockets.passing());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QVERIFY(isServed(address));
    QStringList warnings;
    for (const QJsonObject &event : daemon.events(QStringLiteral("configuration-warning")))
        warnings += text(event, "message").remove(daemon.configFile());
    QCOMPARE(warnings.size(), 2);
    QCOMPARE(warnings[0], QStringLiteral(": [server] workers: there are 1 instead of 3, one for "
                                         "each socket that systemd has passed"));
    // How large it is by default is the system's affair.
    QVERIFY(warnings[1].startsWith(
        QStringLiteral(": [server] receive_buffer: the sockets that systemd has passed have ")));
    QVERIFY(warnings[1].endsWith(QStringLiteral(" instead of 1M, so bursts may be lost; set "
                                                "ReceiveBuffer= in the socket unit")));
    QCOMPARE(daemon.stop(), 0);
}

void TestActivation::socketsOfOneAddressGoToDifferentWorkers()
{
    SocketAddress first = SocketAddress::parse(u"127.0.0.1:0").value();
    SocketAddress second = SocketAddress::parse(u"127.0.0.2:0").value();
    Siblings sockets;
    for (int i = 0; i < 2; ++i) {
        sockets.add(first);
        sockets.add(second);
    }
    // Each worker may have one session. Those of a worker that had both sockets of an address would
    // be one in all.
    DaemonProcess daemon(ini("workers = 2\n[limits]\nmax_sessions = 2"));
    daemon.runBy(sockets.passing());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QCOMPARE(daemon.addresses(), (QList{first, second}));
    for (const SocketAddress &server : {first, second}) {
        std::vector<std::unique_ptr<DtlsClient>> devices;
        for (int i = 0; i < 32; ++i) {
            devices.push_back(std::make_unique<DtlsClient>(dev()));
            QSignalSpy connected(devices.back().get(), &DtlsClient::connected);
            QVERIFY(devices.back()->connectTo(server));
            QTRY_VERIFY(!connected.isEmpty());
        }
        for (const auto &device : devices)
            device->close();
        const QString closed = QStringLiteral("session-closed");
        const auto isOfServer = [&](const QJsonObject &event) {
            return text(event, "local_address") == server.toString();
        };
        const auto isEvicted = [&](const QJsonObject &event) {
            return isOfServer(event) && text(event, "reason") == u"evicted";
        };
        const auto count = [&](const auto &predicate) {
            const auto events = daemon.events(closed);
            return std::count_if(events.begin(), events.end(), predicate);
        };
        QTRY_COMPARE(count(isOfServer), 32);
        QCOMPARE(count(isEvicted), 30);
    }
    QCOMPARE(daemon.stop(), 0);
}

void TestActivation::aReloadLeavesThemAsTheyAre()
{
    SocketAddress address = SocketAddress::parse(u"127.0.0.1:0").value();
    Siblings sockets;
    sockets.add(address);
    sockets.add(address);
    DaemonProcess daemon(ini("workers = 2"));
    daemon.runBy(sockets.passing());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    HonestFleet fleet(16, dev());
    QVERIFY(fleet.start(address));
    const qsizetype descriptors = ProcessUsage(daemon.process().processId()).descriptors();
    const auto warnings = [&] { return daemon.events(QStringLiteral("configuration-warning")); };
    const qsizetype before = warnings().size();
    const auto reloads = [&](const QByteArray &config) {
        const qsizetype soFar = daemon.events(QStringLiteral("reloaded")).size();
        daemon.setConfig(config);
        daemon.process().sendSignal(SIGHUP);
        return waitUntil([&] { return daemon.events(QStringLiteral("reloaded")).size() > soFar; },
                         QDeadlineTimer(patience));
    };

    QVERIFY(reloads(ini("workers = 2")));
    QCOMPARE(warnings().size(), before);
    QVERIFY(reloads(ini("workers = 2", "127.0.0.1:0")));
    QCOMPARE(warnings().size(), before + 1);
    QCOMPARE(text(warnings().last(), "message"),
             daemon.configFile() + QStringLiteral(": [server] listen: is ignored, as systemd has "
                                                  "passed the sockets; the socket unit says where "
                                                  "they are"));
    QCOMPARE(text(daemon.events(QStringLiteral("reloaded")).last(), "message"),
             QStringLiteral("configuration reloaded: nothing changed"));

    QCOMPARE(ProcessUsage(daemon.process().processId()).descriptors(), descriptors);
    QVERIFY(fleet.goRound());
    QVERIFY(fleet.settle());
    QCOMPARE(fleet.failures(), 0);
    QCOMPARE(fleet.answered(), fleet.asked());
    QCOMPARE(daemon.stop(), 0);
}

void TestActivation::itNeedsNoNetworkOfItsOwn()
{
    if (geteuid() != 0)
        QSKIP("a network namespace of its own needs root");
    ChildProcess trial;
    const QStringList apart{QStringLiteral("unshare"), QStringLiteral("--net"),
                            QStringLiteral("--")};
    if (!trial.run({apart[0], {apart[1], apart[2], QStringLiteral("true")}}) ||
        !trial.waitForEnd() || trial.exitCode() != 0)
        QSKIP("a network namespace of its own needs the right to make one (CAP_SYS_ADMIN)");

    const std::uint16_t port = freePort();
    DaemonProcess daemon(ini());
    QVERIFY2(waitsAt(daemon, {QString::number(port)}, datagrams, apart),
             qPrintable(daemon.errorText()));
    for (const char *host : {"127.0.0.2", "[::1]"}) {
        const QString spokenTo = QStringLiteral("%1:%2").arg(QLatin1String(host)).arg(port);
        QVERIFY(isServed(SocketAddress::parse(spokenTo).value()));
    }
    const auto network = [](const QString &process) {
        return QFileInfo(QStringLiteral("/proc/%1/ns/net").arg(process)).symLinkTarget();
    };
    QVERIFY(!network(QStringLiteral("self")).isEmpty());
    QVERIFY(network(QString::number(daemon.process().processId())) !=
            network(QStringLiteral("self")));
    QCOMPARE(daemon.stop(), 0);
}

void TestActivation::aStreamSocketIsRefused()
{
    const std::uint16_t port = freePort();
    DaemonProcess daemon(ini());
    QVERIFY2(waitsAt(daemon, {QStringLiteral("127.0.0.1:%1").arg(port)},
                     {QStringLiteral("--fdname=dtlsd.socket")}),
             qPrintable(daemon.errorText()));
    QTcpSocket client;
    client.connectToHost(QHostAddress(QHostAddress::LocalHost), port);
    QCOMPARE(daemon.waitForExit(), EX_CONFIG); // starting it again would not mend it
    QVERIFY2(daemon.errorText().endsWith(
                 QStringLiteral("dtlsd: systemd has passed descriptor 3 (dtlsd.socket), which is "
                                "no UDP socket; UDP sockets over IPv4 or IPv6 are accepted, as "
                                "ListenDatagram= makes them\n")),
             qPrintable(daemon.errorText()));
}

void TestActivation::aServiceIsNotAtAPassedAddress_data()
{
    QTest::addColumn<QString>("listen");
    QTest::addColumn<QString>("service");
    QTest::addColumn<bool>("isRefused");
    const QString service = QStringLiteral("127.0.0.1:%1");
    QTest::newRow("the same address") << service << service << true;
    QTest::newRow("0.0.0.0") << QStringLiteral("0.0.0.0:%1") << service << true;
    QTest::newRow("both families, and a service of IPv4")
        << QStringLiteral("%1") << service << true;
    QTest::newRow("both families, and a service of IPv6")
        << QStringLiteral("%1") << QStringLiteral("[::1]:%1") << true;
    QTest::newRow("another address") << QStringLiteral("127.0.0.2:%1") << service << false;
}

void TestActivation::aServiceIsNotAtAPassedAddress()
{
    QFETCH(QString, listen);
    QFETCH(QString, service);
    QFETCH(bool, isRefused);
    const std::uint16_t port = freePort();
    const QString target = service.arg(port);
    DaemonProcess daemon(ini("forward = " + target.toUtf8()));
    QVERIFY2(waitsAt(daemon, {listen.arg(port)}, datagrams), qPrintable(daemon.errorText()));
    const QHostAddress host(isRefused ? QStringLiteral("127.0.0.1") : QStringLiteral("127.0.0.2"));
    QUdpSocket().writeDatagram("wake up", host, port);
    if (!isRefused) {
        QVERIFY2(daemon.waitForEvent(QStringLiteral("started")), qPrintable(daemon.errorText()));
        QCOMPARE(daemon.stop(), 0);
        return;
    }
    QCOMPARE(daemon.waitForExit(), EX_UNAVAILABLE);
    const auto failed = daemon.events(QStringLiteral("listen-failed"));
    QCOMPARE(failed.size(), 1);
    QCOMPARE(text(failed[0], "message"),
             QStringLiteral("cannot listen: forward: %1 is an address of this dtlsd, which systemd "
                            "has passed; that of a service is accepted")
                 .arg(target));
}

DTLSD_TEST(TestActivation)
#include "tst_activation.moc"
