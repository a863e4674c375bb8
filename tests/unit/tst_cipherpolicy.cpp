// SPDX-License-Identifier: Apache-2.0
#include "dtls/CipherPolicy.h"
#include "support/TestProgram.h"

using namespace dtlsd;

class TestCipherPolicy : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void onlyPskSuitesWithAeadAreOffered_data();
    void onlyPskSuitesWithAeadAreOffered();
    void everySuiteOfAPolicyIsFoundInIt();
};

void TestCipherPolicy::onlyPskSuitesWithAeadAreOffered_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("problem"); // empty: accepted
    QTest::newRow("strict") << QStringLiteral("strict") << QString();
    QTest::newRow("modern") << QStringLiteral("modern") << QString();
    QTest::newRow("iot") << QStringLiteral("iot") << QString();
    QTest::newRow("one suite") << QStringLiteral("PSK-AES128-CCM8:@SECLEVEL=0") << QString();
    QTest::newRow("a suite that the security level allows")
        << QStringLiteral("ECDHE-PSK-CHACHA20-POLY1305:@SECLEVEL=4") << QString();
    QTest::newRow("suites that the security level leaves out")
        << QStringLiteral("ECDHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256:"
                          "PSK-AES256-GCM-SHA384:@SECLEVEL=3")
        << QStringLiteral("names PSK-AES128-GCM-SHA256, PSK-AES256-GCM-SHA384, which OpenSSL "
                          "leaves out at security level 3, and offers with :@SECLEVEL=2 at the "
                          "end");
    QTest::newRow("nonsense") << QStringLiteral("NONSENSE")
                              << QStringLiteral("names no cipher suite that OpenSSL knows");
    QTest::newRow("nonsense beside a suite")
        << QStringLiteral("PSK-AES256-GCM-SHA384:PSK-AES128-CCM-8")
        << QStringLiteral("names PSK-AES128-CCM-8, which OpenSSL does not know");
    QTest::newRow("CBC") << QStringLiteral("PSK-AES128-GCM-SHA256:PSK-AES128-CBC-SHA256")
                         << QStringLiteral("offers PSK-AES128-CBC-SHA256, not PSK with AEAD");
    QTest::newRow("certificates") << QStringLiteral("ECDHE-RSA-AES128-GCM-SHA256")
                                  << QStringLiteral(
                                         "offers ECDHE-RSA-AES128-GCM-SHA256, not PSK with AEAD");
}

void TestCipherPolicy::onlyPskSuitesWithAeadAreOffered()
{
    QFETCH(QString, text);
    QFETCH(QString, problem);
    const auto policy = CipherPolicy::parse(text);
    QCOMPARE(policy.ok(), problem.isEmpty());
    if (!policy)
        QCOMPARE(policy.error().message, problem);
    else
        QVERIFY(CipherPolicy::parse(QString::fromLatin1(policy.value().cipherString())).ok());
}

void TestCipherPolicy::everySuiteOfAPolicyIsFoundInIt()
{
    const CipherPolicy strict = CipherPolicy::parse(QStringLiteral("strict")).value();
    const CipherPolicy iot = CipherPolicy::parse(QStringLiteral("iot")).value();
    QVERIFY(strict.contains(ecdhePskChaCha20));
    QVERIFY(!strict.contains({0x00A8}));
    for (const int number : {0xCCAC, 0x00A9, 0x00A8, 0xCCAB, 0xC0A4, 0xC0A9, 0xC0A8}) {
        const CipherSuite suite{static_cast<std::uint16_t>(number)};
        QVERIFY2(iot.contains(suite), suite.text().constData());
        QVERIFY(iot.cipherString().split(':').contains(suite.opensslName()));
        QVERIFY(suite.isPsk() && suite.isPskAead() && !suite.isSignal());
    }
    QVERIFY(CipherSuite{0x008C}.isPsk() && !CipherSuite{0x008C}.isPskAead());
    QVERIFY(!CipherSuite{0xC02B}.isPsk());
    QCOMPARE(CipherSuite{0xC0FF}.text(), "0xC0FF");
    QVERIFY(CipherSuite{0x00FF}.isSignal() && CipherSuite{0xDADA}.isSignal());
    QVERIFY(!CipherSuite{0xDACA}.isSignal());
}

DTLSD_TEST(TestCipherPolicy)
#include "tst_cipherpolicy.moc"
