// SPDX-License-Identifier: Apache-2.0
#include "dtls/limits/UnverifiedWatch.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace std::chrono_literals;

class TestUnverifiedWatch : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void unprovedSourcesMakeASummary();
};

void TestUnverifiedWatch::unprovedSourcesMakeASummary()
{
    UnverifiedWatch watch;
    const UnverifiedWatch::Clock::time_point start{1h};
    QCOMPARE(watch.due(), UnverifiedWatch::Clock::time_point::max());
    for (int i = 0; i < 50; ++i) { // an honest fleet
        watch.noteHello(start);
        watch.noteVerified();
    }
    QCOMPARE(watch.due(), start + 10s);
    QVERIFY(!watch.report(start + 10s));
    QCOMPARE(watch.due(), UnverifiedWatch::Clock::time_point::max());

    for (int i = 0; i < 1000; ++i)
        watch.noteHello(start);
    watch.note(&UnverifiedCounts::malformed, start);
    watch.note(&UnverifiedCounts::withoutSession, start);
    const auto traffic = watch.report(start + 10s);
    QVERIFY(traffic);
    QCOMPARE(traffic->unanswered, 1000U);
    QCOMPARE(traffic->total(), 1002U);
    QCOMPARE(traffic->period, 10s);
    QCOMPARE(watch.counts().total(), 1002U);
    QVERIFY(!watch.report(start + 20s));
}

DTLSD_TEST(TestUnverifiedWatch)
#include "tst_unverifiedwatch.moc"
