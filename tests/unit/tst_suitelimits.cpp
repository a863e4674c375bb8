// SPDX-License-Identifier: Apache-2.0
#include "support/TestProgram.h"
#include "wire/SuiteLimits.h"

using namespace dtlsd;

class TestSuiteLimits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theShorterTheTagTheFewerForgeriesAreBorne();
};

void TestSuiteLimits::theShorterTheTagTheFewerForgeriesAreBorne()
{
    const auto limits = [](const char *cipher) { return SuiteLimits::of(cipher); };
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

DTLSD_TEST(TestSuiteLimits)
#include "tst_suitelimits.moc"
