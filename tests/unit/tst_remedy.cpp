// SPDX-License-Identifier: Apache-2.0
#include "events/EventLog.h"
#include "support/SampleEvents.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace dtlsd::test;

class TestRemedy : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theRemedyFitsTheOffer_data();
    void theRemedyFitsTheOffer();
};

void TestRemedy::theRemedyFitsTheOffer_data()
{
    QTest::addColumn<QList<int>>("offered");
    QTest::addColumn<QString>("ciphers");
    QTest::addColumn<QByteArray>("end");
    const QString modern = QStringLiteral("modern");
    const QString iot = QStringLiteral("iot");
    const QByteArray onTheDevice =
        "enable a PSK suite with GCM, CCM or ChaCha20 on the device: with CBC one forged record "
        "can end a session, so dtlsd has no such suite";
    QTest::newRow("a suite of iot") << QList<int>{0xC0A8} << modern
                                    << QByteArray(": PSK-AES128-CCM8; set ciphers = iot, which has "
                                                  "PSK-AES128-CCM8");
    QTest::newRow("one that iot has not") << QList<int>{0xC0A5} << iot
                                          << QByteArray(": PSK-AES256-CCM; add PSK-AES256-CCM to "
                                                        "[tls] ciphers");
    QTest::newRow("one that iot should have")
        << QList<int>{0xC0A8} << iot
        << QByteArray(": PSK-AES128-CCM8; OpenSSL does not use PSK-AES128-CCM8 here: look at its "
                      "security level");
    QTest::newRow("CBC only") << QList<int>{0x008C, 0x00AE} << iot
                              << ": PSK-AES128-CBC-SHA, PSK-AES128-CBC-SHA256; " + onTheDevice;
    QTest::newRow("AEAD that OpenSSL has not")
        << QList<int>{0xD001} << modern
        << QByteArray(": 0xD001; OpenSSL has none of these AEAD suites; enable another one, of "
                      "GCM, CCM or ChaCha20, on the device");
    QTest::newRow("certificates only")
        << QList<int>{0xC02B} << modern
        << QByteArray(": ECDHE-ECDSA-AES128-GCM-SHA256; none of them uses a pre-shared key; enable "
                      "a PSK suite on the device");
    QTest::newRow("more than there is room for")
        << QList<int>(2000, 0x008C) << modern
        << ", PSK-AES128-CBC-SHA and 1992 more; " + onTheDevice;
    QTest::newRow("nothing that is known")
        << QList<int>{} << modern << QByteArray("offers no cipher suite of [tls] ciphers");
}

void TestRemedy::theRemedyFitsTheOffer()
{
    QFETCH(QList<int>, offered);
    QFETCH(QString, ciphers);
    QFETCH(QByteArray, end);
    HandshakeFailed failed{session(), HandshakeFailure::NoSharedCipher};
    failed.ciphers = ciphers;
    for (const int number : offered)
        failed.offered.push_back({static_cast<std::uint16_t>(number)});
    const QByteArray message = EventLog({}).describe(failed).message;
    QVERIFY2(message.endsWith(end), message.constData());
    QVERIFY(message.size() < 600);
}

DTLSD_TEST(TestRemedy)
#include "tst_remedy.moc"
