// SPDX-License-Identifier: Apache-2.0
//
// The daemon's state as metrics.
#include "control/Metrics.h"
#include "events/Reasons.h"
#include "support/TestProgram.h"

#include <QSet>
#include <QTimeZone>

#include <algorithm>
#include <functional>

using namespace dtlsd;
using namespace std::chrono_literals;

namespace {

using Lines = QList<QByteArray>;

DaemonState stateOfTwoWorkers()
{
    DaemonState state;
    state.started = QDateTime::fromMSecsSinceEpoch(1767323045123, QTimeZone::utc());
    state.configFile = QStringLiteral("/etc/dtlsd/dtlsd.ini");
    state.workers.resize(2);
    state.services = {{*SocketAddress::parse(QStringLiteral("127.0.0.1:5683")), true},
                      {*SocketAddress::parse(QStringLiteral("[::1]:5684")), true}};
    return state;
}

Lines linesOf(const DaemonState &state)
{
    return metricsText(state).split('\n');
}

QByteArray seriesOf(const QByteArray &line)
{
    return line.first(line.lastIndexOf(' '));
}

QByteArray nameOf(const QByteArray &line)
{
    return line.first(line.indexOf('{'));
}

} // namespace

class TestMetrics : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyReasonIsThereFromTheStart();
    void whatChangesIsInItsLineAndInNoOther_data();
    void whatChangesIsInItsLineAndInNoOther();
    void everyFamilyIsDescribedAndNoSeriesIsThereTwice();
    void aFamilyWithoutSamplesIsLeftOut();
    void daemonsOfOneMachineAreToldApart_data();
    void daemonsOfOneMachineAreToldApart();
    void timesAreSeconds();
    void theTlsBackendIsALabelOfTheBuild();
};

void TestMetrics::everyReasonIsThereFromTheStart()
{
    const Lines lines = linesOf(stateOfTwoWorkers());
    for (int i = 0; i <= static_cast<int>(CloseReason::Error); ++i) {
        const QByteArray reason = reasonFor(static_cast<CloseReason>(i)).name;
        const QByteArray line =
            "dtlsd_sessions_closed_total{config=\"dtlsd\",reason=\"" + reason + "\"} 0";
        QVERIFY2(lines.contains(line), line.constData());
    }
    for (int i = 0; i <= static_cast<int>(HandshakeFailure::Error); ++i) {
        const QByteArray reason = reasonFor(static_cast<HandshakeFailure>(i)).name;
        const QByteArray line =
            "dtlsd_handshakes_total{config=\"dtlsd\",outcome=\"failed\",reason=\"" + reason +
            "\"} 0";
        QVERIFY2(lines.contains(line), line.constData());
    }
    for (int i = 0; i <= static_cast<int>(ForwardDrop::Error); ++i) {
        const QByteArray cause = reasonFor(static_cast<ForwardDrop>(i)).name;
        const QByteArray line =
            "dtlsd_forward_dropped_datagrams_total{config=\"dtlsd\",cause=\"" + cause + "\"} 0";
        QVERIFY2(lines.contains(line), line.constData());
    }
}

void TestMetrics::whatChangesIsInItsLineAndInNoOther_data()
{
    using Change = std::function<void(DaemonState &)>;
    QTest::addColumn<Change>("change");
    QTest::addColumn<Lines>("expected"); // without name prefix and common label
    const auto row = [](const char *name, const Change &change, const Lines &expected) {
        QTest::newRow(name) << change << expected;
    };
    const auto count = [&row](const char *name, const std::function<void(Statistics &)> &change,
                              const Lines &expected) {
        row(name, [change](DaemonState &state) { change(state.workers[1].statistics); }, expected);
    };
    count("sessions", [](Statistics &s) { s.sessions = 7; },
          {R"(sessions{state="established"} 7)", R"(worker_sessions{worker="1"} 7)"});
    count("handshakes under way", [](Statistics &s) { s.halfOpen = 7; },
          {R"(sessions{state="handshaking"} 7)"});
    count("handshakes that are done", [](Statistics &s) { s.sessionsOpened = 7; },
          {R"(handshakes_total{outcome="completed",reason=""} 7)"});
    count("handshakes that failed",
          [](Statistics &s) { s.handshakesFailed[HandshakeFailure::WrongKeyOrLoss] = 7; },
          {R"(handshakes_total{outcome="failed",reason="wrong-key-or-loss"} 7)"});
    count("sessions that ended", [](Statistics &s) { s.sessionsClosed[CloseReason::Operator] = 7; },
          {R"(sessions_closed_total{reason="operator"} 7)"});
    count("datagrams received", [](Statistics &s) { s.received.datagrams = 7; },
          {"received_datagrams_total{} 7", R"(worker_received_datagrams_total{worker="1"} 7)"});
    count("bytes received", [](Statistics &s) { s.received.bytes = 7; },
          {"received_bytes_total{} 7"});
    count("datagrams sent", [](Statistics &s) { s.sent.datagrams = 7; },
          {"sent_datagrams_total{} 7", R"(receipts_total{outcome="sent"} 7)"});
    count("bytes sent", [](Statistics &s) { s.sent.bytes = 7; }, {"sent_bytes_total{} 7"});
    count("replies too late", [](Statistics &s) { s.repliesTooLate = 7; },
          {R"(receipts_total{outcome="too-late"} 7)"});
    count("replies too long", [](Statistics &s) { s.repliesTooLong = 7; },
          {R"(receipts_total{outcome="too-long"} 7)"});
    count("replies unearned", [](Statistics &s) { s.repliesUnearned = 7; },
          {R"(receipts_total{outcome="path-not-proved"} 7)"});
    count("bad records", [](Statistics &s) { s.badRecords = 7; }, {"bad_records_total{} 7"});
    count("lost in the kernel", [](Statistics &s) { s.unverified.overflowed = 7; },
          {R"(dropped_datagrams_total{cause="kernel-queue-full"} 7)"});
    count("malformed", [](Statistics &s) { s.unverified.malformed = 7; },
          {R"(dropped_datagrams_total{cause="malformed"} 7)"});
    count("hellos that are too long", [](Statistics &s) { s.unverified.tooLong = 7; },
          {R"(dropped_datagrams_total{cause="hello-too-long"} 7)"});
    count("without a session", [](Statistics &s) { s.unverified.withoutSession = 7; },
          {R"(dropped_datagrams_total{cause="no-session"} 7)"});
    count("without a cookie", [](Statistics &s) { s.unverified.unanswered = 7; },
          {R"(dropped_datagrams_total{cause="no-cookie"} 7)"});
    count("from elsewhere", [](Statistics &s) { s.unverified.elsewhere = 7; },
          {R"(dropped_datagrams_total{cause="elsewhere"} 7)"});
    count("over a limit", [](Statistics &s) { s.unverified.overLimit = 7; },
          {R"(dropped_datagrams_total{cause="over-limit"} 7)"});
    count("over an identity's rate", [](Statistics &s) { s.overRate = 7; },
          {R"(dropped_datagrams_total{cause="identity-limited"} 7)"});
    count("failures reported together, which are handshakes",
          [](Statistics &s) { s.unverified.failures = 7; }, {});
    row("receipts withheld", [](DaemonState &s) { s.workers[0].withheldReceipts = 7; },
        {R"(receipts_total{outcome="withheld"} 7)"});
    const auto forward = [&row](const char *name,
                                const std::function<void(ForwardStatistics &)> &change,
                                const Lines &expected) {
        row(name, [change](DaemonState &state) { change(state.workers[1].forward); }, expected);
    };
    forward("datagrams to a service", [](ForwardStatistics &s) { s.toService.datagrams = 7; },
            {R"(forwarded_datagrams_total{direction="to-service"} 7)"});
    forward("bytes to a service", [](ForwardStatistics &s) { s.toService.bytes = 7; },
            {R"(forwarded_bytes_total{direction="to-service"} 7)"});
    forward("datagrams from a service", [](ForwardStatistics &s) { s.fromService.datagrams = 7; },
            {R"(forwarded_datagrams_total{direction="from-service"} 7)"});
    forward("bytes from a service", [](ForwardStatistics &s) { s.fromService.bytes = 7; },
            {R"(forwarded_bytes_total{direction="from-service"} 7)"});
    forward("datagrams that a service refused",
            [](ForwardStatistics &s) { s.dropped[ForwardDrop::Refused] = 7; },
            {R"(forward_dropped_datagrams_total{cause="refused"} 7)"});
    forward("sockets to services", [](ForwardStatistics &s) { s.sockets = 7; },
            {"forward_sockets{} 7"});
    row("a service that cannot be reached",
        [](DaemonState &s) { s.services[1].isReachable = false; },
        {R"(service_reachable{service="[::1]:5684"} 0)"});
    row("a worker's processor time", [](DaemonState &s) { s.workers[1].cpuTime = 1500ms; },
        {R"(worker_cpu_seconds_total{worker="1"} 1.500000)"});
    row("entries that wait", [](DaemonState &s) { s.log.waiting = 7; },
        {"log_waiting_entries{} 7"});
    row("entries kept", [](DaemonState &s) { s.log.kept = 7; },
        {R"(log_entries_total{outcome="kept"} 7)"});
    row("entries lost", [](DaemonState &s) { s.log.lost = 7; },
        {R"(log_entries_total{outcome="lost"} 7)"});
    row("entries that cannot be read back",
        [](DaemonState &s) {
            s.log.unverified = 7;
            s.log.obstacle = "sd_journal_open: Too many open files";
        },
        {R"(log_entries_total{outcome="unverified"} 7)", "log_verifiable{} 0"});
    row("a log that loses all", [](DaemonState &s) { s.log.losing = 70ms; },
        {"log_losing_seconds{} 0.070000"});
    row("a stalled log", [](DaemonState &s) { s.log.stalled = 70ms; },
        {"log_stalled_seconds{} 0.070000"});
    row("the queue's size", [](DaemonState &s) { s.logCapacity = 7; },
        {"log_capacity_entries{} 7"});
    row("identities", [](DaemonState &s) { s.identities = 7; }, {"identities{} 7"});
    row("memory", [](DaemonState &s) { s.residentMemory = 7; }, {"resident_memory_bytes{} 7"});
    row("a reload", [](DaemonState &s) { s.reloads.count(ReloadCounts::Outcome::Applied); },
        {R"(reloads_total{outcome="applied"} 1)"});
    row("a reload that was rejected",
        [](DaemonState &s) { s.reloads.count(ReloadCounts::Outcome::Rejected); },
        {R"(reloads_total{outcome="rejected"} 1)", "last_reload_successful{} 0"});
}

void TestMetrics::whatChangesIsInItsLineAndInNoOther()
{
    QFETCH(std::function<void(DaemonState &)>, change);
    QFETCH(Lines, expected);
    const Lines before = linesOf(stateOfTwoWorkers());
    DaemonState state = stateOfTwoWorkers();
    change(state);
    const Lines after = linesOf(state);
    QCOMPARE(after.size(), before.size());
    QSet<QByteArray> changed;
    for (qsizetype i = 0; i < after.size(); ++i) {
        if (after[i] == before[i])
            continue;
        QCOMPARE(seriesOf(after[i]), seriesOf(before[i]));
        changed += QByteArray(after[i])
                       .replace("dtlsd_", "")
                       .replace(R"(config="dtlsd",)", "")
                       .replace(R"(config="dtlsd")", "");
    }
    QCOMPARE(changed, QSet<QByteArray>(expected.begin(), expected.end()));
}

void TestMetrics::everyFamilyIsDescribedAndNoSeriesIsThereTwice()
{
    Lines lines = linesOf(stateOfTwoWorkers());
    QCOMPARE(lines.takeLast(), QByteArray()); // it ends with a line feed
    QSet<QByteArray> families;
    QSet<QByteArray> series;
    QByteArray family;
    for (const QByteArray &line : lines) {
        const Lines words = line.split(' ');
        if (line.startsWith("# HELP ")) {
            family = words[2];
            QVERIFY2(words.size() > 4, line.constData());
            QVERIFY2(!families.contains(family), line.constData());
            families += family;
        } else if (line.startsWith('#')) {
            const char *type = family.endsWith("_total") ? "counter" : "gauge";
            QCOMPARE(line, "# TYPE " + family + ' ' + type);
        } else {
            QVERIFY2(line.startsWith("dtlsd_"), line.constData());
            QCOMPARE(nameOf(line), family);
            QVERIFY2(!series.contains(seriesOf(line)), line.constData());
            series += seriesOf(line);
        }
    }
    QVERIFY(series.size() > families.size());
}

/// As node_exporter has it, which reads the file.
void TestMetrics::aFamilyWithoutSamplesIsLeftOut()
{
    DaemonState state = stateOfTwoWorkers();
    QVERIFY(metricsText(state).contains("# TYPE dtlsd_service_reachable gauge\n"));
    state.services.clear();
    QVERIFY(!metricsText(state).contains("dtlsd_service_reachable"));
}

void TestMetrics::daemonsOfOneMachineAreToldApart_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QByteArray>("label");
    QTest::newRow("an instance") << QStringLiteral("/etc/dtlsd/plant2.ini")
                                 << QByteArray(R"(config="plant2")");
    QTest::newRow("no file") << QString() << QByteArray(R"(config="dtlsd")");
    QTest::newRow("dots") << QStringLiteral("a.b.ini") << QByteArray(R"(config="a.b")");
    QTest::newRow("a name that wants out of its quotes")
        << QStringLiteral("/etc/a\"} 1\n\\.ini") << QByteArray(R"(config="a\"} 1\n\\")");
    QTest::newRow("other letters") << QStringLiteral("grün.ini") << QByteArray("config=\"grün\"");
}

void TestMetrics::daemonsOfOneMachineAreToldApart()
{
    QFETCH(QString, file);
    QFETCH(QByteArray, label);
    DaemonState state = stateOfTwoWorkers();
    state.configFile = file;
    const Lines lines = linesOf(state);
    QCOMPARE(lines.size(), linesOf(stateOfTwoWorkers()).size());
    for (const QByteArray &line : lines) {
        if (!line.startsWith("dtlsd_"))
            continue;
        const QByteArray labels = line.sliced(line.indexOf('{') + 1);
        QVERIFY2(labels.startsWith(label + ',') || labels.startsWith(label + "} "),
                 line.constData());
    }
}

void TestMetrics::timesAreSeconds()
{
    QVERIFY(linesOf(stateOfTwoWorkers())
                .contains(R"(dtlsd_start_time_seconds{config="dtlsd"} 1767323045.123000)"));
}

void TestMetrics::theTlsBackendIsALabelOfTheBuild()
{
    for (const auto &[name, kind] : backendNames) {
        DaemonState state = stateOfTwoWorkers();
        state.tlsBackend = kind;
        const QByteArray end = QByteArray(",tls_backend=\"") + name.latin1() + "\"} 1";
        const Lines lines = linesOf(state);
        QVERIFY2(std::any_of(lines.begin(), lines.end(),
                             [&end](const QByteArray &line) {
                                 return line.startsWith("dtlsd_build_info{") && line.endsWith(end);
                             }),
                 end.constData());
    }
}

DTLSD_TEST(TestMetrics)
#include "tst_metrics.moc"
