// SPDX-License-Identifier: Apache-2.0
#include "log/LogQueue.h"

#include "support/LogFakes.h"

#include <QTest>

#include <atomic>
#include <thread>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

QList<QByteArray> messages(const std::vector<LogEntry> &entries)
{
    QList<QByteArray> result;
    for (const LogEntry &entry : entries)
        result.append(entry.record.message);
    return result;
}

LogEntry entryOfBytes(qsizetype bytes)
{
    LogRecord record = recordSaying({});
    record.fields.append({"DTLSD_PAYLOAD", QByteArray(bytes, 'x'), LogField::Kind::Bytes});
    return {record, nullptr};
}

} // namespace

class TestLogQueue : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void entriesComeOutInTheOrderTheyWentIn()
    {
        LogQueue queue(10);
        for (const auto *text : {"1", "2", "3"})
            QVERIFY(queue.push({recordSaying(text), nullptr}));
        std::vector<LogEntry> batch{{recordSaying("left over"), nullptr}};
        QVERIFY(queue.take(batch));
        QCOMPARE(messages(batch), (QList<QByteArray>{"1", "2", "3"}));
    }

    void aFullQueueRefusesAndCounts()
    {
        LogQueue queue(2);
        QVERIFY(queue.push({recordSaying("1"), nullptr}));
        QVERIFY(queue.push({recordSaying("2"), nullptr}));
        for (int i = 0; i < 3; ++i)
            QVERIFY(!queue.push({recordSaying("refused"), nullptr}));
        QCOMPARE(queue.takeDropped(), 3U);
        QCOMPARE(queue.takeDropped(), 0U);

        std::vector<LogEntry> batch;
        QVERIFY(queue.take(batch));
        QCOMPARE(messages(batch), (QList<QByteArray>{"1", "2"}));
        QVERIFY(queue.push({recordSaying("3"), nullptr}));
        QCOMPARE(queue.takeDropped(), 0U);
    }

    void itIsBoundedByBytesAsWell()
    {
        LogQueue queue(100, 1000);
        QVERIFY(queue.push(entryOfBytes(600)));
        QVERIFY(!queue.push(entryOfBytes(401)));
        QVERIFY(queue.push(entryOfBytes(400)));
        QVERIFY(!queue.push(entryOfBytes(1)));
        QCOMPARE(queue.takeDropped(), 2U);

        std::vector<LogEntry> batch;
        QVERIFY(queue.take(batch));
        QVERIFY(queue.push(entryOfBytes(500)));
        QVERIFY(queue.push(entryOfBytes(500)));
    }

    void oneLoudSourceLeavesRoomForOthers()
    {
        LogQueue queue(100);
        const auto pushes = [&queue](std::size_t source, int times) {
            int accepted = 0;
            for (int i = 0; i < times; ++i)
                accepted += queue.push({recordSaying("x"), nullptr, source}) ? 1 : 0;
            return accepted;
        };
        QCOMPARE(pushes(1, 1000), 50); // the first half
        for (std::size_t source = 2; source <= 11; ++source)
            QCOMPARE(pushes(source, 1), 1);
        QCOMPARE(pushes(1, 1000), 0);
        QCOMPARE(pushes(2, 1000), 3);  // its share of the second half, with the one before
        QCOMPARE(pushes(0, 1000), 37); // what we say ourselves has no share, only the end
        QCOMPARE(pushes(12, 1), 0);
        std::vector<LogEntry> batch;
        QVERIFY(queue.take(batch));
        QCOMPARE(batch.size(), 100U);
        QCOMPARE(pushes(1, 1000), 50);
    }

    void aSourceIsLoudInBytesAsWell()
    {
        LogQueue queue(100, 1000);
        const auto push = [&queue](std::size_t source, qsizetype bytes) {
            LogEntry entry = entryOfBytes(bytes);
            entry.source = source;
            return queue.push(std::move(entry));
        };
        QVERIFY(push(1, 300));
        QVERIFY(push(1, 200));
        QVERIFY(!push(1, 100));
        QVERIFY(push(2, 100));
        QVERIFY(push(2, 100));
        QVERIFY(!push(2, 100));
    }

    void oneEntryAlwaysFits()
    {
        LogQueue queue(100, 1000);
        QVERIFY(queue.push(entryOfBytes(5000)));
        QVERIFY(!queue.push(entryOfBytes(1)));
    }

    void aClosedQueueRefusesAndGivesOutWhatIsLeft()
    {
        LogQueue queue(10);
        QVERIFY(queue.push({recordSaying("1"), nullptr}));
        queue.close();
        QVERIFY(!queue.push({recordSaying("2"), nullptr}));
        QCOMPARE(queue.takeDropped(), 1U);
        std::vector<LogEntry> batch;
        QVERIFY(queue.take(batch));
        QCOMPARE(messages(batch), QList<QByteArray>{"1"});
        QVERIFY(!queue.take(batch));
        QVERIFY(batch.empty());
    }

    void closingWakesWhoWaits()
    {
        LogQueue queue(10);
        bool taken = true;
        std::thread taker([&] {
            std::vector<LogEntry> batch;
            taken = queue.take(batch);
        });
        queue.close();
        taker.join();
        QVERIFY(!taken);
    }

    void aNudgeWakesWhoWaitsAndOnlyOnce()
    {
        LogQueue queue(10);
        std::vector<std::vector<LogEntry>> batches(2);
        std::atomic<int> taken = 0;
        std::thread taker([&] {
            for (std::vector<LogEntry> &batch : batches) {
                if (queue.take(batch))
                    ++taken;
            }
        });
        queue.nudge(); // before or while it waits
        const bool woken = QTest::qWaitFor([&] { return taken == 1; }, 30'000);
        const bool pushed = queue.push({recordSaying("1"), nullptr});
        queue.close();
        taker.join();
        QVERIFY(woken);
        QVERIFY(pushed);
        QCOMPARE(taken, 2);
        QVERIFY(batches[0].empty());
        QCOMPARE(messages(batches[1]), QList<QByteArray>{"1"});
    }

    void aNudgeDoesNotHoldUpEntries()
    {
        LogQueue queue(10);
        QVERIFY(queue.push({recordSaying("1"), nullptr}));
        queue.nudge();
        QCOMPARE(queue.size(), 1U);
        std::vector<LogEntry> batch;
        QVERIFY(queue.take(batch));
        QCOMPARE(messages(batch), QList<QByteArray>{"1"});
        QCOMPARE(queue.size(), 0U);
    }

    void nothingIsLostOrReorderedBetweenThreads()
    {
        constexpr int perThread = 5000;
        constexpr std::size_t threads = 4;
        LogQueue queue(64);
        std::atomic<int> refused = 0;

        std::array<QList<int>, threads> taken;
        std::thread taker([&] {
            std::vector<LogEntry> batch;
            while (queue.take(batch)) {
                for (const LogEntry &entry : batch) {
                    const QList<QByteArray> words = entry.record.message.split(' ');
                    taken[words[0].toUInt()].append(words[1].toInt());
                }
            }
        });
        std::vector<std::thread> pushers;
        for (std::size_t thread = 0; thread < threads; ++thread) {
            pushers.emplace_back([&, thread] {
                const QByteArray name = QByteArray::number(quint64{thread}) + ' ';
                for (int i = 0; i < perThread; ++i) {
                    if (!queue.push({recordSaying(name + QByteArray::number(i)), nullptr}))
                        ++refused;
                }
            });
        }
        for (std::thread &pusher : pushers)
            pusher.join();
        queue.close();
        taker.join();

        qsizetype total = 0;
        for (const QList<int> &numbers : taken) {
            QVERIFY(std::is_sorted(numbers.begin(), numbers.end()));
            total += numbers.size();
        }
        QCOMPARE(total + refused, qsizetype{threads} * perThread);
        QCOMPARE(queue.takeDropped(), static_cast<std::uint64_t>(refused));
    }
};

QTEST_GUILESS_MAIN(TestLogQueue)
#include "tst_log_queue.moc"
