// SPDX-License-Identifier: Apache-2.0
#include "core/HmacSha256.h"
#include "dtls/Psk.h"
#include "support/TestProgram.h"

#include <QCryptographicHash>
#include <QMessageAuthenticationCode>

using namespace dtlsd;

class TestHmacSha256 : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aDecoyIsTheSameEachTimeAndAnotherForEachIdentity();
};

void TestHmacSha256::aDecoyIsTheSameEachTimeAndAnotherForEachIdentity()
{
    const QByteArray secret(32, 's');
    const HmacSha256 decoys(secret);
    const QByteArray longest(PskStore::maximumIdentitySize, 'i');
    for (int round = 0; round < 2; ++round) {
        for (const QByteArray &identity : {QByteArray("a"), QByteArray("b"), longest})
            QCOMPARE(decoys.of(identity), QMessageAuthenticationCode::hash(
                                              identity, secret, QCryptographicHash::Sha256));
    }
    QVERIFY(HmacSha256(QByteArray(32, 't')).of("a") != decoys.of("a"));
}

DTLSD_TEST(TestHmacSha256)
#include "tst_hmacsha256.moc"
