// SPDX-License-Identifier: Apache-2.0
//
// The control socket of the running daemon: what it answers, what it does, and that nobody who
// misuses it disturbs a device.
#include "support/ControlPeer.h"
#include "support/DaemonProcess.h"
#include "support/DescriptorLimit.h"
#include "support/HonestFleet.h"
#include "support/JsonFields.h"
#include "support/ProcessUsage.h"
#include "support/TestProgram.h"
#include "support/TwoDevices.h"

#include <QFile>
#include <QJsonArray>
#include <QSet>
#include <QSignalSpy>

#include <algorithm>
#include <iterator>
#include <memory>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

/// The sessions that closed, as soon as there are @p count, or as many as there will be.
QList<QJsonObject> closedSessions(DaemonProcess &daemon, qsizetype count)
{
    const QString name = QStringLiteral("session-closed");
    waitUntil([&] { return daemon.events(name).size() >= count; }, QDeadlineTimer(patience));
    return daemon.events(name);
}

/// Sessions that keep silent.
class Crowd
{
public:
    explicit Crowd(const SocketAddress &server)
        : m_server(server)
    {
    }

    /// false: not all of them opened.
    bool open(int count, const DtlsClient::Options &options = dev())
    {
        for (int opened = 0; opened < count; opened += atOnce) {
            for (int i = opened; i < qMin(count, opened + atOnce); ++i) {
                m_clients.push_back(std::make_unique<DtlsClient>(options));
                QObject::connect(m_clients.back().get(), &DtlsClient::closed,
                                 m_clients.back().get(), [this] { ++m_closed; });
                if (!m_clients.back()->connectTo(m_server))
                    return false;
            }
            if (!waitUntil([&] { return connected(); }, QDeadlineTimer(patience)))
                return false;
        }
        return true;
    }
    /// How many heard close_notify.
    [[nodiscard]] int closed() const { return m_closed; }
    DtlsClient &operator[](std::size_t index) { return *m_clients[index]; }

private:
    /// Fewer than an address may have half-open with one of two workers: 64 / 2.
    static constexpr int atOnce = 25;

    [[nodiscard]] bool connected() const
    {
        return std::all_of(m_clients.rbegin(),
                           m_clients.rbegin() + qMin<std::ptrdiff_t>(atOnce, std::ssize(m_clients)),
                           [](const auto &client) { return client->isConnected(); });
    }

    const SocketAddress m_server;
    std::vector<std::unique_ptr<DtlsClient>> m_clients;
    int m_closed = 0;
};

} // namespace

class TestControlSocket : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(raiseDescriptorLimit() > 3000); }
    void statusAndSessionsTellOfTheDevices();
    void aSessionIsClosed();
    void allSessionsOfAnIdentityAreClosed();
    void aReloadIsAnsweredWithItsOutcome();
    void aMisusedSocketServesOnAndSoDoesTheDaemon();
    void theSlowAreLeftBehind();
    void aSilentClientGivesWay();
    void thousandsOfConnectionsLeaveNothing();
    void twoThousandSessionsAreListedToWhoHasFinishedSending();
};

void TestControlSocket::statusAndSessionsTellOfTheDevices()
{
    DaemonProcess daemon(echoingTwoDevices());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    Crowd crowd(daemon.addresses().constFirst());
    QVERIFY(crowd.open(1) && crowd.open(2, other()));
    QSignalSpy received(&crowd[0], &DtlsClient::received);
    QVERIFY(crowd[0].send("hello"));
    QVERIFY(received.wait(qtPatience));

    const QJsonObject status = ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"status\"}");
    QVERIFY(isOk(status));
    QCOMPARE(number(status, "pid"), daemon.process().processId());
    QCOMPARE(text(status, "config_file"), daemon.configFile());
    QCOMPARE(status.value(QStringLiteral("listen")).toArray(),
             QJsonArray{daemon.addresses().constFirst().toString()});
    QCOMPARE(number(status, "identities"), 2);
    QCOMPARE(number(status, "sessions"), 3);
    QCOMPARE(number(status, "sessions_opened"), 3);
    QCOMPARE(number(status, "datagrams_received"), 1);
    QCOMPARE(number(status, "bytes_sent"), 5);
    QCOMPARE(status.value(QStringLiteral("workers")).toArray().size(), 2);
    const QJsonObject log = status.value(QStringLiteral("log")).toObject();
    QCOMPARE(text(log, "target"), QStringLiteral("json"));
    QVERIFY(number(log, "written") >= 5); // started, three sessions, one datagram
    QCOMPARE(number(log, "lost"), 0);

    QList<QJsonObject> sessions =
        ControlPeer::askAll(daemon.controlSocket(), "{\"command\":\"sessions\"}");
    QCOMPARE(sessions.size(), 4);
    QCOMPARE(number(sessions.takeLast(), "sessions"), 3);
    int heard = 0;
    for (const QJsonObject &session : sessions) {
        QCOMPARE(text(session, "state"), QStringLiteral("established"));
        QCOMPARE(text(session, "local"), daemon.addresses().constFirst().toString());
        const auto opened =
            daemon.waitForEvent(QStringLiteral("session-opened"), [&](const QJsonObject &event) {
                return text(event, "session") == text(session, "session") &&
                       text(event, "identity") == text(session, "identity") &&
                       text(event, "cipher") == text(session, "cipher");
            });
        QVERIFY(opened);
        if (text(session, "identity") == u"dev") {
            ++heard;
            QCOMPARE(number(session, "datagrams_received"), 1);
            QCOMPARE(number(session, "bytes_received"), 5);
            QCOMPARE(text(session, "peer"),
                     QStringLiteral("127.0.0.1:%1").arg(crowd[0].localAddress().port()));
        }
    }
    QCOMPARE(heard, 1);
    QJsonObject health = ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"health\"}");
    QVERIFY(health.take(QStringLiteral("connection_ids")).isBool()); // as the backend has them
    QCOMPARE(health, (QJsonObject{{QStringLiteral("ok"), true},
                                  {QStringLiteral("keep_sessions"), false}, // no service manager
                                  {QStringLiteral("workers"), 2},
                                  {QStringLiteral("sockets"), 2}}));
    QCOMPARE(daemon.stop(), 0);
    QVERIFY(!QFile::exists(daemon.controlSocket()));
}

void TestControlSocket::aSessionIsClosed()
{
    DaemonProcess daemon(echoingTwoDevices());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    Crowd crowd(daemon.addresses().constFirst());
    QVERIFY(crowd.open(3));
    const QJsonObject one =
        ControlPeer::askAll(daemon.controlSocket(), "{\"command\":\"sessions\"}").value(1);
    const QByteArray request =
        R"({"command": "close", "session": ")" + text(one, "session").toLatin1() + "\"}";
    QCOMPARE(ControlPeer::ask(daemon.controlSocket(), request),
             (QJsonObject{{QStringLiteral("ok"), true}, {QStringLiteral("closed"), 1}}));
    QVERIFY(waitUntil([&] { return crowd.closed() == 1; }, QDeadlineTimer(patience)));
    QCOMPARE(text(ControlPeer::ask(daemon.controlSocket(), request), "code"),
             QStringLiteral("not-found"));
    const auto closed = closedSessions(daemon, 1);
    QCOMPARE(closed.size(), 1);
    QCOMPARE(text(closed[0], "reason"), QStringLiteral("operator"));
    QCOMPARE(text(closed[0], "session"), text(one, "session"));
    QCOMPARE(
        number(ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"status\"}"), "sessions"),
        2);
    QCOMPARE(crowd.closed(), 1);
    QCOMPARE(daemon.stop(), 0);
}

void TestControlSocket::allSessionsOfAnIdentityAreClosed()
{
    DaemonProcess daemon(echoingTwoDevices());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    Crowd stays(daemon.addresses().constFirst());
    Crowd goes(daemon.addresses().constFirst());
    QVERIFY(stays.open(5) && goes.open(20, other())); // on both workers
    const QByteArray request = R"({"command": "close-identity", "identity": "other"})";
    QCOMPARE(number(ControlPeer::ask(daemon.controlSocket(), request), "closed"), 20);
    QVERIFY(waitUntil([&] { return goes.closed() == 20; }, QDeadlineTimer(patience)));
    QCOMPARE(text(ControlPeer::ask(daemon.controlSocket(), request), "code"),
             QStringLiteral("not-found"));
    QCOMPARE(stays.closed(), 0);
    const auto closed = closedSessions(daemon, 20);
    QCOMPARE(closed.size(), 20);
    for (const QJsonObject &event : closed) {
        QCOMPARE(text(event, "reason"), QStringLiteral("operator"));
        QCOMPARE(text(event, "identity"), QStringLiteral("other"));
    }
    Crowd again(daemon.addresses().constFirst()); // it is no ban
    QVERIFY(again.open(1, other()));
    QCOMPARE(daemon.stop(), 0);
}

void TestControlSocket::aReloadIsAnsweredWithItsOutcome()
{
    DaemonProcess daemon(echoingTwoDevices());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    Crowd crowd(daemon.addresses().constFirst());
    QVERIFY(crowd.open(1) && crowd.open(2, other()));
    const QByteArray request = "{\"command\":\"reload\"}";

    daemon.setConfig(echoingTwoDevices("[limits]\nmax_sesions = 5\n[tls]\nmtu = 1\n"));
    const QJsonObject rejected = ControlPeer::ask(daemon.controlSocket(), request);
    QCOMPARE(text(rejected, "code"), QStringLiteral("rejected"));
    QVERIFY2(text(rejected, "error")
                 .startsWith(QStringLiteral("configuration not reloaded: %1:12: [limits] "
                                            "max_sesions: is unknown")
                                 .arg(daemon.configFile())),
             qPrintable(text(rejected, "error")));
    QVERIFY(
        text(rejected, "error").endsWith(QStringLiteral("; 1 further error, see dtlsd --check")));
    const auto logged = daemon.waitForEvent(QStringLiteral("reload-rejected"));
    QVERIFY(logged);
    QCOMPARE(text(*logged, "message"), text(rejected, "error"));
    QCOMPARE(crowd.closed(), 0);

    QByteArray without = echoingTwoDevices("[log]\nqueue = 100\n");
    without.replace("[identity other]\nkey = text:BBBBBBBBBBBBBBBB\n", "");
    daemon.setConfig(without);
    const QJsonObject applied = ControlPeer::ask(daemon.controlSocket(), request);
    QCOMPARE(applied,
             (QJsonObject{{QStringLiteral("ok"), true},
                          {QStringLiteral("message"),
                           QStringLiteral("configuration reloaded: 1 identity removed (other); "
                                          "2 sessions revoked")},
                          {QStringLiteral("revoked"), 2},
                          {QStringLiteral("warnings"),
                           QJsonArray{daemon.configFile() +
                                      QStringLiteral(": [log] queue: takes effect after a "
                                                     "restart")}}}));
    QVERIFY(waitUntil([&] { return crowd.closed() == 2; }, QDeadlineTimer(patience)));
    const QJsonObject status = ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"status\"}");
    QCOMPARE(status.value(QStringLiteral("reloads")).toObject(),
             (QJsonObject{{QStringLiteral("applied"), 1},
                          {QStringLiteral("rejected"), 1},
                          {QStringLiteral("last"), QStringLiteral("applied")}}));
    QCOMPARE(number(status, "identities"), 1);
    QCOMPARE(daemon.stop(), 0);
}

void TestControlSocket::aMisusedSocketServesOnAndSoDoesTheDaemon()
{
    DaemonProcess daemon(echoingTwoDevices());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    HonestFleet fleet(5, dev());
    QVERIFY(fleet.start(daemon.addresses().constFirst()));
    const ProcessUsage usage(daemon.process().processId());
    const qsizetype descriptors = usage.descriptors();

    const QByteArray most = R"({"command": "status"})" + QByteArray(32'746, ' ') + '\n';
    QCOMPARE(most.size(), 32'768);
    QVERIFY(isOk(ControlPeer::ask(daemon.controlSocket(), most.chopped(1))));
    for (const QByteArray &request :
         {QByteArray("nonsense\n"), QByteArray("\n"), QByteArray("\0\0\0\n", 4),
          QByteArray("[{\"command\":\"status\"}]\n"), ' ' + most, QByteArray(40'000, '{'),
          QByteArray(40'000, '{') + '\n', QByteArray(100'000, '['),
          QByteArray("{\"command\":") + QByteArray(4000, '[') + '\n'}) {
        ControlPeer client(daemon.controlSocket());
        client.send(request);
        QCOMPARE(codeOf(client.readAll()), QStringLiteral("bad-request"));
    }
    for (int i = 0; i < 100; ++i) {
        for (const char *request : {"", "{\"comm", "{\"command\":\"sessions\"}\n"}) {
            const ControlPeer client(daemon.controlSocket());
            client.send(request); // and goes
        }
    }
    QVERIFY(isOk(ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"health\"}")));
    QVERIFY(
        waitUntil([&] { return usage.descriptors() == descriptors; }, QDeadlineTimer(patience)));
    QVERIFY(fleet.goRound() && fleet.settle());
    QCOMPARE(fleet.failures(), 0);
    QCOMPARE(daemon.stop(), 0);
}

void TestControlSocket::theSlowAreLeftBehind()
{
    DaemonProcess daemon(echoingTwoDevices());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    HonestFleet fleet(5, dev());
    QVERIFY(fleet.start(daemon.addresses().constFirst()));
    ControlPeer silent(daemon.controlSocket());
    ControlPeer slow(daemon.controlSocket());
    std::optional<QByteArray> answer;
    for (int i = 0; i < 20 && !answer; ++i) {
        slow.send("{");
        answer = slow.readAll(QDeadlineTimer(1000));
    }
    QCOMPARE(codeOf(answer), QStringLiteral("timeout"));
    QCOMPARE(codeOf(silent.readAll()), QStringLiteral("timeout"));
    QVERIFY(silent.isAtEnd());
    QVERIFY(fleet.goRound() && fleet.settle());
    QCOMPARE(fleet.failures(), 0);
    QCOMPARE(daemon.stop(), 0);
}

void TestControlSocket::aSilentClientGivesWay()
{
    DaemonProcess daemon(echoingTwoDevices());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    std::vector<ControlPeer> clients;
    clients.reserve(16);
    for (int i = 0; i < 16; ++i)
        clients.emplace_back(daemon.controlSocket());
    // Whoever asks takes the place of one that does not.
    ControlPeer asking(daemon.controlSocket());
    const auto first = ControlPeer::parse(clients[0].readAll());
    QCOMPARE(first.size(), 1);
    QCOMPARE(text(first[0], "code"), QStringLiteral("busy"));
    QCOMPARE(text(first[0], "error"), QStringLiteral("16 clients are being served; try again"));
    clients[0] = std::move(asking);
    for (ControlPeer &client : clients) // at once, before any of them is too slow
        QVERIFY(client.send("{\"command\":\"health\"}\n"));
    for (ControlPeer &client : clients) {
        const auto answer = ControlPeer::parse(client.readAll());
        QCOMPARE(answer.size(), 1);
        QVERIFY(isOk(answer[0]));
    }
    QVERIFY(isOk(ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"status\"}")));
    QCOMPARE(daemon.stop(), 0);
}

void TestControlSocket::thousandsOfConnectionsLeaveNothing()
{
    DaemonProcess daemon(echoingTwoDevices());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    HonestFleet fleet(5, dev());
    QVERIFY(fleet.start(daemon.addresses().constFirst()));
    const ProcessUsage usage(daemon.process().processId());
    const qsizetype descriptors = usage.descriptors();
    const auto inSequence = [&](int count) {
        for (int i = 0; i < count; ++i) {
            if (!isOk(ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"status\"}")))
                return false;
        }
        return true;
    };
    QVERIFY(inSequence(200)); // what the allocator keeps
    const qint64 memory = usage.memory();
    QVERIFY(inSequence(2000));

    int served = 0;
    for (int round = 0; round < 5; ++round) {
        std::vector<ControlPeer> clients;
        for (int i = 0; i < 400; ++i) {
            clients.emplace_back(daemon.controlSocket());
            clients.back().send("{\"command\":\"status\"}\n");
        }
        for (ControlPeer &client : clients) {
            const auto answer = ControlPeer::parse(client.readAll());
            QCOMPARE(answer.size(), 1);
            const bool isServed = isOk(answer[0]);
            served += isServed ? 1 : 0;
            QVERIFY(isServed || text(answer[0], "code") == u"busy");
        }
    }
    QVERIFY(served > 0);
    QVERIFY(
        waitUntil([&] { return usage.descriptors() == descriptors; }, QDeadlineTimer(patience)));
    qInfo(
        "2,000 connections one after the other, and 2,000 by 400 at once, of which %d were served: "
        "%lld KiB before, %lld KiB after",
        served, static_cast<long long>(memory), static_cast<long long>(usage.memory()));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // which keep what was freed
    QVERIFY(usage.memory() < memory + 2048);
#endif
    QVERIFY(fleet.goRound() && fleet.settle());
    QCOMPARE(fleet.failures(), 0);
    QCOMPARE(daemon.stop(), 0);
}

void TestControlSocket::twoThousandSessionsAreListedToWhoHasFinishedSending()
{
    constexpr int count = 2000;
    DaemonProcess daemon(echoingTwoDevices("[log]\nlevel = notice\n"));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    Crowd crowd(daemon.addresses().constFirst());
    QVERIFY(crowd.open(count));

    ControlPeer client(daemon.controlSocket());
    QVERIFY(client.send("{\"command\":\"sessions\"}\n"));
    client.endRequest();
    const auto answer = client.readAll();
    QVERIFY(client.isAtEnd());
    QList<QJsonObject> lines = ControlPeer::parse(answer);
    QCOMPARE(lines.size(), count + 1);
    QCOMPARE(number(lines.takeLast(), "sessions"), count);
    QSet<QString> peers;
    for (const QJsonObject &line : lines)
        peers += text(line, "peer");
    QCOMPARE(peers.size(), count);

    // Who asks and does not read keeps nobody else waiting.
    const ControlPeer deaf(daemon.controlSocket());
    QVERIFY(deaf.send("{\"command\":\"sessions\"}\n"));
    QVERIFY(isOk(ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"sessions\"}")));
    QCOMPARE(number(ControlPeer::ask(daemon.controlSocket(),
                                     R"({"command": "close-identity", "identity": "dev"})"),
                    "closed"),
             count);
    QVERIFY(waitUntil([&] { return crowd.closed() == count; }, QDeadlineTimer(patience)));
    QCOMPARE(daemon.stop(), 0);
}

DTLSD_TEST(TestControlSocket)
#include "tst_controlsocket.moc"
