// SPDX-License-Identifier: Apache-2.0
#include "support/TestProgram.h"
#include "wire/ClientHello.h"

using namespace dtlsd;

class TestClientHello : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aHelloIsReadWhole();
    void aHelloCutAnywhereIsNone();
};

void TestClientHello::aHelloIsReadWhole()
{
    QByteArray body = QByteArray::fromHex("fefd") + QByteArray(32, 'r') + '\0' +
                      QByteArray::fromHex("0420202020") + // cookie
                      QByteArray::fromHex("000a00a8c0a800ff0a0a5600") + QByteArray::fromHex("0100");
    const auto bare = HelloOffer::in(body);
    QVERIFY(bare);
    QCOMPARE(bare->suites, (std::vector<CipherSuite>{{0x00A8}, {0xC0A8}})); // without signals
    QVERIFY(!bare->groups);
    // extended_master_secret, and supported_groups: P-256, X25519, P-384.
    body += QByteArray::fromHex("0010"
                                "00170000"
                                "000a0008"
                                "0006"
                                "0017001d0018");
    const auto offer = HelloOffer::in(body);
    QVERIFY(offer);
    QCOMPARE(*offer->groups, (std::vector<std::uint16_t>{23, 29, 24}));
}

void TestClientHello::aHelloCutAnywhereIsNone()
{
    const QByteArray whole = QByteArray::fromHex("fefd") + QByteArray(32, 'r') +
                             QByteArray::fromHex("0000000200a80100") +
                             QByteArray::fromHex("0008"
                                                 "000a0004"
                                                 "0002"
                                                 "0017");
    QVERIFY(HelloOffer::in(whole));
    const qsizetype withoutExtensions = 2 + 32 + 8;
    for (qsizetype size = 0; size < whole.size(); ++size)
        QCOMPARE(HelloOffer::in(whole.first(size)).has_value(), size == withoutExtensions);
}

DTLSD_TEST(TestClientHello)
#include "tst_clienthello.moc"
