// SPDX-License-Identifier: Apache-2.0
//
// dtlsd as a process: how its start ends when it cannot be, how it stops, and whom it tells.
#include "DtlsdRun.h"
#include "support/DaemonProcess.h"
#include "support/TestProgram.h"

#include <QFile>
#include <QRegularExpression>
#include <QTemporaryDir>

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

/// dtlsd in the place of a shell that has made @p redirections.
Command shellWith(const QString &redirections, const QString &configFile, const QString &target)
{
    return {QStringLiteral("/bin/sh"),
            {QStringLiteral("-c"), QStringLiteral("exec \"$0\" \"$@\" ") + redirections,
             DaemonProcess::program(), QStringLiteral("--config"), configFile,
             QStringLiteral("--log-target"), target}};
}

} // namespace

class TestStartStop : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anAddressThatIsTakenEndsTheStart();
    void aSignalStopsIt_data();
    void aSignalStopsIt();
    void theServiceManagerIsTold();
    void keysAreNowhereToBeSeen();
    void aLogWithoutAnOutputEndsTheStart_data();
    void aLogWithoutAnOutputEndsTheStart();
    void noSocketTakesAStandardDescriptor();
};

void TestStartStop::anAddressThatIsTakenEndsTheStart()
{
    DaemonProcess first(valid);
    QVERIFY2(first.start(), qPrintable(first.errorText()));
    QByteArray config = valid;
    config.replace("127.0.0.1:0", first.addresses().constFirst().toString().toUtf8());
    DaemonProcess second(config);
    QVERIFY(second.launch());
    QCOMPARE(second.waitForExit(), 69);
    const auto failed = second.events(QStringLiteral("listen-failed"));
    QCOMPARE(failed.size(), 1);
    QCOMPARE(
        failed[0].value(QStringLiteral("message")).toString(),
        QStringLiteral("cannot listen on %1: Address already in use; ss -lunp shows who has it")
            .arg(first.addresses().constFirst().toString()));
    QCOMPARE(first.stop(), 0);
}

void TestStartStop::aSignalStopsIt_data()
{
    QTest::addColumn<int>("number");
    QTest::addColumn<QString>("name");
    QTest::newRow("SIGTERM") << SIGTERM << QStringLiteral("SIGTERM");
    QTest::newRow("SIGINT") << SIGINT << QStringLiteral("SIGINT");
}

void TestStartStop::aSignalStopsIt()
{
    QFETCH(int, number);
    QFETCH(QString, name);
    DaemonProcess daemon(valid);
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    daemon.process().sendSignal(number);
    QCOMPARE(daemon.waitForExit(), 0);
    const auto stopping = daemon.events(QStringLiteral("stopping"));
    QCOMPARE(stopping.size(), 1);
    QCOMPARE(stopping[0].value(QStringLiteral("reason")).toString(), name);
    QCOMPARE(stopping[0].value(QStringLiteral("level")).toString(), QStringLiteral("notice"));
}

void TestStartStop::theServiceManagerIsTold()
{
    const QTemporaryDir directory;
    const QByteArray path = QFile::encodeName(directory.filePath(QStringLiteral("notify")));
    const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    qstrncpy(address.sun_path, path.constData(), sizeof address.sun_path);
    QCOMPARE(bind(descriptor, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);

    DaemonProcess daemon(valid);
    daemon.setEnvironment(QStringLiteral("NOTIFY_SOCKET"), QString::fromLocal8Bit(path));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QCOMPARE(daemon.stop(), 0);

    QByteArray told;
    char room[4096];
    for (ssize_t size = 0; (size = recv(descriptor, room, sizeof room, MSG_DONTWAIT)) > 0;)
        told += QByteArray(room, size) + '\n';
    close(descriptor);
    const qsizetype ready = told.indexOf("READY=1");
    QVERIFY(ready >= 0);
    QVERIFY(told.indexOf("STATUS=") >= 0);
    QVERIFY(told.indexOf("STOPPING=1") > ready);
}

void TestStartStop::keysAreNowhereToBeSeen()
{
    DaemonProcess daemon(valid);
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QFile limits(QStringLiteral("/proc/%1/limits").arg(daemon.process().processId()));
    QVERIFY(limits.open(QIODevice::ReadOnly));
    QVERIFY(QRegularExpression(QStringLiteral("Max core file size +0 +0 "))
                .match(QString::fromUtf8(limits.readAll()))
                .hasMatch());
    QCOMPARE(daemon.stop(), 0);
}

void TestStartStop::aLogWithoutAnOutputEndsTheStart_data()
{
    QTest::addColumn<QString>("target");
    QTest::addColumn<QString>("redirections");
    QTest::addColumn<bool>("isSaid");
    const auto row = [](const char *name, const char *target, const char *redirections,
                        bool isSaid = true) {
        QTest::newRow(name) << QString::fromLatin1(target) << QString::fromLatin1(redirections)
                            << isSaid;
    };
    row("JSON, closed", "json", ">&-");
    row("text, closed", "text", ">&-");
    row("what auto comes to, closed", "auto", ">&-");
    row("open for reading", "json", "1</dev/null");
    row("nothing is open, so that the status alone tells", "json", "<&- >&- 2>&-", false);
}

void TestStartStop::aLogWithoutAnOutputEndsTheStart()
{
    QFETCH(QString, target);
    QFETCH(QString, redirections);
    QFETCH(bool, isSaid);
    const DaemonProcess files(valid);
    ChildProcess shell;
    QVERIFY(shell.run(shellWith(redirections, files.configFile(), target)));
    QVERIFY(shell.waitForEnd());
    QCOMPARE(shell.exitCode(), 78);
    const QByteArray errors = shell.readAllStandardError();
    QVERIFY2(errors.startsWith(files.configFile().toUtf8() +
                               ": [log] target: the log would go to standard output, which is "
                               "closed") == isSaid,
             errors.constData());
    const Outcome checked =
        runDtlsd({QStringLiteral("--check"), QStringLiteral("--config"), files.configFile()});
    QCOMPARE(checked.status, 0); // its own output says nothing of that of a service
}

void TestStartStop::noSocketTakesAStandardDescriptor()
{
    if (geteuid() != 0)
        QSKIP("the descriptors of dtlsd are there for root alone to see");
    const DaemonProcess files(valid);
    files.setConfig(valid + "[control]\nsocket = " + files.controlSocket().toUtf8() + '\n');
    ChildProcess daemon;
    QVERIFY(daemon.run(
        shellWith(QStringLiteral("<&- >&- 2>&-"), files.configFile(), QStringLiteral("journal"))));
    // Once it listens it has every descriptor that it ever gets by itself.
    const auto isThere = [&files] { return QFile::exists(files.controlSocket()); };
    QVERIFY(waitUntil(isThere, QDeadlineTimer(patience)));
    for (int number = 0; number <= 2; ++number)
        QCOMPARE(QFile::symLinkTarget(
                     QStringLiteral("/proc/%1/fd/%2").arg(daemon.processId()).arg(number)),
                 QStringLiteral("/dev/null"));
    daemon.sendSignal(SIGTERM);
    QVERIFY(daemon.waitForEnd());
    QCOMPARE(daemon.exitCode(), 0);
}

DTLSD_TEST(TestStartStop)
#include "tst_startstop.moc"
