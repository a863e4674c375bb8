// SPDX-License-Identifier: Apache-2.0
#include "dtls/Psk.h"
#include "support/TestProgram.h"

#include <QDebug>

using namespace dtlsd;

class TestPsk : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aKeyIsNeverPrinted();
    void anIdentityIsComparedAsBytes();
};

void TestPsk::aKeyIsNeverPrinted()
{
    const PskKey key(QByteArray::fromHex("00112233445566778899aabbccddeeff"));
    QString printed;
    QDebug(&printed) << key;
    QVERIFY(printed.startsWith(QStringLiteral("sha256:")));
    QCOMPARE(printed.trimmed().size(), 15);
    QVERIFY(key.fingerprint() != PskKey(QByteArray(16, 'x')).fingerprint());
    QCOMPARE(key.fingerprint(), PskKey(key).fingerprint());
}

void TestPsk::anIdentityIsComparedAsBytes()
{
    const auto entry = [](char byte) {
        return PskIdentity{PskKey(QByteArray(16, byte)), {}, {}, {}};
    };
    PskStore store;
    QVERIFY(store.add("sensor-17", entry('a')));
    QVERIFY(!store.add("sensor-17", entry('b')));
    QCOMPARE(store.find("sensor-17")->key.bytes(), QByteArray(16, 'a'));
    const QByteArray longest(255, 'n');
    QVERIFY(store.add(longest, entry('c')));
    QVERIFY(store.add("\xff\n\x1b", entry('d')));
    QVERIFY(store.find(longest));
    QVERIFY(store.find("\xff\n\x1b"));
    for (const QByteArray &other : {QByteArray("Sensor-17"), QByteArray("sensor-17 "), QByteArray(),
                                    QByteArray("sensor-17\0", 10), longest + 'n'})
        QVERIFY(!store.find(other));

    store.setWildcard(entry('w'));
    QCOMPARE(store.find("anybody")->key.bytes(), QByteArray(16, 'w'));
    QCOMPARE(store.find("sensor-17")->key.bytes(), QByteArray(16, 'a'));
    for (const QByteArray &invalid : {QByteArray("a\0b", 3), QByteArray("\0", 1), longest + 'n'})
        QVERIFY(!store.find(invalid));
    QCOMPARE(store.find({})->key.bytes(), QByteArray(16, 'w'));
    QVERIFY(store.add({}, entry('e')));
    QCOMPARE(store.find({})->key.bytes(), QByteArray(16, 'e'));
}

DTLSD_TEST(TestPsk)
#include "tst_psk.moc"
