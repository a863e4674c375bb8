// SPDX-License-Identifier: Apache-2.0
#include "dtls/Events.h"
#include "support/TestProgram.h"

#include <array>
#include <bit>

using namespace dtlsd;

class TestStatistics : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyCounterIsAddedAndSubtracted();
};

/// As words, so that a counter that is added later is not forgotten here.
void TestStatistics::everyCounterIsAddedAndSubtracted()
{
    constexpr std::size_t gauges = 2; // at the end
    using Words = std::array<std::uint64_t, sizeof(Statistics) / sizeof(std::uint64_t)>;
    Words one{};
    for (std::size_t i = 0; i < one.size(); ++i)
        one[i] = i + 1;
    Statistics sum = std::bit_cast<Statistics>(one);
    sum += sum;
    const auto twice = std::bit_cast<Words>(sum);
    const auto rest = std::bit_cast<Words>(sum.since(std::bit_cast<Statistics>(one)));
    for (std::size_t i = 0; i < one.size(); ++i) {
        QCOMPARE(twice[i], 2 * one[i]);
        QCOMPARE(rest[i], i < one.size() - gauges ? one[i] : twice[i]);
    }

    const UnverifiedCounts before{1, 2, 3, 4, 5, 6, 7, 8};
    const UnverifiedCounts now{11, 22, 33, 44, 55, 66, 77, 88};
    QCOMPARE(now.since(before).malformed, 10U);
    QCOMPARE(now.since(before).overflowed, 80U);
    QCOMPARE(now.since(before).total(), 360U);
}

DTLSD_TEST(TestStatistics)
#include "tst_statistics.moc"
