// SPDX-License-Identifier: Apache-2.0
#include "core/FairQueue.h"
#include "support/TestProgram.h"

#include <memory>

using namespace dtlsd;

namespace {

/// A name that cannot be copied, and what it costs.
struct Item
{
    QByteArray name;
    std::size_t bytes = 1;
    std::unique_ptr<int> unique{};

    [[nodiscard]] std::size_t cost() const { return bytes; }
};

using Queue = FairQueue<int, Item>;

void add(Queue &queue, int key, const char *name, std::size_t bytes = 1)
{
    std::list<Item> item;
    item.push_back({name, bytes});
    QCOMPARE(queue.add(key, item).name, name);
    QVERIFY(item.empty());
}

/// Takes all that waits.
QByteArrayList names(Queue &queue)
{
    QByteArrayList names;
    while (!queue.isEmpty()) {
        const QByteArray next = queue.front().name;
        names.append(queue.take().front().name);
        if (names.last() != next)
            return {"front() is not what take() gives out"};
    }
    return names;
}

} // namespace

class TestFairQueue : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theSecondHalfIsDividedAmongKeys_data();
    void theSecondHalfIsDividedAmongKeys();
    void bytesAreDividedAsEntriesAre();
    void keysTakeTurns();
    void aPreferredKeyIsNextAndTheOthersComparedAreLast();
    void whatIsRemovedLeavesItsRoom();
    void aValueMayCostMoreWhileItWaits();
};

void TestFairQueue::theSecondHalfIsDividedAmongKeys_data()
{
    QTest::addColumn<int>("own");    // entries of the key that asks
    QTest::addColumn<int>("others"); // entries of another key
    QTest::addColumn<bool>("isTaken");
    QTest::newRow("the first half is open to every key") << 9 << 0 << true;
    QTest::newRow("a lone key does not get the second half") << 10 << 0 << false;
    QTest::newRow("another key has its share of it") << 0 << 10 << true;
    QTest::newRow("up to that share") << 4 << 10 << true;
    QTest::newRow("and no further") << 5 << 10 << false;
    QTest::newRow("a full queue takes nothing") << 0 << 20 << false;
}

void TestFairQueue::theSecondHalfIsDividedAmongKeys()
{
    QFETCH(int, own);
    QFETCH(int, others);
    QFETCH(bool, isTaken);
    Queue queue({.entries = 20, .bytes = 1'000});
    for (int i = 0; i < own; ++i)
        add(queue, 1, "own");
    for (int i = 0; i < others; ++i)
        add(queue, 2, "other");
    QCOMPARE(queue.size(), static_cast<std::size_t>(own + others));
    QCOMPARE(queue.takes(1, 1), isTaken);
}

void TestFairQueue::bytesAreDividedAsEntriesAre()
{
    Queue queue({.entries = 1'000, .bytes = 100});
    add(queue, 1, "half", 50);
    QVERIFY(!queue.takes(1, 1));
    QVERIFY(queue.takes(2, 25));
    QVERIFY(!queue.takes(2, 26));
    QVERIFY(queue.hasRoom(50));
    QVERIFY(!queue.hasRoom(51));
    QVERIFY(queue.hasRoom(0, 2));
    QVERIFY(!queue.hasRoom(1, 2));
    QCOMPARE(names(queue), QByteArrayList{"half"});
    QVERIFY(queue.takes(1, 50));
    QVERIFY(!queue.takes(1, 101));
}

void TestFairQueue::keysTakeTurns()
{
    Queue queue({100, 100});
    for (const char *name : {"a1", "a2", "a3"})
        add(queue, 1, name);
    add(queue, 2, "b1");
    QCOMPARE(queue.take().front().name, "a1");
    add(queue, 3, "c1");
    add(queue, 2, "b2");
    QCOMPARE(names(queue), (QByteArrayList{"b1", "a2", "c1", "b2", "a3"}));
}

void TestFairQueue::aPreferredKeyIsNextAndTheOthersComparedAreLast()
{
    Queue queue({100, 100});
    for (const auto &[key, name] : {std::pair{1, "a"}, {2, "b"}, {3, "c"}, {4, "d"}})
        add(queue, key, name);
    std::vector<int> compared;
    queue.prefer(3, [&compared](auto begin, auto end) {
        for (auto source = begin; source != end; ++source)
            compared.push_back(source->key);
        return std::next(begin);
    });
    QCOMPARE(compared, (std::vector{1, 2, 3}));
    QCOMPARE(names(queue), (QByteArrayList{"b", "d", "a", "c"}));

    add(queue, 1, "alone");
    queue.prefer(3, [](auto, auto end) { return end; }); // nothing to choose from
    QCOMPARE(names(queue), QByteArrayList{"alone"});
}

void TestFairQueue::whatIsRemovedLeavesItsRoom()
{
    Queue queue({4, 100});
    for (const char *name : {"goes", "stays"})
        add(queue, 1, name);
    add(queue, 2, "goes");
    QVERIFY(!queue.takes(1, 1));
    queue.removeIf([](const Item &item) { return item.name == "goes"; });
    QCOMPARE(queue.size(), 1U);
    QVERIFY(queue.takes(1, 1));
    QCOMPARE(names(queue), QByteArrayList{"stays"});
}

void TestFairQueue::aValueMayCostMoreWhileItWaits()
{
    Queue queue({100, 100});
    std::list<Item> item;
    item.push_back({"grows", 10});
    queue.add(1, item).bytes += 40;
    queue.costHasChanged(1, 10, 50);
    QVERIFY(!queue.takes(1, 1));
    QCOMPARE(queue.size(), 1U);
    QCOMPARE(names(queue), QByteArrayList{"grows"});
    QVERIFY(queue.takes(1, 50));
}

DTLSD_TEST(TestFairQueue)
#include "tst_fairqueue.moc"
