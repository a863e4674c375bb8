// SPDX-License-Identifier: Apache-2.0
#include "support/NotifySocket.h"
#include "support/TestProgram.h"
#include "systemd/Notifier.h"

#include <chrono>

using namespace dtlsd;
using namespace dtlsd::test;

class TestNotifier : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { qunsetenv("NOTIFY_SOCKET"); }

    void statesAreSentAsSystemdReadsThem()
    {
        const NotifySocket socket;
        QVERIFY(socket.ok());
        qputenv("NOTIFY_SOCKET", socket.path());
        const Notifier notifier;
        notifier.ready();
        QCOMPARE(socket.next(), QByteArray("READY=1"));
        notifier.stopping();
        QCOMPARE(socket.next(), QByteArray("STOPPING=1"));
        notifier.status(QStringLiteral("12 sessions, 23 °C"));
        QCOMPARE(socket.next(), QByteArray("STATUS=12 sessions, 23 \xc2\xb0"
                                           "C"));
        QVERIFY(socket.next().isNull());
    }

    void aReloadHasTheTimeOfItsBeginning()
    {
        const NotifySocket socket;
        qputenv("NOTIFY_SOCKET", socket.path());
        const auto now = [] {
            return std::chrono::steady_clock::now().time_since_epoch() /
                   std::chrono::microseconds(1);
        };
        const auto before = now();
        Notifier().reloading();
        const QByteArrayList lines = socket.next().split('\n');
        QCOMPARE(lines.size(), 2);
        QCOMPARE(lines[0], QByteArray("RELOADING=1"));
        const QByteArray name = "MONOTONIC_USEC=";
        QVERIFY(lines[1].startsWith(name));
        const qlonglong at = lines[1].mid(name.size()).toLongLong();
        QVERIFY(at >= before);
        QVERIFY(at <= now());
    }

    void aStatusCannotSetAnotherVariable()
    {
        const NotifySocket socket;
        qputenv("NOTIFY_SOCKET", socket.path());
        Notifier().status(QStringLiteral("x\nMAINPID=1\r\u0085%s"));
        QCOMPARE(socket.next(), QByteArray("STATUS=x MAINPID=1  %s"));
        QVERIFY(socket.next().isNull());
    }

    void withoutASocketNothingIsSent()
    {
        Notifier().ready();
        qputenv("NOTIFY_SOCKET", "/nonexistent/notify");
        Notifier().ready();
    }
};

DTLSD_TEST(TestNotifier)
#include "tst_notifier.moc"
