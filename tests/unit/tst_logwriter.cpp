// SPDX-License-Identifier: Apache-2.0
#include "log/LogWriter.h"
#include "support/TestProgram.h"

#include "support/LogFakes.h"

#include <QElapsedTimer>
#include <QScopeGuard>

#include <latch>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

using Mode = SinkState::Mode;
using Messages = QList<QByteArray>;

constexpr auto soon = 30s; // only ever waited for by a test that fails

/// A writer with a sink that the test controls. Ends well however the test ends.
struct Bench
{
    explicit Bench(std::size_t capacity = 100)
        : writer(std::make_unique<FakeSink>(sink), capacity,
                 {[](const Losses &losses) {
                      return recordSaying("dropped " + QByteArray::number(quint64{losses.total()}));
                  },
                  [](const Verifiability &report) {
                      return recordSaying(report.obstacle.empty()
                                              ? "readable, unverified " +
                                                    QByteArray::number(quint64{report.unverified})
                                              : QByteArray::fromStdString(report.obstacle));
                  }},
                 10ms)
    {
    }
    ~Bench() { sink->set(Mode::Accept); }

    bool push(const QByteArray &message, AcceptanceListener *listener = nullptr)
    {
        return writer.push({recordSaying(message), listener});
    }

    /// Keeps the log thread in a batch of one entry, so that what follows is one batch.
    bool stall()
    {
        sink->set(Mode::Stall);
        return push("plug") && sink->waitForStall();
    }

    ListenerLog log;
    FakeListener a{log, "a"};
    FakeListener b{log, "b"};
    std::shared_ptr<SinkState> sink = std::make_shared<SinkState>();
    LogWriter writer;
};

} // namespace

class TestLogWriter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void entriesReachTheSinkInOrder()
    {
        Bench bench;
        for (const auto *text : {"1", "2", "3"})
            QVERIFY(bench.push(text));
        QVERIFY(bench.writer.stop(soon));
        QCOMPARE(bench.sink->accepted(), (Messages{"1", "2", "3"}));
    }

    void listenersHearOfTheirEntriesInOrderAndOfABatchOnce()
    {
        Bench bench;
        QVERIFY(bench.stall());
        for (FakeListener *listener : {&bench.a, &bench.b, &bench.a, &bench.b, &bench.b})
            QVERIFY(bench.push("entry", listener));
        QVERIFY(bench.push("nobody's"));
        bench.sink->set(Mode::Accept);
        QVERIFY(bench.writer.stop(soon));
        QCOMPARE(bench.log.events(), (Messages{"a+", "b+", "a+", "b+", "b+", "a.", "b."}));
    }

    void aListenerHearsWhatWasLostAmongWhatWasAccepted()
    {
        Bench bench;
        QVERIFY(bench.push("1", &bench.a));
        QVERIFY(bench.log.waitFor("a+", 1));
        bench.sink->set(Mode::Refuse);
        QVERIFY(bench.push("2", &bench.a));
        QVERIFY(bench.log.waitFor("a-", 1));
        bench.sink->set(Mode::Accept);
        QVERIFY(bench.push("3", &bench.a));
        QVERIFY(bench.writer.stop(soon));
        QCOMPARE(bench.log.events(), (Messages{"a+", "a.", "a-", "a.", "a+", "a."}));
    }

    void whatIsNotSettledYetIsSettledLaterInOrder()
    {
        Bench bench;
        bench.sink->setSilent(true);
        QVERIFY(bench.push("1", &bench.a));
        QVERIFY(bench.push("2", &bench.b));
        QVERIFY(bench.sink->waitForAccepted(2));
        bench.sink->set(Mode::Refuse);
        QVERIFY(bench.push("3", &bench.a));
        QVERIFY(bench.log.events().isEmpty());
        QVERIFY(!bench.writer.stop(50ms)); // it waits for an answer
        bench.sink->setSilent(false);
        QVERIFY(bench.writer.stop(soon));
        Messages outcomes = bench.log.events();
        outcomes.removeAll("a.");
        outcomes.removeAll("b.");
        QCOMPARE(outcomes, (Messages{"a+", "b+", "a-"}));
    }

    void aStalledSinkDoesNotBlockPushAndAFullQueueSaysSo()
    {
        Bench bench(3);
        QVERIFY(bench.stall());
        for (int i = 0; i < 3; ++i)
            QVERIFY(bench.push("fits", &bench.a));
        QVERIFY(!bench.push("does not fit", &bench.a));
        QVERIFY(bench.log.events().isEmpty()); // nothing is settled before the sink has spoken
    }

    void theBatchThatFreesAFullQueueReportsWhatWasDropped()
    {
        Bench bench(3);
        QVERIFY(bench.stall());
        for (int i = 0; i < 8; ++i)
            QCOMPARE(bench.push("entry"), i < 3);
        bench.sink->set(Mode::Accept);
        // No further entry comes. The drops may count to the plug's batch or to the next one.
        QVERIFY(bench.sink->waitForAccepted(5));
        QVERIFY(bench.writer.stop(soon));
        const Messages accepted = bench.sink->accepted();
        QCOMPARE(accepted.size(), 5);
        QCOMPARE(accepted.count("entry"), 3);
        QCOMPARE(accepted.count("dropped 5"), 1);
    }

    void refusedEntriesAreReportedWhenTheSinkTakesTheNextOne()
    {
        Bench bench;
        bench.sink->set(Mode::Refuse);
        for (int i = 0; i < 3; ++i)
            QVERIFY(bench.push("refused", &bench.a));
        QVERIFY(bench.log.waitFor("a-", 3));
        bench.sink->set(Mode::Accept);
        QVERIFY(bench.push("next"));
        QVERIFY(bench.sink->waitForAccepted(2));
        QVERIFY(bench.writer.stop(soon));
        const Messages accepted = bench.sink->accepted();
        QCOMPARE(accepted.size(), 2);
        QVERIFY(accepted.contains("next"));
        QVERIFY(accepted.contains("dropped 3"));
    }

    void lossesInTheQueueAndInTheSinkMakeOneReport()
    {
        Bench bench(2);
        QVERIFY(bench.stall());
        for (int i = 0; i < 6; ++i)
            QCOMPARE(bench.push("entry", &bench.a), i < 2);
        bench.sink->set(Mode::Refuse); // the plug, two entries, and the report of them
        QVERIFY(bench.log.waitFor("a.", 1));
        bench.sink->set(Mode::Accept);
        QVERIFY(bench.writer.stop(soon));
        QCOMPARE(bench.sink->accepted(), Messages{"dropped 7"});
    }

    void aLossIsReportedWithoutAnotherEntry()
    {
        Bench bench;
        bench.sink->set(Mode::Refuse);
        QVERIFY(bench.push("refused", &bench.a));
        QVERIFY(bench.log.waitFor("a-", 1));
        bench.sink->set(Mode::Accept);
        QVERIFY(bench.sink->waitForAccepted(1));
        QCOMPARE(bench.sink->accepted(), Messages{"dropped 1"});
    }

    void everyPeriodOfLossHasItsReport()
    {
        Bench bench(1);
        for (int period = 1; period <= 3; ++period) {
            QVERIFY(bench.stall());
            QVERIFY(bench.push("entry"));
            for (int i = 0; i < period; ++i)
                QVERIFY(!bench.push("refused"));
            bench.sink->set(Mode::Accept);
            QVERIFY(bench.sink->waitForAccepted(qsizetype{3} * period)); // plug, entry, report
        }
        QVERIFY(bench.writer.stop(soon));
        for (const auto *report : {"dropped 1", "dropped 2", "dropped 3"})
            QCOMPARE(bench.sink->accepted().count(report), 1);
        QCOMPARE(bench.sink->accepted().size(), 9);
    }

    void aLossThatNobodyCouldBeToldOfIsKnownAfterwards()
    {
        Bench bench;
        bench.sink->set(Mode::Refuse);
        QVERIFY(bench.push("1"));
        QVERIFY(bench.push("2"));
        QVERIFY(bench.writer.stop(soon));
        QCOMPARE(bench.writer.unreported(), 2U);
    }

    void withoutLossesNothingIsReported()
    {
        Bench bench;
        QVERIFY(bench.push("1"));
        QVERIFY(bench.writer.stop(soon));
        QVERIFY(bench.writer.stop(0s));
        QCOMPARE(bench.sink->accepted(), Messages{"1"});
        QCOMPARE(bench.writer.unreported(), 0U);
    }

    void stopGivesUpOnAStalledSinkAndSucceedsOnceItRecovers()
    {
        Bench bench;
        QVERIFY(bench.stall());
        QVERIFY(bench.push("queued"));
        QElapsedTimer timer;
        timer.start();
        QVERIFY(!bench.writer.stop(50ms));
        QVERIFY(timer.elapsed() >= 50);
        QVERIFY(!bench.push("too late"));
        bench.sink->set(Mode::Accept);
        QVERIFY(bench.writer.stop(soon));
        const Messages accepted = bench.sink->accepted();
        QCOMPARE(accepted.count("queued"), 1);
        QCOMPARE(accepted.count("dropped 1"), 1);
        QCOMPARE(accepted.size(), 3);
    }

    void theStateCountsWhatWaitsAndWhatBecameOfTheRest()
    {
        Bench bench(3);
        QCOMPARE(bench.writer.state().waiting, 0U);
        QVERIFY(bench.stall());
        for (int i = 0; i < 5; ++i)
            QCOMPARE(bench.push("entry"), i < 3);
        QCOMPARE(bench.writer.state().waiting, 4U); // with the plug, which the sink has
        QCOMPARE(bench.writer.state().kept, 0U);
        QCOMPARE(bench.writer.state().lost, 2U);
        bench.sink->set(Mode::Accept);
        QVERIFY(bench.writer.stop(soon));
        QCOMPARE(bench.writer.state().waiting, 0U);
        QCOMPARE(bench.writer.state().kept, 5U); // with the report
        QCOMPARE(bench.writer.state().lost, 2U);
    }

    void theTimeBeforeAnEntryCameIsNoStall()
    {
        for (int i = 0; i < 100; ++i) {
            QElapsedTimer sinceItBegan;
            sinceItBegan.start();
            Bench bench;
            QVERIFY(bench.push("1")); // which the log thread may have taken, or not yet
            const auto stalled = bench.writer.state().stalled;
            QVERIFY2(stalled <= std::chrono::milliseconds(sinceItBegan.elapsed() + 1),
                     qPrintable(QString::number(stalled.count())));
        }
    }

    void aLossIsCountedOnceHoweverOftenItsReportIsLost()
    {
        Bench bench;
        bench.sink->set(Mode::Refuse);
        QVERIFY(bench.push("1", &bench.a));
        QVERIFY(bench.log.waitFor("a-", 1));
        QVERIFY(bench.push("2", &bench.a)); // and the report of the first before or after it
        QVERIFY(bench.log.waitFor("a-", 2));
        QVERIFY(bench.writer.stop(soon));
        QCOMPARE(bench.writer.state().lost, 2U);
        QCOMPARE(bench.writer.state().kept, 0U);
        QCOMPARE(bench.writer.state().waiting, 0U);
    }

    void aSinkThatSettlesNothingStallsTheLog()
    {
        Bench bench;
        QCOMPARE(bench.writer.state().stalled, 0ms); // nothing waits
        bench.sink->setSilent(true);
        QVERIFY(bench.push("1"));
        QVERIFY(bench.sink->waitForAccepted(1));
        QTRY_VERIFY(bench.writer.state().stalled > 0ms);
        const auto before = bench.writer.state().stalled;
        QTRY_VERIFY(bench.writer.state().stalled > before);
        QCOMPARE(bench.writer.state().waiting, 1U);
        bench.sink->setSilent(false);
        QTRY_COMPARE(bench.writer.state().waiting, 0U);
        QCOMPARE(bench.writer.state().stalled, 0ms);
    }

    void aSinkThatBlocksStallsTheLogAndItsThreadIsAlive()
    {
        Bench bench;
        QVERIFY(bench.writer.isAlive(soon)); // idle
        QVERIFY(bench.stall());
        QTRY_VERIFY(bench.writer.state().stalled > 0ms);
        QVERIFY(bench.writer.isAlive(0ms));
        bench.sink->set(Mode::Accept);
        bench.sink->setSilent(true);
        QVERIFY(bench.push("waits to be settled"));
        QVERIFY(bench.writer.isAlive(soon));
        bench.sink->setSilent(false);
        QTRY_COMPARE(bench.writer.state().waiting, 0U);
        QVERIFY(bench.writer.isAlive(soon));
    }

    void aThreadThatHangsElsewhereIsNotAlive()
    {
        const auto sink = std::make_shared<SinkState>();
        sink->set(Mode::Refuse);
        std::latch hangs(1);
        std::latch goesOn(1);
        LogWriter writer(std::make_unique<FakeSink>(sink), 10,
                         {[&](const Losses &) {
                              hangs.count_down();
                              goesOn.wait();
                              return recordSaying("dropped");
                          },
                          [](const Verifiability &) { return recordSaying("not reached"); }},
                         1h);
        QVERIFY(writer.push({recordSaying("lost"), nullptr}));
        hangs.wait();
        const bool wasAlive = writer.isAlive(10ms);
        goesOn.count_down();
        QVERIFY(!wasAlive);
        QVERIFY(writer.isAlive(soon));
    }

    void anObstacleIsReportedWhenItBeginsAndWhenItEnds()
    {
        Bench bench;
        bench.sink->set(Mode::Forget);
        bench.sink->setObstacle("no descriptor");
        QVERIFY(bench.push("1", &bench.a));
        QVERIFY(bench.sink->waitForAccepted(2));
        bench.sink->setObstacle("no memory"); // is another reason, not another obstacle
        QVERIFY(bench.push("2", &bench.a));
        QTRY_COMPARE(bench.writer.state().obstacle, std::string("no memory"));
        QTRY_COMPARE(bench.writer.state().unverified, 3U);
        QCOMPARE(bench.writer.state().lost, 0U);
        QCOMPARE(bench.log.events().count("a-"), 2);

        bench.sink->set(Mode::Accept);
        bench.sink->setObstacle({}); // noticed although nobody pushes
        QVERIFY(bench.sink->waitForAccepted(4));
        QCOMPARE(bench.sink->accepted(),
                 (Messages{"1", "no descriptor", "2", "readable, unverified 3"}));
        QCOMPARE(bench.writer.state().obstacle, std::string());
        QVERIFY(bench.writer.stop(soon));
    }

    void aLogThatKeepsNothingSaysSoUntilItKeepsAgain()
    {
        Bench bench;
        QVERIFY(bench.push("1"));
        QVERIFY(bench.sink->waitForAccepted(1));
        QCOMPARE(bench.writer.state().losing, 0ms);
        bench.sink->set(Mode::Refuse);
        QVERIFY(bench.push("2"));
        QTRY_VERIFY(bench.writer.state().losing > 20ms);
        QCOMPARE(bench.writer.state().lossReason, std::string("refused"));
        bench.sink->set(Mode::Accept); // noticed although nobody pushes
        QTRY_COMPARE(bench.writer.state().losing, 0ms);
        QCOMPARE(bench.writer.state().lossReason, std::string());
        QVERIFY(bench.writer.stop(soon));
    }

    void theDestructorWritesWhatIsQueued()
    {
        auto sink = std::make_shared<SinkState>();
        {
            Bench bench;
            sink = bench.sink;
            QVERIFY(bench.push("1"));
            QVERIFY(bench.push("2"));
        }
        QCOMPARE(sink->accepted(), (Messages{"1", "2"}));
    }
};

DTLSD_TEST(TestLogWriter)
#include "tst_logwriter.moc"
