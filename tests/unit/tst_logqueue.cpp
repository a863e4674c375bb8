// SPDX-License-Identifier: Apache-2.0
#include "log/LogQueue.h"
#include "support/TestProgram.h"

#include "support/LogFakes.h"

#include <atomic>
#include <thread>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

using Batch = std::list<LogEntry>;

constexpr std::size_t all = 1000; // more than any queue here holds

QList<QByteArray> messages(const Batch &entries)
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
        Batch batch{{recordSaying("left over"), nullptr}};
        QVERIFY(queue.take(batch, all));
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

        Batch batch;
        QVERIFY(queue.take(batch, all));
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

        Batch batch;
        QVERIFY(queue.take(batch, all));
        QVERIFY(queue.push(entryOfBytes(500)));
        QVERIFY(queue.push(entryOfBytes(500)));
    }

    void sourcesTakeTurns()
    {
        LogQueue queue(100);
        const auto push = [&queue](std::size_t source, std::initializer_list<const char *> texts) {
            for (const char *text : texts)
                QVERIFY(queue.push({recordSaying(text), nullptr, source}));
        };
        push(1, {"a1", "a2", "a3", "a4", "a5"});
        push(2, {"b1"});
        push(0, {"own"});
        Batch batch;
        QVERIFY(queue.take(batch, 4));
        QCOMPARE(messages(batch), (QList<QByteArray>{"a1", "b1", "own", "a2"}));
        QCOMPARE(queue.size(), 3U);
        push(2, {"b2"}); // it has waited for nobody yet
        QVERIFY(queue.take(batch, all));
        QCOMPARE(messages(batch), (QList<QByteArray>{"a3", "b2", "a4", "a5"}));
        QCOMPARE(queue.size(), 0U);
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
        Batch batch;
        QVERIFY(queue.take(batch, all));
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
        Batch batch;
        QVERIFY(queue.take(batch, all));
        QCOMPARE(messages(batch), QList<QByteArray>{"1"});
        QVERIFY(!queue.take(batch, all));
        QVERIFY(batch.empty());
    }

    void closingWakesWhoWaits()
    {
        LogQueue queue(10);
        bool taken = true;
        std::thread taker([&] {
            Batch batch;
            taken = queue.take(batch, all);
        });
        queue.close();
        taker.join();
        QVERIFY(!taken);
    }

    void aNudgeWakesWhoWaitsAndOnlyOnce()
    {
        LogQueue queue(10);
        std::vector<Batch> batches(2);
        std::atomic<int> taken = 0;
        std::thread taker([&] {
            for (Batch &batch : batches) {
                if (queue.take(batch, all))
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
        Batch batch;
        QVERIFY(queue.take(batch, all));
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
            Batch batch;
            while (queue.take(batch, all)) {
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

DTLSD_TEST(TestLogQueue)
#include "tst_logqueue.moc"
