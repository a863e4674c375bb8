// SPDX-License-Identifier: Apache-2.0
#include "dtls/limits/RateLimit.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace std::chrono_literals;

class TestRateLimit : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aRateLimitIsATokenBucket();
};

void TestRateLimit::aRateLimitIsATokenBucket()
{
    RateLimit limit(10, 3);
    RateLimit::Clock::time_point now{1h};
    for (int i = 0; i < 3; ++i)
        QVERIFY(limit.admit(now));
    QVERIFY(!limit.admit(now));
    QVERIFY(!limit.admit(now + 99ms));
    QVERIFY(limit.admit(now + 100ms));
    QVERIFY(!limit.admit(now + 100ms));
    now += 1h;
    for (int i = 0; i < 3; ++i)
        QVERIFY(limit.admit(now));
    QVERIFY(!limit.admit(now));

    RateLimit none(0, 0);
    for (int i = 0; i < 1000; ++i)
        QVERIFY(none.admit(now));
    // Of another worker, whose turn began earlier.
    QVERIFY(none.admit(now - 1ms));
}

DTLSD_TEST(TestRateLimit)
#include "tst_ratelimit.moc"
