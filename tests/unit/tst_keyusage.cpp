// SPDX-License-Identifier: Apache-2.0
#include "dtls/KeyUsage.h"
#include "support/TestProgram.h"

using namespace dtlsd;

class TestKeyUsage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void keysAreUsedUpByWhatTheyProtectAndRefuse();
};

void TestKeyUsage::keysAreUsedUpByWhatTheyProtectAndRefuse()
{
    const SuiteLimits limits{.records = 3, .forgeries = 2, .expansion = 24};
    const auto isOverAfter = [&limits](int times, void (KeyUsage::*note)()) {
        KeyUsage usage(limits);
        for (int i = 0; i < times; ++i)
            (usage.*note)();
        return usage.isOver();
    };
    for (const auto note : {&KeyUsage::noteSent, &KeyUsage::noteReceived}) {
        QVERIFY(!isOverAfter(2, note));
        QVERIFY(isOverAfter(3, note));
    }
    QVERIFY(!isOverAfter(1, &KeyUsage::noteRefused));
    QVERIFY(isOverAfter(2, &KeyUsage::noteRefused));
    QVERIFY(!limits.fits(QByteArray(23, 'x')));
    QVERIFY(limits.fits(QByteArray(24, 'x')));
    // A message of 16384 bytes always fits.
    QVERIFY(limits.fits(QByteArray(16'384 + 24, 'x')));
    QVERIFY(!limits.fits(QByteArray(16'384 + 25, 'x')));
}

DTLSD_TEST(TestKeyUsage)
#include "tst_keyusage.moc"
