// SPDX-License-Identifier: Apache-2.0
//
// The workers and the main thread: each question is answered, however late a worker is, and nobody
// waits for another. Workers here are real threads with real sockets on the loopback.
#include "app/WorkerPool.h"
#include "support/PoolStage.h"
#include "support/TestProgram.h"

#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

class TestWorkerPool : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aWorkerThatDoesNotAnswerIsNamedInTime();
    void aCommandWaitsForTheLastWorkerAndCountsRight();
    void workersThatSweepAnswer();
    void settingsHoldInEveryWorkerBeforeTheyAreReported();
    void goodbyesAreNoFasterThanTheLog();
    void goodbyesDoNotWaitForALogThatHangs();
};

void TestWorkerPool::aWorkerThatDoesNotAnswerIsNamedInTime()
{
    PoolStage stage(20ms);
    QVERIFY(stage.isListening);
    Listener listener;
    {
        HungWorker hung(stage.pool, QStringLiteral("worker-1"));
        stage.pool.states(listener.hear<std::vector<WorkerState>>(QStringLiteral("states")));
        stage.pool.sessions(
            listener.hear<std::vector<std::vector<SessionReport>>>(QStringLiteral("sessions")));
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
    stage.pool.closeSessions(isDev, listener.hearCount(QStringLiteral("closed")));
    stage.pool.states(listener.hear<std::vector<WorkerState>>(QStringLiteral("states")));
    stage.pool.receivingSockets(listener.hear<int>(QStringLiteral("sockets")));
    QVERIFY(listener.waitFor(2));
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

void TestWorkerPool::goodbyesAreNoFasterThanTheLog()
{
    constexpr int count = 400;
    // Entries: fewer than there are goodbyes, but half of them, which one identity may have, is
    // more than keepsUp() and a slice of each worker let wait.
    PoolStage stage(30s, 320);
    QVERIFY(stage.isListening && stage.open(count, dev()) && stage.stallLog());
    const qsizetype before = stage.sink->accepted().size();
    const std::size_t waiting = stage.writer.state().waiting;
    Listener listener;
    stage.pool.close([&] { listener.heard += QStringLiteral("closed"); });
    stage.pool.states(listener.hear<std::vector<WorkerState>>(QStringLiteral("states")));
    QVERIFY(listener.waitFor(1));
    stage.sink->set(SinkState::Mode::Accept);
    QVERIFY(listener.waitFor(2));
    QVERIFY(stage.sink->waitForAccepted(before + static_cast<qsizetype>(waiting) + count));
    QCOMPARE(stage.writer.state().lost, 0U);
}

void TestWorkerPool::goodbyesDoNotWaitForALogThatHangs()
{
    constexpr int count = 200;
    PoolStage stage(30s, 128);
    QVERIFY(stage.isListening && stage.open(count, dev()) && stage.stallLog());
    Listener listener;
    stage.pool.close([&] { listener.heard += QStringLiteral("closed"); });
    QVERIFY(listener.waitFor(1)); // though the log has taken nothing
    QVERIFY(stage.writer.state().lost > 0);
    QVERIFY(waitUntil(
        [&] {
            return std::none_of(stage.devices.begin(), stage.devices.end(),
                                [](const auto &device) { return device->isConnected(); });
        },
        QDeadlineTimer(patience)));
    stage.sink->set(SinkState::Mode::Accept);
    QTRY_COMPARE(stage.sink->accepted().count("dropped"), 1); // all of them in one
}

DTLSD_TEST(TestWorkerPool)
#include "tst_workerpool.moc"
