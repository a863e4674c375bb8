// SPDX-License-Identifier: Apache-2.0
//
// The workers and the main thread: each question is answered, however late a worker is, and nobody
// waits for another. Workers here are real threads with real sockets on the loopback.
#include "app/PoolSessions.h"
#include "app/WorkerPool.h"
#include "net/Steering.h"
#include "support/PassedSockets.h"
#include "support/PoolStage.h"
#include "support/RecordBytes.h"
#include "support/TestProgram.h"

#include <QElapsedTimer>
#include <QUdpSocket>

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <vector>

#include <sys/socket.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

/// Listens at an IPv4 and an IPv6 address.
const QByteArray fourWorkers =
    QByteArray(plain).replace("workers = 2", "workers = 4").replace("1:0\n", "1:0, [::1]:0\n");

/// How many sources send to each address.
constexpr std::uint64_t sourceCount = 64;

/// A record of no session, by whose connection ID it is for @p worker.
QByteArray recordFor(int worker)
{
    const QByteArray id = QByteArray(1, '\0') + static_cast<char>(worker) + "random";
    QByteArray bytes = record(25, 1, 1, "encrypted, as far as anybody knows");
    return bytes.insert(11, id);
}

/// Sends @p datagram from many ports to @p server.
void sendToEach(const QList<SocketAddress> &servers, const QByteArray &datagram)
{
    for (const SocketAddress &server : servers) {
        for (std::uint64_t i = 0; i < sourceCount; ++i)
            QUdpSocket().writeDatagram(datagram, server.address(), server.port());
    }
}

using Counts = std::vector<std::uint64_t>;

/// How many records of no session came to each worker, once they are @p total.
Counts straysOf(WorkerPool &pool, std::uint64_t total)
{
    const auto counts = std::make_shared<Counts>();
    const auto ask = [&] {
        counts->clear();
        pool.states([counts](const Result<std::vector<WorkerState>> &states) {
            for (const WorkerState &state : states.value())
                counts->push_back(state.statistics.unverified.withoutSession);
        });
        return waitUntil([&] { return !counts->empty(); }, QDeadlineTimer(patience)) &&
               std::accumulate(counts->begin(), counts->end(), std::uint64_t{0}) >= total;
    };
    static_cast<void>(waitUntil(ask, QDeadlineTimer(patience)));
    return *counts;
}

} // namespace

class TestWorkerPool : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aWorkerThatDoesNotAnswerIsNamedInTime();
    void aCommandWaitsForTheLastWorkerAndCountsRight();
    void workersThatSweepAnswer();
    void settingsHoldInEveryWorkerBeforeTheyAreReported();
    void sessionsOfAllWorkersAreTold_data();
    void sessionsOfAllWorkersAreTold();
    void goodbyesAreNoFasterThanTheLog();
    void goodbyesDoNotWaitForALogThatHangs();
    void recordsWithAnIdComeToTheirWorker();
    void recordsWithAnIdComeToTheirWorkerThroughPassedSockets_data();
    void recordsWithAnIdComeToTheirWorkerThroughPassedSockets();
    void whereAWorkerHasNoSocketNothingIsSteered();
    void oneWorkerNeedsNoSteering();
    void aKernelThatRefusesToSteerIsReported();
};

void TestWorkerPool::aWorkerThatDoesNotAnswerIsNamedInTime()
{
    PoolStage stage(1s);
    QVERIFY(stage.isListening);
    Listener listener;
    {
        HungWorker hung(stage.pool, QStringLiteral("worker-1"));
        stage.pool.states(listener.hear<std::vector<WorkerState>>(QStringLiteral("states")));
        const auto sessions = std::make_shared<PoolSessions>(stage.pool, SessionQuery());
        sessions->next(listener.hear<PoolSessions::Part>(QStringLiteral("sessions")));
        stage.pool.receivingSockets(listener.hear<int>(QStringLiteral("sockets")));
        QVERIFY(listener.waitFor(3));
        QCOMPARE(listener.heard,
                 (QStringList{QStringLiteral("states: worker 1 does not answer"),
                              QStringLiteral("sessions: worker 1 does not answer"),
                              QStringLiteral("sockets: worker 1 does not answer")}));
        hung.release(); // its answers come behind those that nobody waits for any more
        QCOMPARE(listener.heard.size(), 3);
    }
}

void TestWorkerPool::aCommandWaitsForTheLastWorkerAndCountsRight()
{
    PoolStage stage(20ms);
    QVERIFY(stage.isListening && stage.open(20, dev()) && stage.open(1, other()));
    Listener listener;
    HungWorker hung(stage.pool, QStringLiteral("worker-0"));
    stage.pool.closeSessions(isDev, listener.hearCount(QStringLiteral("closed")));
    for (int i = 0; i < 3; ++i)
        stage.pool.states(listener.hear<std::vector<WorkerState>>(QStringLiteral("states")));
    QVERIFY(listener.waitFor(3));
    QCOMPARE(listener.heard.count(QStringLiteral("states: worker 0 does not answer")), 3);
    hung.release();
    QVERIFY(listener.waitFor(4));
    QCOMPARE(listener.heard.constLast(), QStringLiteral("closed: 20"));
    stage.pool.closeSessions(isDev, listener.hearCount(QStringLiteral("closed")));
    QVERIFY(listener.waitFor(5));
    QCOMPARE(listener.heard.constLast(), QStringLiteral("closed: 0"));
    QVERIFY(stage.devices.back()->isConnected());
}

void TestWorkerPool::workersThatSweepAnswer()
{
    PoolStage stage;
    QVERIFY(stage.isListening && stage.open(1, dev()));
    QVERIFY(stage.stallLog()); // a sweep waits for it
    Listener listener;
    {
        // A sweep waits for the log for a second only. Both workers have all three before them.
        const HungWorker both(stage.pool);
        stage.pool.closeSessions(isDev, listener.hearCount(QStringLiteral("closed")));
        stage.pool.states(listener.hear<std::vector<WorkerState>>(QStringLiteral("states")));
        stage.pool.receivingSockets(listener.hear<int>(QStringLiteral("sockets")));
    }
    QVERIFY(listener.waitForAtLeast(2));
    stage.sink->set(SinkState::Mode::Accept);
    QVERIFY(listener.waitFor(3));
    QCOMPARE(listener.heard, (QStringList{QStringLiteral("states"), QStringLiteral("sockets"),
                                          QStringLiteral("closed: 1")}));
}

void TestWorkerPool::settingsHoldInEveryWorkerBeforeTheyAreReported()
{
    PoolStage stage;
    QVERIFY(stage.isListening && stage.open(20, dev()) && stage.open(2, other()));
    Listener listener;
    stage.pool.apply(stage.folder.load(withoutDev).config,
                     listener.hearCount(QStringLiteral("revoked")));
    // Some are checked by a record of their own, before the sweep comes to them.
    for (const auto &device : stage.devices)
        device->send("hello");
    QVERIFY(listener.waitFor(1));
    QCOMPARE(listener.heard.constLast(), QStringLiteral("revoked: 20"));
    std::int64_t sessions = -1;
    stage.pool.states([&](const Result<std::vector<WorkerState>> &states) {
        sessions = states.value()[0].statistics.sessions + states.value()[1].statistics.sessions;
    });
    QTRY_COMPARE(sessions, 2);
}

void TestWorkerPool::sessionsOfAllWorkersAreTold_data()
{
    QTest::addColumn<QByteArray>("identity");
    QTest::addColumn<int>("limit");
    QTest::addColumn<int>("told");
    QTest::addColumn<int>("total");
    QTest::newRow("all") << QByteArray() << 0 << 300 << 300;
    QTest::newRow("of an identity") << QByteArray("other") << 0 << 10 << 10;
    QTest::newRow("the last active") << QByteArray() << 280 << 280 << 300;
    QTest::newRow("the last active of an identity") << QByteArray("dev") << 7 << 7 << 290;
    QTest::newRow("none") << QByteArray("nobody") << 7 << 0 << 0;
}

void TestWorkerPool::sessionsOfAllWorkersAreTold()
{
    QFETCH(QByteArray, identity);
    QFETCH(int, limit);
    QFETCH(int, told);
    QFETCH(int, total);
    PoolStage stage;
    QVERIFY(stage.isListening && stage.open(290, dev()) && stage.open(10, other()));
    SessionQuery query{.identity = {}, .limit = limit};
    if (!identity.isNull())
        query.identity = identity;
    const auto sessions = std::make_shared<PoolSessions>(stage.pool, query);
    std::vector<SessionReport> reports;
    std::set<SessionId> ids;
    for (bool isLast = false; !isLast;) {
        std::optional<PoolSessions::Part> part;
        sessions->next([&](const Result<PoolSessions::Part> &next) { part = next.value(); });
        QVERIFY(waitUntil([&] { return part.has_value(); }, QDeadlineTimer(patience)));
        QVERIFY(part->sessions.size() <= 256);
        for (const auto &[report, worker] : part->sessions) {
            QVERIFY(worker < 2);
            QVERIFY(query.isMeant(report.info));
            ids.insert(report.info.id);
            reports.push_back(report);
        }
        isLast = part->isLast;
        if (isLast)
            QCOMPARE(part->total, total);
    }
    QCOMPARE(std::ssize(reports), told);
    QCOMPARE(std::ssize(ids), told);
    if (limit > 0)
        QVERIFY(std::ranges::is_sorted(reports, comesFirst));
}

void TestWorkerPool::goodbyesAreNoFasterThanTheLog()
{
    constexpr int count = 400;
    // Entries: fewer than there are goodbyes, but half of them, which one identity may have, is
    // more than keepsUp() and a slice of each worker let wait.
    PoolStage stage(30s, 320);
    QVERIFY(stage.isListening && stage.open(count, dev()) && stage.stallLog());
    const qsizetype accepted = stage.sink->accepted().size();
    const LogState before = stage.writer.state();
    Listener listener;
    QElapsedTimer closing;
    {
        const HungWorker both(stage.pool); // they have both before them
        stage.pool.close([&] { listener.heard += QStringLiteral("closed"); });
        stage.pool.states(listener.hear<std::vector<WorkerState>>(QStringLiteral("states")));
        closing.start();
    }
    QVERIFY(listener.waitForAtLeast(1));
    stage.sink->set(SinkState::Mode::Accept);
    const bool isInTime = closing.elapsed() < 700; // goodbyes wait for the log for a second
    QVERIFY(listener.waitFor(2));
    QCOMPARE(listener.heard, (QStringList{QStringLiteral("states"), QStringLiteral("closed")}));
    if (!isInTime)
        QSKIP("the log has stalled for too long");
    QVERIFY(stage.sink->waitForAccepted(accepted + static_cast<qsizetype>(before.waiting) + count));
    QCOMPARE(stage.writer.state().lost, before.lost);
}

void TestWorkerPool::goodbyesDoNotWaitForALogThatHangs()
{
    constexpr int count = 200;
    PoolStage stage(30s, 128);
    QVERIFY(stage.isListening && stage.open(count, dev()) && stage.stallLog());
    const qsizetype reports = stage.sink->accepted().count("dropped");
    const std::uint64_t lost = stage.writer.state().lost;
    Listener listener;
    stage.pool.close([&] { listener.heard += QStringLiteral("closed"); });
    QVERIFY(listener.waitFor(1)); // though the log has taken nothing
    QVERIFY(stage.writer.state().lost > lost);
    QVERIFY(waitUntil(
        [&] {
            return std::none_of(stage.devices.begin(), stage.devices.end(),
                                [](const auto &device) { return device->isConnected(); });
        },
        QDeadlineTimer(patience)));
    stage.sink->set(SinkState::Mode::Accept);
    QTRY_COMPARE(stage.sink->accepted().count("dropped"), reports + 1); // all of them in one
}

void TestWorkerPool::recordsWithAnIdComeToTheirWorker()
{
    PoolStage stage(fourWorkers, {});
    QVERIFY(stage.isListening);
    QVERIFY(stage.pool.listeners().isSteered());
    const QList<SocketAddress> first = stage.pool.listeners().addresses();
    QCOMPARE(first.size(), 2);
    constexpr std::uint64_t all = 2 * sourceCount;
    sendToEach(first, recordFor(2));
    QCOMPARE(straysOf(stage.pool, all), (Counts{0, 0, all, 0}));
    sendToEach(first, recordFor(3));
    QCOMPARE(straysOf(stage.pool, 2 * all), (Counts{0, 0, all, all}));
    sendToEach(first, recordFor(5)); // by a pool that had more workers
    QCOMPARE(straysOf(stage.pool, 3 * all), (Counts{0, all, all, all}));

    // As a reload does it.
    const QList<SocketAddress> wanted{first[1], SocketAddress::parse(u"127.0.0.2:0").value()};
    QVERIFY(stage.pool.bind(wanted));
    stage.pool.serve(wanted);
    QVERIFY(stage.pool.listeners().isSteered());
    const QList<SocketAddress> second = stage.pool.listeners().addresses();
    QCOMPARE(second.size(), 2);
    QCOMPARE(second[0], first[1]);
    sendToEach(second, recordFor(0));
    QCOMPARE(straysOf(stage.pool, 4 * all), (Counts{all, all, all, all}));
}

void TestWorkerPool::recordsWithAnIdComeToTheirWorkerThroughPassedSockets_data()
{
    QTest::addColumn<QByteArray>("letters");
    QTest::newRow("as many sockets as workers") << QByteArray("aaaabbbb");
    QTest::newRow("more sockets than workers") << QByteArray("aaaaabbbbbb");
    QTest::newRow("in any order of addresses") << QByteArray("abbabaabb");
}

void TestWorkerPool::recordsWithAnIdComeToTheirWorkerThroughPassedSockets()
{
    QFETCH(QByteArray, letters);
    PoolStage stage(fourWorkers, socketsAt(letters));
    QCOMPARE(stage.pool.size(), 4);
    QVERIFY(stage.pool.listeners().isSteered());
    Counts expected(4);
    for (const std::size_t worker : {3U, 0U, 2U, 1U}) {
        sendToEach(stage.pool.listeners().addresses(), recordFor(static_cast<int>(worker)));
        expected[worker] = 2 * sourceCount;
        QCOMPARE(straysOf(stage.pool, std::accumulate(expected.begin(), expected.end(), 0UL)),
                 expected);
    }
}

void TestWorkerPool::whereAWorkerHasNoSocketNothingIsSteered()
{
    const std::vector<int> passed = socketsAt("aabb");
    const Steering former{.firstByte = 25, .chooserPlace = 12, .sockets = 2};
    QVERIFY(former.attachTo(passed[0])); // by a process that had two workers
    PoolStage stage(fourWorkers, passed);
    QVERIFY(!stage.pool.listeners().isSteered());
    Listener listener;
    stage.pool.receivingSockets(listener.hear<int>(QStringLiteral("sockets")));
    QVERIFY(listener.waitFor(1));
    QCOMPARE(listener.heard, QStringList{QStringLiteral("sockets")}); // each worker has one
    QVERIFY(stage.waitForLog());
    QCOMPARE(stage.sink->accepted(), QList<QByteArray>());        // nobody refused anything
    sendToEach(stage.pool.listeners().addresses(), recordFor(0)); // they are handed over
    QCOMPARE(straysOf(stage.pool, 2 * sourceCount), (Counts{2 * sourceCount, 0, 0, 0}));

    // An address that has enough is steered nevertheless.
    PoolStage mixed(fourWorkers, socketsAt("baaaab"));
    QVERIFY(!mixed.pool.listeners().isSteered());
    sendToEach({mixed.pool.listeners().addresses()[1]}, recordFor(3));
    QCOMPARE(straysOf(mixed.pool, sourceCount), (Counts{0, 0, 0, sourceCount}));
}

void TestWorkerPool::oneWorkerNeedsNoSteering()
{
    PoolStage stage(QByteArray(plain).replace("workers = 2", "workers = 1"), socketsAt("ab"));
    QVERIFY(stage.pool.listeners().isSteered());
    QVERIFY(stage.waitForLog());
    QCOMPARE(stage.sink->accepted(), QList<QByteArray>());
}

/// SO_LOCK_FILTER on passed sockets is also how a test gets a pool that hands over without
/// steering.
void TestWorkerPool::aKernelThatRefusesToSteerIsReported()
{
    const std::vector<int> passed = socketsAt("aaaa");
    const int on = 1;
    for (const int socket : passed)
        QCOMPARE(setsockopt(socket, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on), 0);
    PoolStage stage(fourWorkers, passed);
    QVERIFY(!stage.pool.listeners().isSteered());
    QVERIFY(stage.sink->waitForAccepted(1));
    QCOMPARE(stage.sink->accepted(),
             QList<QByteArray>{
                 stage.folder.path().toUtf8() +
                 ": [server] workers: cannot steer datagrams among the sockets at " +
                 stage.pool.listeners().addresses()[0].toUtf8() +
                 ": Operation not permitted; workers hand records with a connection ID to each "
                 "other instead"});
    sendToEach(stage.pool.listeners().addresses(), recordFor(0));
    QCOMPARE(straysOf(stage.pool, sourceCount), (Counts{sourceCount, 0, 0, 0}));
}

DTLSD_TEST(TestWorkerPool)
#include "tst_workerpool.moc"
