// SPDX-License-Identifier: Apache-2.0
#include "dtls/limits/ReportedCount.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace std::chrono_literals;

class TestReportedCount : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theFirstIsReportedAtOnceAndTheOthersOnceAMinute();
};

void TestReportedCount::theFirstIsReportedAtOnceAndTheOthersOnceAMinute()
{
    ReportedCount count;
    const ReportedCount::Clock::time_point start{1h};
    QCOMPARE(count.note(start), std::optional<std::uint64_t>(1));
    QVERIFY(!count.note(start + 1s));
    QVERIFY(!count.note(start + 59s));
    QCOMPARE(count.total(), 3U);
    QCOMPARE(count.unreported(), 2U);
    QCOMPARE(count.note(start + 60s), std::optional<std::uint64_t>(3));
    QCOMPARE(count.unreported(), 0U);
    QVERIFY(!count.note(start + 119s));
    QCOMPARE(count.note(start + 1h), std::optional<std::uint64_t>(2));
    QCOMPARE(count.total(), 6U);
}

DTLSD_TEST(TestReportedCount)
#include "tst_reportedcount.moc"
