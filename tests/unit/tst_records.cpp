// SPDX-License-Identifier: Apache-2.0
//
// Records of an open session (RFC 6347 §4.1.2): those of the device arrive in order and once; all
// others are dropped, counted and summarised, and end nothing until the keys are used up.
#include "support/RecordBytes.h"
#include "support/TestProgram.h"
#include "support/TestSettings.h"

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

/// What somebody on the way makes of an authentic datagram.
using Mangle = QByteArray (*)(const QByteArray &);

QByteArray withByte(QByteArray datagram, qsizetype index, char value)
{
    datagram[index] = value;
    return datagram;
}

QByteArray withFragment(const QByteArray &datagram, const QByteArray &fragment)
{
    QByteArray record = datagram.first(Record::headerSize - 2);
    record += static_cast<char>(fragment.size() >> 8);
    record += static_cast<char>(fragment.size());
    return record + fragment;
}

DtlsClient::Options clientOf(const QByteArray &suite)
{
    DtlsClient::Options options = MemoryNetwork::defaultClient();
    options.ciphers = CipherPolicy::parse(QString::fromLatin1(suite + ":@SECLEVEL=0")).value();
    return options;
}

} // namespace

Q_DECLARE_METATYPE(Mangle)

class TestRecords : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aBadRecordIsDroppedCountedAndSummarised_data();
    void aBadRecordIsDroppedCountedAndSummarised();
    void aKeepaliveOfThePathIsNoBadRecord_data();
    void aKeepaliveOfThePathIsNoBadRecord();
    void goodRecordsAmongBadOnesArriveInOrderAndOnce();
    void theOrderOfDatagramsIsTheirOrderOfArrival();
    void aMessageOfTheLargestSizeArrives_data();
    void aMessageOfTheLargestSizeArrives();
    void manyForgeriesEndOnlyASessionWithAShortTag_data();
    void manyForgeriesEndOnlyASessionWithAShortTag();
};

void TestRecords::aBadRecordIsDroppedCountedAndSummarised_data()
{
    QTest::addColumn<Mangle>("mangle");
    const auto row = [](const char *name, Mangle mangle) { QTest::newRow(name) << mangle; };
    row("a header that announces more",
        [](const QByteArray &datagram) { return datagram.chopped(1); });
    row("an empty record",
        [](const QByteArray &datagram) { return withFragment(datagram, QByteArray()); });
    row("a fragment shorter than its tag",
        [](const QByteArray &datagram) { return withFragment(datagram, QByteArray(15, 'x')); });
    row("a wrong tag", withFlippedTag);
    row("a changed byte", [](const QByteArray &datagram) {
        return withByte(datagram, Record::headerSize, static_cast<char>(datagram[13] ^ 1));
    });
    row("another sequence number", [](const QByteArray &datagram) {
        return withByte(datagram, 10, static_cast<char>(datagram[10] + 40));
    });
    row("the epoch of the handshake",
        [](const QByteArray &datagram) { return withByte(datagram, 4, '\0'); });
    row("an epoch that has not begun",
        [](const QByteArray &datagram) { return withByte(datagram, 4, '\2'); });
    row("an alert that is no alert",
        [](const QByteArray &datagram) { return withByte(datagram, 0, '\x15'); });
    row("an unknown content type",
        [](const QByteArray &datagram) { return withByte(datagram, 0, '\x19'); });
    row("another version",
        [](const QByteArray &datagram) { return withByte(datagram, 2, '\xfc'); });
    row("another version, with a record inside that is too short", [](const QByteArray &datagram) {
        return withByte(withFragment(datagram, withFragment(datagram, "x") + QByteArray(40, 'x')),
                        2, '\xfc');
    });
    row("another protocol",
        [](const QByteArray &datagram) { return withByte(datagram, 1, '\x03'); });
    row("more than a record may hold",
        [](const QByteArray &datagram) { return withFragment(datagram, QByteArray(17'000, 'x')); });
    row("a datagram full of one record",
        [](const QByteArray &datagram) { return withFragment(datagram, QByteArray(65'494, 'x')); });
}

void TestRecords::aBadRecordIsDroppedCountedAndSummarised()
{
    QFETCH(Mangle, mangle);
    constexpr int times = 20;
    MemoryNetwork network;
    auto &device = network.add(1);
    network.run();
    device.client->send("authentic");
    const QByteArray authentic = MemoryNetwork::takeSent(device).front();
    for (int i = 0; i < times; ++i)
        network.arrive(device.address, mangle(authentic));
    QCOMPARE(network.server->statistics().badRecords, std::uint64_t{times});
    QVERIFY(network.serverSocket->takeSent().empty()); // no alert, no answer
    QVERIFY(network.datagrams.empty());

    network.arrive(device.address, authentic);
    network.arrive(device.address, authentic); // replayed: bad as well
    QCOMPARE(network.datagrams.size(), 1U);
    QCOMPARE(network.datagrams[0].payload, "authentic");
    QCOMPARE(network.server->statistics().badRecords, std::uint64_t{times + 1});

    // The first is reported at once, the rest at the latest when the session ends.
    device.client->close();
    network.run();
    const auto reports = network.events<PeerMisbehaving>();
    QCOMPARE(reports.size(), 2U);
    QCOMPARE(reports[0].badRecords, 1U);
    QCOMPARE(reports[1].badRecords, std::uint64_t{times});
    QCOMPARE(network.events<SessionClosed>()[0].reason, CloseReason::CloseNotify);
}

void TestRecords::aKeepaliveOfThePathIsNoBadRecord_data()
{
    QTest::addColumn<QByteArray>("keepalive");
    QTest::newRow("an empty datagram") << QByteArray();
    QTest::newRow("one byte") << QByteArray("\0", 1);
    QTest::newRow("line ends (RFC 5626 §3.5.1)") << QByteArray("\r\n\r\n");
    QTest::newRow("as much as is no record yet") << QByteArray(Record::headerSize - 1, '\x17');
}

void TestRecords::aKeepaliveOfThePathIsNoBadRecord()
{
    QFETCH(QByteArray, keepalive);
    MemoryNetwork network;
    auto &device = network.add(1);
    network.run();
    for (int i = 0; i < 20; ++i)
        network.arrive(device.address, keepalive);
    QCOMPARE(network.server->statistics().badRecords, 0U);
    QCOMPARE(network.server->statistics().unverified.total(), 0U);
    QCOMPARE(network.events<PeerMisbehaving>().size(), 0U);
    QVERIFY(network.serverSocket->takeSent().empty());
    QVERIFY(device.client->send("still there"));
    network.run();
    QCOMPARE(network.datagrams.size(), 1U);
}

void TestRecords::goodRecordsAmongBadOnesArriveInOrderAndOnce()
{
    MemoryNetwork network;
    auto &device = network.add(1);
    network.run();
    for (const QByteArray message : {"a", "b", "c"})
        device.client->send(message);
    const auto sent = MemoryNetwork::takeSent(device);
    const QByteArray unknownVersion = withByte(sent[0], 2, '\xfc');
    network.arrive(device.address, sent[0] + withFlippedTag(sent[1]) + sent[0] + unknownVersion +
                                       sent[1] + sent[1] + sent[2] + "garbage");
    QCOMPARE(network.datagrams.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        QCOMPARE(network.datagrams[i].payload, QByteArray(1, static_cast<char>('a' + i)));
        QCOMPARE(network.datagrams[i].sequence, i + 1);
    }
    // Two repeated, one forged, one of another version, and what is behind the last record.
    QCOMPARE(network.server->statistics().badRecords, 5U);
}

void TestRecords::theOrderOfDatagramsIsTheirOrderOfArrival()
{
    MemoryNetwork network;
    auto &device = network.add(1);
    network.run();
    for (int i = 0; i < 64; ++i)
        device.client->send(QByteArray::number(i));
    const auto sent = MemoryNetwork::takeSent(device);
    // Backwards, which the replay window of 64 records just admits (RFC 6347 §4.1.2.6).
    for (auto datagram = sent.rbegin(); datagram != sent.rend(); ++datagram)
        network.arrive(device.address, *datagram);
    QCOMPARE(network.datagrams.size(), 64U);
    for (std::size_t i = 0; i < 64; ++i)
        QCOMPARE(network.datagrams[i].payload, QByteArray::number(63 - static_cast<int>(i)));
    QCOMPARE(network.server->statistics().badRecords, 0U);
}

void TestRecords::aMessageOfTheLargestSizeArrives_data()
{
    QTest::addColumn<QByteArray>("suite");
    for (const QByteArray suite : {"ECDHE-PSK-CHACHA20-POLY1305", "PSK-AES256-GCM-SHA384",
                                   "PSK-AES128-CCM", "PSK-AES128-CCM8"})
        QTest::newRow(suite.constData()) << suite;
}

void TestRecords::aMessageOfTheLargestSizeArrives()
{
    QFETCH(QByteArray, suite);
    MemoryNetwork network(everySuite());
    const DtlsClient::Options options = clientOf(suite);
    auto &device = network.add(1, options);
    network.run();
    QCOMPARE(network.events<SessionOpened>().at(0).session.cipher.text(), suite);
    const QByteArray message(Record::maximumPlaintext, 'x');
    QVERIFY(device.client->send(message));
    QVERIFY(!device.client->send(message + 'x'));
    network.run();
    QCOMPARE(network.datagrams.size(), 1U);
    QCOMPARE(network.datagrams[0].payload, message);
    QCOMPARE(network.server->statistics().badRecords, 0U);
}

void TestRecords::manyForgeriesEndOnlyASessionWithAShortTag_data()
{
    QTest::addColumn<QByteArray>("suite");
    QTest::addColumn<bool>("ends");
    QTest::newRow("PSK-AES128-CCM8") << QByteArray("PSK-AES128-CCM8") << true;
    QTest::newRow("PSK-AES128-GCM-SHA256") << QByteArray("PSK-AES128-GCM-SHA256") << false;
}

void TestRecords::manyForgeriesEndOnlyASessionWithAShortTag()
{
    QFETCH(QByteArray, suite);
    QFETCH(bool, ends);
    MemoryNetwork network(everySuite());
    const DtlsClient::Options options = clientOf(suite);
    auto &device = network.add(1, options);
    network.run();
    device.client->send("authentic");
    const QByteArray forged = withFlippedTag(MemoryNetwork::takeSent(device).front());

    const auto limit = SuiteLimits::of("PSK-AES128-CCM8").forgeries;
    for (std::uint64_t i = 1; i < limit; ++i)
        network.arrive(device.address, forged);
    QVERIFY(network.events<SessionClosed>().empty());
    QVERIFY(device.client->send("still here"));
    network.run();
    QCOMPARE(network.datagrams.size(), 1U);

    network.arrive(device.address, forged);
    network.run();
    QCOMPARE(device.client->isConnected(), !ends); // it is told by close_notify
    const auto closed = network.events<SessionClosed>();
    QCOMPARE(closed.size(), ends ? 1U : 0U);
    if (ends)
        QCOMPARE(closed[0].reason, CloseReason::KeyUsage);
    network.crash(device);
    auto &again = network.add(1, options);
    network.run();
    QVERIFY(again.client->isConnected());
}

DTLSD_TEST(TestRecords)
#include "tst_records.moc"
