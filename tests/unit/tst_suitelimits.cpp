// SPDX-License-Identifier: Apache-2.0
#include "support/TestProgram.h"
#include "wire/AssociationState.h"

using namespace dtlsd;

class TestSuiteLimits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theShorterTheTagTheFewerForgeriesAreBorne();
    void aRecordHasAtLeastNonceAndTag();
    void keysAreUsedUpByWhatTheyProtectAndRefuse();
};

void TestSuiteLimits::theShorterTheTagTheFewerForgeriesAreBorne()
{
    const auto limits = [](const char *cipher) -> const SuiteLimits & {
        return SuiteLimits::of(cipher);
    };
    QCOMPARE(limits("PSK-AES128-GCM-SHA256").records, 23'726'566U); // 2^24.5
    QCOMPARE(limits("PSK-AES256-GCM-SHA384").forgeries, 1ULL << 36);
    QCOMPARE(limits("ECDHE-PSK-CHACHA20-POLY1305").records, 1ULL << 48);
    QCOMPARE(limits("PSK-AES128-CCM").forgeries, 11'863'283U); // 2^23.5
    QCOMPARE(limits("PSK-AES256-CCM").records, 1U << 23);
    QCOMPARE(limits("PSK-AES128-CCM8").forgeries, 1U << 14);
    QCOMPARE(limits("PSK-AES256-CCM8").records, 1U << 23);
    QCOMPARE(limits("a suite of the future").forgeries, 1U << 14);
    // RFC 5288 §3, RFC 7905 §2, RFC 6655 §3
    QCOMPARE(limits("PSK-AES128-GCM-SHA256").expansion, 24);
    QCOMPARE(limits("PSK-CHACHA20-POLY1305").expansion, 16);
    QCOMPARE(limits("PSK-AES128-CCM8").expansion, 16);
}

void TestSuiteLimits::aRecordHasAtLeastNonceAndTag()
{
    const SuiteLimits &limits = SuiteLimits::of("PSK-AES128-GCM-SHA256");
    QVERIFY(!limits.fits(QByteArray(23, 'x')));
    QVERIFY(limits.fits(QByteArray(24, 'x')));
    // A message of 16384 bytes always fits.
    QVERIFY(limits.fits(QByteArray(16'384 + 24, 'x')));
    QVERIFY(!limits.fits(QByteArray(16'384 + 25, 'x')));
}

void TestSuiteLimits::keysAreUsedUpByWhatTheyProtectAndRefuse()
{
    const SuiteLimits limits{.records = 3, .forgeries = 2};
    const auto isUsedUp = [&](std::uint64_t sent, std::uint64_t received, std::uint64_t forged) {
        AssociationState state;
        state.nextSequence = sent;
        state.window.top = received;
        state.forgeries = forged;
        return state.isUsedUp(limits);
    };
    QVERIFY(!isUsedUp(2, 2, 1));
    QVERIFY(isUsedUp(3, 0, 0));
    QVERIFY(isUsedUp(0, 3, 0));
    QVERIFY(isUsedUp(0, 0, 2));
}

DTLSD_TEST(TestSuiteLimits)
#include "tst_suitelimits.moc"
