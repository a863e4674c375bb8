// SPDX-License-Identifier: Apache-2.0
//
// What dtlsd says of itself when a part of it hangs: to who asks at the control socket, and to the
// service manager's watchdog.
#include "support/ControlPeer.h"
#include "support/DaemonProcess.h"
#include "support/HonestFleet.h"
#include "support/JournalInstance.h"
#include "support/JsonFields.h"
#include "support/NotifySocket.h"
#include "support/StoppedThread.h"
#include "support/TestProgram.h"
#include "support/TwoDevices.h"

#include <QTimer>

#include <memory>
#include <utility>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

const QByteArray configuration = "[server]\nlisten = 127.0.0.1:0\nworkers = 2\nreply = echo\n"
                                 "[psk]\nfile =\n[identity dev]\nkey = text:AAAAAAAAAAAAAAAA\n";

/// A daemon that a service manager watches.
class Watched
{
public:
    explicit Watched(JournalInstance *journal = nullptr)
        : daemon(configuration, journal)
    {
        daemon.setEnvironment(QStringLiteral("NOTIFY_SOCKET"),
                              QString::fromLocal8Bit(m_manager.path()));
        daemon.setEnvironment(QStringLiteral("WATCHDOG_USEC"), QStringLiteral("100000"));
        // A manager that does not read would keep the daemon waiting.
        QObject::connect(&m_reading, &QTimer::timeout, &m_reading, [this] { read(); });
        m_reading.start(10ms);
    }

    QJsonObject health()
    {
        return ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"health\"}");
    }
    /// How often it has shown life since this was last asked.
    int signsOfLife()
    {
        read();
        return std::exchange(m_signs, 0);
    }
    /// Whether it shows life @p count times more.
    bool staysAlive(int count)
    {
        int seen = 0;
        signsOfLife();
        return waitUntil([&] { return (seen += signsOfLife()) >= count; },
                         QDeadlineTimer(patience));
    }
    /// Whether it says that it is unhealthy, twice, and shows no life in between, when the next
    /// sign was long due.
    bool isGivenUp(const QString &problem)
    {
        if (text(health(), "error") != problem)
            return false;
        signsOfLife();
        return text(health(), "error") == problem && signsOfLife() == 0;
    }

private:
    void read()
    {
        for (QByteArray message; !(message = m_manager.next()).isNull();)
            m_signs += message == "WATCHDOG=1" ? 1 : 0;
    }

    NotifySocket m_manager;
    QTimer m_reading;
    int m_signs = 0;

public:
    DaemonProcess daemon; // ends before its manager does
};

} // namespace

class TestHealth : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aWorkerThatHangsIsNamed();
    void aLogThreadThatHangsIsNamed();
    void aStalledJournalIsUnhealthyAndNoDeath();
};

void TestHealth::aWorkerThatHangsIsNamed()
{
    Watched watched;
    DaemonProcess &daemon = watched.daemon;
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QVERIFY(watched.staysAlive(3));
    ControlPeer patientClient(daemon.controlSocket());
    {
        const StoppedThread worker(static_cast<pid_t>(daemon.process().processId()), "worker-1");
        if (!worker.isStopped())
            QSKIP("threads of another process cannot be stopped here");
        // A command that changes something waits for the worker; all else is told what hangs.
        QVERIFY(patientClient.send("{\"command\":\"close\",\"session\":\"0123456789abcdef\"}\n"));
        std::vector<std::unique_ptr<ControlPeer>> clients;
        for (const char *request : {R"({"command": "status"})", R"({"command": "sessions"})",
                                    R"({"command": "metrics"})", R"({"command": "reload"})"}) {
            clients.push_back(std::make_unique<ControlPeer>(daemon.controlSocket()));
            QVERIFY(clients.back()->send(QByteArray(request) + '\n'));
        }
        QStringList codes;
        for (const auto &client : clients) {
            const QJsonObject answer = ControlPeer::parse(client->readAll()).value(0);
            QVERIFY(text(answer, "error").endsWith(QStringLiteral("worker 1 does not answer")));
            codes += text(answer, "code");
        }
        const QString unavailable = QStringLiteral("unavailable");
        QCOMPARE(codes,
                 (QStringList{unavailable, unavailable, unavailable, QStringLiteral("rejected")}));
        QCOMPARE(patientClient.read(), QByteArray());
        QVERIFY(watched.isGivenUp(QStringLiteral("worker 1 does not answer")));
    }
    QCOMPARE(text(ControlPeer::parse(patientClient.readAll()).value(0), "code"),
             QStringLiteral("not-found"));
    QVERIFY(watched.staysAlive(3));
    QVERIFY(watched.health().value(QStringLiteral("ok")).toBool());
    QVERIFY(ControlPeer::ask(daemon.controlSocket(), R"({"command": "reload"})")
                .value(QStringLiteral("ok"))
                .toBool());
    QCOMPARE(daemon.stop(), 0);
}

void TestHealth::aLogThreadThatHangsIsNamed()
{
    Watched watched;
    DaemonProcess &daemon = watched.daemon;
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QVERIFY(watched.staysAlive(3));
    {
        const StoppedThread log(static_cast<pid_t>(daemon.process().processId()), "log");
        if (!log.isStopped())
            QSKIP("threads of another process cannot be stopped here");
        QVERIFY(watched.isGivenUp(QStringLiteral("the log thread does not answer")));
        QVERIFY(ControlPeer::ask(daemon.controlSocket(), R"({"command": "status"})")
                    .value(QStringLiteral("ok"))
                    .toBool());
    }
    QVERIFY(watched.staysAlive(3));
    QVERIFY(watched.health().value(QStringLiteral("ok")).toBool());
    QCOMPARE(daemon.stop(), 0);
}

void TestHealth::aStalledJournalIsUnhealthyAndNoDeath()
{
    QString why;
    if (!JournalInstance::isAvailable(&why))
        QSKIP(qPrintable(why));
    JournalInstance journal;
    QVERIFY2(journal.start(), qPrintable(journal.errorText()));
    Watched watched(&journal);
    DaemonProcess &daemon = watched.daemon;
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    HonestFleet fleet(3, dev());
    QVERIFY(fleet.start(daemon.addresses().constFirst()));
    QVERIFY(fleet.goRound());
    QVERIFY(watched.health().value(QStringLiteral("ok")).toBool());

    journal.pause();
    QVERIFY(watched.staysAlive(3));
    QJsonObject health;
    const auto isUnhealthy = [&] {
        health = watched.health();
        return !health.value(QStringLiteral("ok")).toBool();
    };
    QVERIFY(waitUntil(isUnhealthy, QDeadlineTimer(3 * patience))); // it is promised after 10 s
    QCOMPARE(text(health, "error"), QStringLiteral("the log has taken nothing for 10 s"));
    QVERIFY(watched.staysAlive(3));
    const QJsonObject log = ControlPeer::ask(daemon.controlSocket(), R"({"command": "status"})")
                                .value(QStringLiteral("log"))
                                .toObject();
    QVERIFY(log.value(QStringLiteral("waiting")).toInt() > 0);
    QVERIFY(log.value(QStringLiteral("stalled_s")).toDouble() > 10);

    journal.resume();
    QVERIFY(waitUntil([&] { return !isUnhealthy(); }, QDeadlineTimer(patience)));
    QVERIFY(fleet.goRound() && fleet.settle());
    QCOMPARE(fleet.failures(), 0);
    QCOMPARE(daemon.stop(), 0);
}

DTLSD_TEST(TestHealth)
#include "tst_health.moc"
