// SPDX-License-Identifier: Apache-2.0
//
// The workers and the main thread: each question is answered, however late a worker is, and nobody
// waits for another. Workers here are real threads with real sockets on the loopback.
#include "app/Reloader.h"
#include "app/WorkerPool.h"
#include "dtls/DtlsClient.h"
#include "support/ChildProcess.h"
#include "support/ConfigFolder.h"
#include "support/LogFakes.h"

#include <QTest>

#include <latch>
#include <memory>
#include <optional>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

const QByteArray plain = "[server]\nlisten = 127.0.0.1:0\nworkers = 2\n[psk]\nfile =\n"
                         "[identity dev]\nkey = text:AAAAAAAAAAAAAAAA\n"
                         "[identity other]\nkey = text:BBBBBBBBBBBBBBBB\n";
const QByteArray withoutDev = "[server]\nlisten = 127.0.0.1:0\nworkers = 2\n[psk]\nfile =\n"
                              "[identity other]\nkey = text:BBBBBBBBBBBBBBBB\n";

const DtlsClient::Options dev{.identity = "dev", .key = PskKey(QByteArray(16, 'A')), .ciphers = {}};
const DtlsClient::Options other{
    .identity = "other", .key = PskKey(QByteArray(16, 'B')), .ciphers = {}};

bool isDev(const SessionInfo &info)
{
    return info.identity == "dev";
}

/// Two workers that listen, with a log that a test can stall.
class Stage
{
public:
    explicit Stage(std::chrono::milliseconds patience = 30s, std::size_t logCapacity = 1024)
        : sink(std::make_shared<SinkState>())
        , config(folder.load(plain).config)
        , writer(std::make_unique<FakeSink>(sink), logCapacity,
                 {[](const Losses &) { return recordSaying("dropped"); },
                  [](const Verifiability &) { return recordSaying("verifiability"); }})
        , pool(config, writer, m_mailbox, {}, patience)
    {
        m_mailbox.open();
        isListening = pool.bind(config.server.listen).ok();
        pool.serve(config.server.listen);
    }
    ~Stage()
    {
        sink->set(SinkState::Mode::Accept);
        pool.stop();
        m_mailbox.close();
    }
    Stage(const Stage &) = delete;
    Stage &operator=(const Stage &) = delete;

    /// Opens @p count sessions more.
    bool open(int count, const DtlsClient::Options &options)
    {
        const std::size_t before = devices.size();
        for (int i = 0; i < count; ++i) {
            devices.push_back(std::make_unique<DtlsClient>(options));
            if (!devices.back()->connectTo(pool.addresses().constFirst()))
                return false;
        }
        return waitUntil(
            [&] {
                return std::all_of(devices.begin() + static_cast<std::ptrdiff_t>(before),
                                   devices.end(), [](const auto &d) { return d->isConnected(); });
            },
            QDeadlineTimer(test::patience));
    }
    /// Stalls the log with more in its queue than pleases those who pace themselves.
    bool stallLog()
    {
        if (!waitUntil([&] { return writer.state().waiting == 0; }, QDeadlineTimer(test::patience)))
            return false;
        sink->set(SinkState::Mode::Stall);
        static_cast<void>(writer.push({recordSaying("stalls")}));
        if (!sink->waitForStall())
            return false;
        while (writer.keepsUp())
            static_cast<void>(writer.push({recordSaying("waits")}));
        return true;
    }

    ConfigFolder folder;
    std::shared_ptr<SinkState> sink;
    Config config;

private:
    Mailbox m_mailbox;

public:
    LogWriter writer;
    WorkerPool pool;
    bool isListening = false;
    std::vector<std::unique_ptr<DtlsClient>> devices;
};

/// Makes a worker hang until release(), or its end.
class HungWorker
{
public:
    HungWorker(WorkerPool &pool, const QString &name)
    {
        pool.ask<int>(
            [this, name](Worker &worker, const Then<int> &answer) {
                if (worker.objectName() == name)
                    m_latch.wait();
                answer(0);
            },
            {}, [this](const auto &) { m_hasAnswered = true; });
    }
    HungWorker(const HungWorker &) = delete;
    HungWorker &operator=(const HungWorker &) = delete;
    ~HungWorker() { release(); }

    void release()
    {
        if (!std::exchange(m_isReleased, true))
            m_latch.count_down();
        static_cast<void>(
            waitUntil([this] { return m_hasAnswered; }, QDeadlineTimer(test::patience)));
    }

private:
    std::latch m_latch{1};
    bool m_isReleased = false;
    bool m_hasAnswered = false;
};

/// Remembers what it hears, in order.
struct Listener
{
    template <class T>
    auto hear(const QString &name)
    {
        return [this, name](const Result<T> &result) {
            heard += name + (result ? QString() : QStringLiteral(": ") + result.error().message);
        };
    }
    auto hearCount(const QString &name)
    {
        return [this, name](std::int64_t count) {
            heard += QStringLiteral("%1: %2").arg(name).arg(count);
        };
    }
    auto hearOutcome(const QString &name)
    {
        return [this, name](const ReloadOutcome &outcome) {
            const auto *rejected = std::get_if<ReloadRejected>(&outcome);
            heard += name + (rejected ? QStringLiteral(": ") + rejected->error.text : QString());
        };
    }
    /// Whether it hears @p count things, and nothing beyond.
    bool waitFor(qsizetype count) const
    {
        return waitUntil([&] { return heard.size() >= count; }, QDeadlineTimer(test::patience)) &&
               heard.size() == count;
    }

    QStringList heard;
};

} // namespace

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
    void aSecondReloadWaitsAndThoseThatWaitAreOne();
    void aReloadThatAWorkerCannotHearOfIsRejected();
    void noReloadBeginsWhileItStops();
};

void TestWorkerPool::aWorkerThatDoesNotAnswerIsNamedInTime()
{
    Stage stage(20ms);
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
    Stage stage(20ms);
    QVERIFY(stage.isListening && stage.open(20, dev) && stage.open(1, other));
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
    Stage stage;
    QVERIFY(stage.isListening && stage.open(1, dev));
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
    Stage stage;
    QVERIFY(stage.isListening && stage.open(20, dev) && stage.open(2, other));
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
    Stage stage(30s, 320);
    QVERIFY(stage.isListening && stage.open(count, dev) && stage.stallLog());
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
    Stage stage(30s, 128);
    QVERIFY(stage.isListening && stage.open(count, dev) && stage.stallLog());
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

void TestWorkerPool::aSecondReloadWaitsAndThoseThatWaitAreOne()
{
    Stage stage;
    QVERIFY(stage.isListening && stage.open(3, dev));
    QStringList loaded;
    QByteArray ini = plain;
    Listener listener;
    Reloader reloader(
        [&] {
            listener.heard += QStringLiteral("loads");
            return stage.folder.load(ini);
        },
        stage.config, stage.pool, listener.hearOutcome(QStringLiteral("concluded")));
    reloader.reload(listener.hearOutcome(QStringLiteral("first")));
    reloader.reload(listener.hearOutcome(QStringLiteral("second")));
    ini = withoutDev;
    reloader.reload();
    reloader.reload(listener.hearOutcome(QStringLiteral("third")));
    QCOMPARE(listener.heard, QStringList{QStringLiteral("loads")});
    // The state of the workers is told meanwhile.
    bool isToldInTime = false;
    stage.pool.states([&](const auto &) { isToldInTime = listener.heard.size() == 1; });
    QVERIFY(listener.waitFor(7));
    QCOMPARE(listener.heard, (QStringList{QStringLiteral("loads"), QStringLiteral("concluded"),
                                          QStringLiteral("first"), QStringLiteral("loads"),
                                          QStringLiteral("concluded"), QStringLiteral("second"),
                                          QStringLiteral("third")}));
    QVERIFY(isToldInTime);
    QCOMPARE(stage.config.settings.identities->size(), 1);
    QVERIFY(waitUntil([&] { return !stage.devices[0]->isConnected(); }, QDeadlineTimer(patience)));
}

void TestWorkerPool::aReloadThatAWorkerCannotHearOfIsRejected()
{
    Stage stage(20ms);
    QVERIFY(stage.isListening);
    Listener listener;
    Reloader reloader([&] { return stage.folder.load(withoutDev); }, stage.config, stage.pool,
                      listener.hearOutcome(QStringLiteral("concluded")));
    HungWorker hung(stage.pool, QStringLiteral("worker-1"));
    reloader.reload();
    QVERIFY(listener.waitFor(1));
    QCOMPARE(listener.heard.constLast(), QStringLiteral("concluded: worker 1 does not answer"));
    QCOMPARE(stage.config.settings.identities->size(), 2);
    hung.release();
    reloader.reload();
    QVERIFY(listener.waitFor(2));
    QCOMPARE(listener.heard.constLast(), QStringLiteral("concluded"));
    QCOMPARE(stage.config.settings.identities->size(), 1);
}

void TestWorkerPool::noReloadBeginsWhileItStops()
{
    Stage stage;
    QVERIFY(stage.isListening);
    Listener listener;
    Reloader reloader([&] { return stage.folder.load(withoutDev); }, stage.config, stage.pool,
                      listener.hearOutcome(QStringLiteral("concluded")));
    reloader.reload(listener.hearOutcome(QStringLiteral("first")));
    reloader.reload(listener.hearOutcome(QStringLiteral("second")));
    reloader.stop();
    reloader.reload(listener.hearOutcome(QStringLiteral("third")));
    QCOMPARE(listener.heard, (QStringList{QStringLiteral("second: dtlsd is stopping"),
                                          QStringLiteral("third: dtlsd is stopping")}));
    QVERIFY(listener.waitFor(4));
    QCOMPARE(listener.heard[2], QStringLiteral("concluded"));
    QCOMPARE(listener.heard[3], QStringLiteral("first"));
}

QTEST_GUILESS_MAIN(TestWorkerPool)
#include "tst_workerpool.moc"
