// SPDX-License-Identifier: Apache-2.0
//
// dtls-bench with a real dtlsd, and tests/bench/compare, for moments: that they do what they say,
// not how fast anything is.
#include "support/ChildProcess.h"
#include "support/DaemonProcess.h"
#include "support/TestProgram.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

using namespace dtlsd;
using namespace dtlsd::test;

class TestBench : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void eachModeMeasures_data();
    void eachModeMeasures();
    void sessionsAreClosedInTheEnd();
    void heldSessionsStayOpen();
    void receiptsAreRepliesToo();
    void compareStartsServersAndStopsThem();
    void failuresAreToldApart_data();
    void failuresAreToldApart();

private:
    struct Outcome
    {
        int status = -1;
        QByteArray output;
        QString errors;

        [[nodiscard]] QJsonObject figures() const
        {
            return QJsonDocument::fromJson(output).object();
        }
    };
    /// In the folder of the daemon; PID and PORT become the daemon's.
    [[nodiscard]] Outcome bench(QString arguments) const;
    [[nodiscard]] Outcome run(const Command &command) const;

    std::unique_ptr<DaemonProcess> m_daemon;
};

void TestBench::initTestCase()
{
    m_daemon = std::make_unique<DaemonProcess>(
        "[server]\nlisten = 127.0.0.1:0\nreply = echo\nworkers = 1\n"
        "[limits]\nmax_sessions = 1000\nmax_half_open = 1000\n[control]\nsocket =\n"
        "[psk]\nfile = psk.txt\n"
        "[identity receipts]\nreply = ack\n"
        "key = hex:00112233445566778899aabbccddeeff\n");
    m_daemon->write(QStringLiteral("psk.txt"), "bench:000102030405060708090a0b0c0d0e0f\n");
    m_daemon->write(QStringLiteral("receipts.txt"), "receipts:00112233445566778899aabbccddeeff\n"
                                                    "other:00112233445566778899aabbccddeeff\n");
    m_daemon->write(QStringLiteral("wrong.txt"), "bench:ffffffffffffffffffffffffffffffff\n");
    QVERIFY2(m_daemon->start(), qPrintable(m_daemon->errorText()));
}

void TestBench::cleanupTestCase()
{
    QCOMPARE(m_daemon->stop(), 0);
}

TestBench::Outcome TestBench::bench(QString arguments) const
{
    const quint16 port = m_daemon->addresses().constFirst().port();
    arguments.replace(QStringLiteral("PID"), QString::number(m_daemon->process().processId()))
        .replace(QStringLiteral("PORT"), QString::number(port));
    return run({QStringLiteral(DTLS_BENCH_BINARY), arguments.split(u' ', Qt::SkipEmptyParts)});
}

TestBench::Outcome TestBench::run(const Command &command) const
{
    ChildProcess process;
    process.setWorkingDirectory(m_daemon->directory());
    Outcome outcome;
    if (!process.run(command))
        return outcome;
    if (process.waitForEnd(QDeadlineTimer(3 * patience)))
        outcome.status = process.exitCode();
    outcome.output = process.readAllStandardOutput();
    outcome.errors = QString::fromUtf8(process.readAllStandardError());
    return outcome;
}

void TestBench::eachModeMeasures_data()
{
    QTest::addColumn<QString>("arguments");
    QTest::addColumn<QStringList>("positive");
    const auto row = [](const char *name, const char *arguments, const char *positive) {
        QTest::newRow(name) << QString::fromLatin1(arguments)
                            << QString::fromLatin1(positive).split(u' ');
    };
    row("echo, one at a time", "echo --clients 3",
        "datagrams_per_second server_cpu_us client_cpu_us p50_us p99_us server_rss_kb");
    row("echo, more clients than may have a message under way", "echo --clients 300",
        "datagrams_per_second server_cpu_us p99_us");
    row("echo, a window", "echo --clients 3 --window 4", "datagrams_per_second");
    row("churn", "churn --clients 3", "handshakes_per_second server_cpu_us p50_us");
    row("ramp", "ramp --clients 260", "handshakes_per_second server_cpu_us p50_us session_kb");
    row("storm", "storm --clients 5 --storm 40",
        "quiet_p99_us storm_p99_us storm_to_quiet_p99 storm_seconds");
    row("hold", "hold --clients 300 --echo-clients 3",
        "opened first_handshakes_per_second first_server_cpu_us last_handshakes_per_second "
        "last_server_cpu_us first_echo_server_cpu_us last_echo_server_cpu_us server_rss_kb");
}

void TestBench::eachModeMeasures()
{
    QFETCH(QString, arguments);
    QFETCH(QStringList, positive);
    const Outcome outcome =
        bench(arguments + QStringLiteral(" --psk-file psk.txt --duration 200ms --warm-up 50ms "
                                         "--timeout 20s --pid PID --port PORT"));
    QVERIFY2(outcome.status == 0, qPrintable(outcome.errors));
    const QJsonObject figures = outcome.figures();
    for (const QString &key : positive)
        QVERIFY2(figures[key].toDouble() > 0,
                 qPrintable(key + u' ' + QString::fromUtf8(outcome.output)));
    QCOMPARE(figures[QStringLiteral("storm_failed")].toDouble(), 0.0);
}

void TestBench::sessionsAreClosedInTheEnd()
{
    constexpr qsizetype sessions = 20 + 1; // one to see that the server is there
    const auto ended = [this] { return m_daemon->events(QStringLiteral("session-closed")).size(); };
    const qsizetype before = ended();
    const Outcome outcome =
        bench(QStringLiteral("echo --clients 20 --psk-file psk.txt "
                             "--duration 50ms --warm-up 1ms --pid PID --port PORT"));
    QCOMPARE(outcome.status, 0);
    QVERIFY(waitUntil([&] { return ended() - before >= sessions; }, QDeadlineTimer(patience)));
    for (const QJsonObject &event :
         m_daemon->events(QStringLiteral("session-closed")).sliced(before))
        QCOMPARE(event[QStringLiteral("reason")].toString(), QStringLiteral("close-notify"));
}

void TestBench::heldSessionsStayOpen()
{
    constexpr qsizetype sessions = 300;
    const auto events = [this](const char *event) {
        return m_daemon->events(QString::fromLatin1(event)).size();
    };
    const auto open = [&] { return events("session-opened") - events("session-closed"); };
    const qsizetype before = open();
    const Outcome outcome = bench(QStringLiteral("hold --clients 300 --psk-file psk.txt "
                                                 "--duration 1ms --warm-up 1ms --pid PID "
                                                 "--port PORT"));
    QVERIFY2(outcome.status == 0, qPrintable(outcome.errors));
    QCOMPARE(outcome.figures()[QStringLiteral("opened")].toInteger(), sessions);
    QCOMPARE(outcome.figures()[QStringLiteral("failed")].toInteger(), 0);
    QCOMPARE(outcome.figures()[QStringLiteral("ended")].toInteger(), 0);
    QVERIFY(waitUntil([&] { return open() == before + sessions; }, QDeadlineTimer(patience)));
}

void TestBench::receiptsAreRepliesToo()
{
    const Outcome outcome =
        bench(QStringLiteral("echo --psk-file receipts.txt --psk-identity receipts "
                             "--duration 100ms --pid PID --port PORT"));
    QVERIFY2(outcome.status == 0, qPrintable(outcome.errors));
    QVERIFY(outcome.figures()[QStringLiteral("datagrams_per_second")].toDouble() > 0);
}

void TestBench::compareStartsServersAndStopsThem()
{
    const Outcome outcome =
        run({QStringLiteral("env"),
             {QStringLiteral("CONTESTANTS=dtlsd"),
              QStringLiteral("DTLSD_BINARY=") + DaemonProcess::program(),
              QStringLiteral("DTLS_BENCH_BINARY=" DTLS_BENCH_BINARY), QStringLiteral(COMPARE),
              QStringLiteral("--quick"), QStringLiteral("found"), QStringLiteral("churn-10"),
              QStringLiteral("echo-10")}});
    QVERIFY2(outcome.status == 0, qPrintable(outcome.errors));
    QVERIFY(outcome.output.contains("CPU per handshake, echo and close, us"));
    QFile file(m_daemon->directory() + QStringLiteral("/found/summary.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QJsonObject measurements =
        QJsonDocument::fromJson(file.readAll()).object()[QStringLiteral("measurements")].toObject();
    QCOMPARE(measurements.size(), 2);
    for (const auto &each : measurements) {
        const QJsonValue server = each[QStringLiteral("servers")][0];
        QCOMPARE(server[QStringLiteral("rounds")].toInt(), 1);
        QVERIFY(server[QStringLiteral("median")][QStringLiteral("server_cpu_us")].toDouble() > 0);
        QCOMPARE(server[QStringLiteral("ratio")][QStringLiteral("server_cpu_us")].toDouble(), 1.0);
    }
}

void TestBench::failuresAreToldApart_data()
{
    QTest::addColumn<QString>("arguments");
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("problem");
    const auto row = [](const char *name, const char *arguments, int status, const char *problem) {
        QTest::newRow(name) << QString::fromLatin1(arguments) << status
                            << QString::fromLatin1(problem);
    };
    row("nobody there", "echo --psk-file psk.txt --timeout 300ms --pid PID --port 9", 2,
        "with port 9 did not open");
    row("a wrong key", "echo --psk-file wrong.txt --timeout 300ms --pid PID --port PORT", 2,
        "did not open");
    row("hold with a wrong key",
        "hold --clients 300 --psk-file wrong.txt --timeout 300ms --pid PID --port PORT", 2,
        "did not open");
    row("hold more than the server does",
        "hold --clients 3000 --psk-file psk.txt --timeout 20s --pid PID --port PORT", 2,
        "of 3000 sessions: 0 did not open");
    row("no mode", "--port PORT", 64, "echo, churn, ramp, storm, hold or plain");
    row("no such mode", "ecko --port PORT", 64, "echo, churn, ramp, storm, hold or plain");
    row("two modes", "echo churn --port PORT", 64, "echo, churn, ramp, storm, hold or plain");
    row("no port", "echo", 64, "--port  is not accepted");
    row("a port that is none", "echo --port 65536", 64, "--port 65536 is not accepted; 1 to 65535");
    row("no process", "echo --port PORT", 64, "--pid  is not accepted");
    row("a process that is gone", "echo --pid 4194304 --port PORT", 64, "is no process that runs");
    row("no key", "echo --pid PID --port PORT", 64, "--psk-file: ");
    row("no such file", "echo --psk-file none.txt --pid PID --port PORT", 64, "none.txt");
    row("one of two keys", "echo --psk-file receipts.txt --pid PID --port PORT", 64,
        "--psk-identity");
    row("too many clients", "echo --psk-file psk.txt --clients 100001 --pid PID --port PORT", 64,
        "--clients 100001 is not accepted; 1 to 100000 is");
    row("a number that is none", "echo --psk-file psk.txt --window many --pid PID --port PORT", 64,
        "--window many is not accepted");
    row("a duration without unit", "echo --psk-file psk.txt --duration 5 --pid PID --port PORT", 64,
        "--duration 5 is no duration");
    row("no time to measure", "echo --psk-file psk.txt --duration 0 --pid PID --port PORT", 64,
        "--duration 0 is no duration");
}

void TestBench::failuresAreToldApart()
{
    QFETCH(QString, arguments);
    QFETCH(QString, problem);
    const Outcome outcome = bench(arguments);
    QTEST(outcome.status, "status");
    QVERIFY2(outcome.errors.contains(problem), qPrintable(outcome.errors));
    QVERIFY(outcome.errors.startsWith(QStringLiteral("dtls-bench: ")));
    QVERIFY(outcome.output.isEmpty());
}

DTLSD_TEST(TestBench)
#include "tst_bench.moc"
