// SPDX-License-Identifier: Apache-2.0
#include "core/FairShare.h"

#include <QTest>

using namespace dtlsd;

class TestFairShare : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theSecondHalfIsDividedAmongSources_data();
    void theSecondHalfIsDividedAmongSources();
    void bytesAreDividedAsEntriesAre();
};

void TestFairShare::theSecondHalfIsDividedAmongSources_data()
{
    QTest::addColumn<int>("own"); // entries of the source that asks
    QTest::addColumn<int>("sources");
    QTest::addColumn<int>("used");
    QTest::addColumn<bool>("isTaken");
    QTest::newRow("the first half is for whoever comes") << 9 << 1 << 9 << true;
    QTest::newRow("a lone source does not get the second half") << 10 << 1 << 10 << false;
    QTest::newRow("another source has its share of it") << 0 << 2 << 10 << true;
    QTest::newRow("up to that share") << 4 << 2 << 14 << true;
    QTest::newRow("and no further") << 5 << 2 << 15 << false;
    QTest::newRow("a full queue takes nothing") << 0 << 2 << 20 << false;
}

void TestFairShare::theSecondHalfIsDividedAmongSources()
{
    QFETCH(int, own);
    QFETCH(int, sources);
    QFETCH(int, used);
    QFETCH(bool, isTaken);
    const auto entries = [](int number) {
        FairShare share;
        for (int i = 0; i < number; ++i)
            share.add(1);
        return share;
    };
    const FairShare capacity{.entries = 20, .bytes = 1'000};
    QCOMPARE(FairShare::takes(1, entries(own), static_cast<std::size_t>(sources), entries(used),
                              capacity),
             isTaken);
}

void TestFairShare::bytesAreDividedAsEntriesAre()
{
    const FairShare capacity{.entries = 1'000, .bytes = 100};
    FairShare used;
    used.add(50);
    QVERIFY(!FairShare::takes(1, used, 1, used, capacity));
    QVERIFY(FairShare::takes(25, {}, 2, used, capacity));
    QVERIFY(!FairShare::takes(26, {}, 2, used, capacity));
    used.remove(50);
    QVERIFY(FairShare::takes(50, used, 1, used, capacity));
    QVERIFY(!FairShare::takes(101, used, 1, used, capacity));
}

QTEST_GUILESS_MAIN(TestFairShare)
#include "tst_fairshare.moc"
