// SPDX-License-Identifier: Apache-2.0
//
// dtls-bench with a real dtlsd, for moments: that it does what it says, not how fast anything is.
#include "support/ChildProcess.h"
#include "support/DaemonProcess.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

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
    void withoutTheProcessNothingIsSaidOfIt();
    void sessionsAreClosedInTheEnd();
    void receiptsAreRepliesToo();
    void clientsOfAnyServerHaveSocketsOfTheirOwn();
    void itStartsAndStopsServers();
    void failuresAreToldApart_data();
    void failuresAreToldApart();

private:
    struct Outcome
    {
        int status = -1;
        QByteArray output;
        QString errors;

        [[nodiscard]] QJsonObject median(int server = 0) const
        {
            return QJsonDocument::fromJson(output)
                .object()[QStringLiteral("servers")][server][QStringLiteral("median")]
                .toObject();
        }
    };
    [[nodiscard]] Outcome run(const QString &arguments) const;
    [[nodiscard]] Outcome run(const QStringList &arguments) const;
    [[nodiscard]] QString server() { return m_daemon->addresses().constFirst().toString(); }

    std::unique_ptr<DaemonProcess> m_daemon;
};

namespace {

constexpr char roomyLimits[] = "[limits]\nmax_half_open = 1000\n[control]\nsocket =\n";

} // namespace

void TestBench::initTestCase()
{
    m_daemon = std::make_unique<DaemonProcess>(
        QByteArray("[server]\nlisten = 127.0.0.1:0, [::1]:0\nreply = echo\nworkers = 1\n"
                   "[psk]\nfile = psk.txt\n"
                   "[identity receipts]\nreply = ack\n"
                   "key = hex:00112233445566778899aabbccddeeff\n") +
        roomyLimits);
    m_daemon->write(QStringLiteral("psk.txt"), "bench:000102030405060708090a0b0c0d0e0f\n");
    m_daemon->write(QStringLiteral("receipts.txt"), "receipts:00112233445566778899aabbccddeeff\n");
    m_daemon->write(QStringLiteral("wrong.txt"), "bench:ffffffffffffffffffffffffffffffff\n");
    QVERIFY2(m_daemon->start(), qPrintable(m_daemon->errorText()));
}

void TestBench::cleanupTestCase()
{
    QCOMPARE(m_daemon->stop(), 0);
}

TestBench::Outcome TestBench::run(const QString &arguments) const
{
    return run(arguments.split(u' ', Qt::SkipEmptyParts));
}

TestBench::Outcome TestBench::run(const QStringList &arguments) const
{
    ChildProcess process;
    process.setWorkingDirectory(m_daemon->directory());
    Outcome outcome;
    if (!process.run({QStringLiteral(DTLS_BENCH_BINARY), arguments}))
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
    row("echo, more clients than may have a message under way", "echo --clients 300 --under-way 20",
        "datagrams_per_second server_cpu_us p99_us");
    row("echo, a window, large messages", "echo --clients 3 --window 4 --payload 1200",
        "datagrams_per_second");
    row("churn", "churn --clients 3", "handshakes_per_second server_cpu_us p50_us");
    row("ramp", "ramp --clients 260 --at-a-time 10", "handshakes_per_second server_cpu_us p50_us");
    row("blast", "blast --clients 3", "sent_per_second datagrams_per_second server_cpu_us");
    row("storm", "storm --clients 5 --storm 40 --rate 500",
        "quiet_p99_us storm_p99_us storm_to_quiet_p99 storm_seconds");
}

void TestBench::eachModeMeasures()
{
    QFETCH(QString, arguments);
    QFETCH(QStringList, positive);
    const Outcome outcome =
        run(arguments +
            QStringLiteral(" --psk-file psk.txt --duration 200ms --warm-up 50ms "
                           "--timeout 20s --json --pid %1 ")
                .arg(m_daemon->process().processId()) +
            server());
    QVERIFY2(outcome.status == 0, qPrintable(outcome.errors));
    const QJsonObject median = outcome.median();
    for (const QString &key : positive)
        QVERIFY2(median[key].toDouble() > 0,
                 qPrintable(key + u' ' + QString::fromUtf8(outcome.output)));
    QCOMPARE(median[QStringLiteral("storm_failed")].toDouble(), 0.0);
}

void TestBench::withoutTheProcessNothingIsSaidOfIt()
{
    const Outcome outcome = run(
        QStringLiteral("echo --psk-file psk.txt --duration 50ms --warm-up 0 --json ") + server());
    QCOMPARE(outcome.status, 0);
    const QJsonObject median = outcome.median();
    QVERIFY(median.contains(QStringLiteral("p50_us")));
    QVERIFY(!median.contains(QStringLiteral("server_cpu_us")));
    QVERIFY(!median.contains(QStringLiteral("server_rss_kb")));
}

void TestBench::sessionsAreClosedInTheEnd()
{
    constexpr qsizetype sessions = 20 + 1; // one to see that the server is there
    const auto ended = [this] { return m_daemon->events(QStringLiteral("session-closed")).size(); };
    const qsizetype before = ended();
    const Outcome outcome =
        run(QStringLiteral("echo --clients 20 --psk-file psk.txt --duration 50ms ") + server());
    QCOMPARE(outcome.status, 0);
    QVERIFY(outcome.output.contains("median latency"));
    QVERIFY(waitUntil([&] { return ended() - before >= sessions; }, QDeadlineTimer(patience)));
    for (const QJsonObject &event :
         m_daemon->events(QStringLiteral("session-closed")).sliced(before))
        QCOMPARE(event[QStringLiteral("reason")].toString(), QStringLiteral("close-notify"));
}

void TestBench::receiptsAreRepliesToo()
{
    const Outcome outcome =
        run(QStringLiteral("echo --psk-file receipts.txt --duration 100ms --json ") + server());
    QVERIFY2(outcome.status == 0, qPrintable(outcome.errors));
    QVERIFY(outcome.median()[QStringLiteral("datagrams_per_second")].toDouble() > 0);
}

void TestBench::clientsOfAnyServerHaveSocketsOfTheirOwn()
{
    const QString ipv6 = m_daemon->addresses().constLast().toString();
    QVERIFY(ipv6.startsWith(QStringLiteral("[::1]:")));
    const Outcome outcome =
        run(QStringLiteral("echo --clients 30 --psk-file psk.txt --duration 100ms --json ") + ipv6);
    QVERIFY2(outcome.status == 0, qPrintable(outcome.errors));
    QVERIFY(outcome.median()[QStringLiteral("datagrams_per_second")].toDouble() > 0);
}

void TestBench::itStartsAndStopsServers()
{
    const QString serve = QStringLiteral("\"%1\" \"%2\" psk.txt . {port}")
                              .arg(QStringLiteral(DTLSD_ECHO), QStringLiteral(DTLSD_BINARY));
    const Outcome outcome =
        run({QStringLiteral("--psk-file"), QStringLiteral("psk.txt"), QStringLiteral("--compare"),
             QStringLiteral("one=") + serve, QStringLiteral("--compare"),
             QStringLiteral("other=") + serve, QStringLiteral("--rounds"), QStringLiteral("2"),
             QStringLiteral("--duration"), QStringLiteral("50ms"), QStringLiteral("--warm-up"),
             QStringLiteral("0"), QStringLiteral("--json"), QStringLiteral("churn")});
    QVERIFY2(outcome.status == 0, qPrintable(outcome.errors));
    const QJsonArray servers =
        QJsonDocument::fromJson(outcome.output).object()[QStringLiteral("servers")].toArray();
    QCOMPARE(servers.size(), 2);
    for (const auto &each : servers) {
        QCOMPARE(each[QStringLiteral("rounds")].toArray().size(), 2);
        QVERIFY(each[QStringLiteral("ratio")][QStringLiteral("server_cpu_us")].toDouble() > 0);
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
    row("nobody there", "echo --psk-file psk.txt --timeout 300ms 127.0.0.1:9", 2,
        "with 127.0.0.1:9 did not open");
    row("a wrong key", "echo --psk-file wrong.txt --timeout 300ms SERVER", 2, "did not open");
    row("no such program", "echo --psk-file psk.txt --server=./nonsense{port}", 2, "nonsense");
    row("a program that ends", "echo --psk-file psk.txt --server=false\t{port}", 2, "false");
    row("wrong usage", "echo --psk-file psk.txt", 64, "HOST:PORT is missing");
    row("no key", "echo SERVER", 64, "one of --psk-file and --psk-env is needed");
    row("no such file", "echo --psk-file none.txt SERVER", 78, "none.txt");
    row("no such variable", "echo --psk-env NO_SUCH --psk-identity x SERVER", 78, "NO_SUCH");
}

void TestBench::failuresAreToldApart()
{
    QFETCH(QString, arguments);
    QFETCH(QString, problem);
    const Outcome outcome = run(arguments.replace(QStringLiteral("SERVER"), server()));
    QTEST(outcome.status, "status");
    QVERIFY2(outcome.errors.contains(problem), qPrintable(outcome.errors));
    QVERIFY(outcome.errors.startsWith(QStringLiteral("dtls-bench: ")));
    QVERIFY(outcome.output.isEmpty());
}

QTEST_GUILESS_MAIN(TestBench)
#include "tst_bench.moc"
