// SPDX-License-Identifier: Apache-2.0
#include "dtls/handshake/HandshakeFilter.h"
#include "support/RecordBytes.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace dtlsd::test;

class TestHandshakeFilter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aHalfOpenHandshakeSeesOnlyWhatAClientSends();
    void aForgedSequenceNumberCannotMoveTheReplayWindow();

private:
    static QByteArray keyExchange(int messageSequence = 2);
    static Record first(const QByteArray &datagram) { return *RecordReader(datagram).next(); }
};

QByteArray TestHandshakeFilter::keyExchange(int messageSequence)
{
    QByteArray message = QByteArray::fromHex("10000003000000000000000300017800").chopped(1);
    message[5] = static_cast<char>(messageSequence);
    return message;
}

void TestHandshakeFilter::aHalfOpenHandshakeSeesOnlyWhatAClientSends()
{
    HandshakeFilter filter;
    const QByteArray changeCipherSpec = record(20, 0, 3, QByteArray(1, '\1'));
    QVERIFY(!filter.admits(first(changeCipherSpec))); // nothing to change to yet
    QVERIFY(!filter.admits(first(record(21, 0, 2, QByteArray::fromHex("0228")))));
    QVERIFY(!filter.admits(first(record(22, 0, 2, keyExchange(7)))));
    QVERIFY(!filter.admits(first(record(22, 0, 2, keyExchange().chopped(1)))));
    QVERIFY(!filter.admits(first(record(22, 0, 2, "short"))));
    QVERIFY(!filter.admits(first(record(23, 0, 2, "data"))));
    for (int i = 0; i < 8; ++i)
        QVERIFY(filter.admits(first(record(22, 1, i, QByteArray(40, 'x')))));
    QVERIFY(!filter.admits(first(record(22, 1, 8, QByteArray(40, 'x'))))); // too many early ones
    QVERIFY(filter.admits(first(record(22, 0, 2, keyExchange()))));
    QVERIFY(filter.admits(first(changeCipherSpec)));
    QVERIFY(filter.sawChangeCipherSpec());
    QVERIFY(filter.admits(first(record(22, 1, 0, QByteArray(40, 'x')))));
    QVERIFY(filter.admits(first(record(22, 1, 0, QByteArray(48, 'x')))));
    for (const qsizetype size : {0, 16, 39, 41, 47, 49, 16'000}) // of no Finished
        QVERIFY(!filter.admits(first(record(22, 1, 0, QByteArray(size, 'x')))));
    QVERIFY(!filter.admits(first(record(23, 1, 1, QByteArray(40, 'x')))));
    QVERIFY(!filter.admits(first(record(22, 2, 0, QByteArray(40, 'x')))));
}

void TestHandshakeFilter::aForgedSequenceNumberCannotMoveTheReplayWindow()
{
    HandshakeFilter filter;
    QVERIFY(!filter.admits(first(record(22, 0, 66, keyExchange()))));
    QVERIFY(filter.admits(first(record(22, 0, 2, keyExchange()))));
    QVERIFY(filter.admits(first(record(22, 0, 34, keyExchange()))));
    QVERIFY(filter.admits(first(record(22, 0, 3, keyExchange()))));

    HandshakeFilter late; // of a client that has repeated its hello for a while
    late.begin(first(record(22, 0, 100, keyExchange())));
    QVERIFY(late.admits(first(record(22, 0, 101, keyExchange()))));
    QVERIFY(!late.admits(first(record(22, 0, 134, keyExchange()))));
}

DTLSD_TEST(TestHandshakeFilter)
#include "tst_handshakefilter.moc"
