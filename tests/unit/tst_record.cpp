// SPDX-License-Identifier: Apache-2.0
#include "support/RecordBytes.h"
#include "support/TestProgram.h"
#include "wire/Record.h"

using namespace dtlsd;
using namespace dtlsd::test;

class TestRecord : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aDatagramIsTakenApartRecordByRecord();
};

void TestRecord::aDatagramIsTakenApartRecordByRecord()
{
    const QByteArray one = record(23, 1, 7, "one");
    const QByteArray two = record(21, 0, 8, QByteArray::fromHex("0246"));
    const QByteArray both = one + two;
    RecordReader records{QByteArrayView(both)};
    const auto a = records.next();
    QVERIFY(a);
    QCOMPARE(a->type, ContentType::ApplicationData);
    QCOMPARE(a->epoch, 1);
    QCOMPARE(a->sequence, 7U);
    QCOMPARE(a->fragment(), QByteArrayView("one"));
    const auto b = records.next();
    QVERIFY(b);
    QCOMPARE(b->clearAlert(), (Alert{Alert::Level::Fatal, AlertDescription::ProtocolVersion}));
    QVERIFY(!records.next());
    QVERIFY(records.rest().isEmpty());

    for (const QByteArray &broken :
         {one.chopped(1), one.first(12), QByteArray("\x19") + one.sliced(1), QByteArray("x"),
          one.first(1) + "\x03\x03" + one.sliced(3)}) {
        RecordReader rest{QByteArrayView(broken)};
        QVERIFY(!rest.next());
        QCOMPARE(rest.rest(), QByteArrayView(broken));
    }
}

DTLSD_TEST(TestRecord)
#include "tst_record.moc"
