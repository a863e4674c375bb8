// SPDX-License-Identifier: Apache-2.0
#include "dtls/session/SessionFilter.h"
#include "support/TestProgram.h"

#include "support/RecordBytes.h"

using namespace dtlsd;
using namespace dtlsd::test;

class TestSessionFilter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void onlyRecordsThatADeviceSendsAreAdmitted_data();
    void onlyRecordsThatADeviceSendsAreAdmitted();
    void anEmptyMessageIsKnownByItsSize();

private:
    static constexpr int expansion = 24;
    const SessionFilter m_filter{SuiteLimits::of("PSK-AES128-GCM-SHA256")};
};

void TestSessionFilter::onlyRecordsThatADeviceSendsAreAdmitted_data()
{
    QTest::addColumn<int>("type");
    QTest::addColumn<int>("epoch");
    QTest::addColumn<int>("plaintext"); // bytes
    QTest::addColumn<bool>("isAdmitted");
    QTest::newRow("a message") << 23 << 1 << 5 << true;
    QTest::newRow("the longest message") << 23 << 1 << 16'384 << true;
    QTest::newRow("one byte more") << 23 << 1 << 16'385 << false;
    QTest::newRow("too short for a tag") << 23 << 1 << -1 << false;
    QTest::newRow("a message in clear") << 23 << 0 << 5 << false;
    QTest::newRow("a message of a later epoch") << 23 << 2 << 5 << false;
    QTest::newRow("an alert") << 21 << 1 << 2 << true;
    QTest::newRow("a repeated Finished") << 22 << 1 << 24 << true;
    QTest::newRow("a piece of a handshake") << 22 << 1 << 20 << false;
    QTest::newRow("the shortest ClientHello") << 22 << 1 << 54 << true;
    QTest::newRow("less than a ClientHello") << 22 << 1 << 53 << false;
    QTest::newRow("more than a ClientHello") << 22 << 1 << 12 + 4'096 + 1 << false;
}

void TestSessionFilter::onlyRecordsThatADeviceSendsAreAdmitted()
{
    QFETCH(int, type);
    QFETCH(int, epoch);
    QFETCH(int, plaintext);
    QFETCH(bool, isAdmitted);
    const QByteArray bytes = record(type, epoch, 1, QByteArray(expansion + plaintext, 'x'));
    const auto read = RecordReader(bytes).next();
    QVERIFY(read);
    QCOMPARE(m_filter.admits(*read), isAdmitted);
}

void TestSessionFilter::anEmptyMessageIsKnownByItsSize()
{
    for (const int plaintext : {-1, 0, 1}) {
        const QByteArray bytes = record(23, 1, 1, QByteArray(expansion + plaintext, 'x'));
        QCOMPARE(m_filter.looksEmpty(*RecordReader(bytes).next()), plaintext == 0);
    }
    const QByteArray alert = record(21, 1, 1, QByteArray(expansion, 'x'));
    QVERIFY(!m_filter.looksEmpty(*RecordReader(alert).next()));
}

DTLSD_TEST(TestSessionFilter)
#include "tst_sessionfilter.moc"
