// SPDX-License-Identifier: Apache-2.0
#include "dtls/Events.h"
#include "support/TestProgram.h"

#include <utility>

using namespace dtlsd;

class TestCountBy : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsAreKeptByReason();
};

void TestCountBy::countsAreKeptByReason()
{
    CountBy<CloseReason> closed;
    QCOMPARE(closed.total(), 0U);
    ++closed[CloseReason::CloseNotify];
    closed[CloseReason::Error] += 2;
    QCOMPARE(std::as_const(closed)[CloseReason::CloseNotify], 1U);
    QCOMPARE(std::as_const(closed)[CloseReason::Error], 2U);
    QCOMPARE(std::as_const(closed)[CloseReason::Idle], 0U);
    QCOMPARE(closed.total(), 3U);
}

DTLSD_TEST(TestCountBy)
#include "tst_countby.moc"
