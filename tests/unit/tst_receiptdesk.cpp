// SPDX-License-Identifier: Apache-2.0
#include "app/ReceiptDesk.h"

#include <QTest>

#include <thread>

using namespace dtlsd;

class TestReceiptDesk : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void onlyAcceptedEntriesGiveReceiptsAndInOrder();
    void receiptsAreGivenInTheWorkersThread();
    void whatTheLogHasLostIsWithheldAndCounted();
};

void TestReceiptDesk::onlyAcceptedEntriesGiveReceiptsAndInOrder()
{
    Mailbox mailbox;
    mailbox.open();
    QList<QByteArray> given;
    ReceiptDesk desk(mailbox, [&](std::span<const Receipt> receipts) {
        for (const Receipt &receipt : receipts)
            given += receipt.reply;
    });
    for (int i = 0; i < 6; ++i)
        desk.expect({{}, SessionId{}, QByteArray::number(i)});
    desk.settled(true);
    desk.settled(false);
    desk.settled(true);
    desk.batchEnded();
    desk.settled(false);
    desk.settled(true);
    desk.batchEnded();
    QVERIFY(given.isEmpty()); // not before the event loop gets to it
    QCoreApplication::processEvents();
    QCOMPARE(given, (QList<QByteArray>{"0", "2", "4"}));
    desk.settled(true);
    desk.batchEnded();
    QCoreApplication::processEvents();
    QCOMPARE(given.constLast(), "5");
}

void TestReceiptDesk::receiptsAreGivenInTheWorkersThread()
{
    constexpr int count = 10'000;
    Mailbox mailbox;
    mailbox.open();
    int given = 0;
    const auto worker = std::this_thread::get_id();
    ReceiptDesk desk(mailbox, [&](std::span<const Receipt> receipts) {
        QCOMPARE(std::this_thread::get_id(), worker);
        for (const Receipt &receipt : receipts)
            QCOMPARE(receipt.reply.toInt(), given++);
    });
    for (int i = 0; i < count; ++i)
        desk.expect({{}, SessionId{}, QByteArray::number(i)});
    std::thread log([&desk] {
        for (int i = 0; i < count; ++i) {
            desk.settled(true);
            if (i % 7 == 6)
                desk.batchEnded();
        }
        desk.batchEnded();
    });
    QTRY_COMPARE(given, count);
    log.join();
}

void TestReceiptDesk::whatTheLogHasLostIsWithheldAndCounted()
{
    Mailbox mailbox;
    mailbox.open();
    std::size_t given = 0;
    ReceiptDesk desk(mailbox, [&](std::span<const Receipt> receipts) { given += receipts.size(); });
    for (int i = 0; i < 4; ++i)
        desk.expect({});
    desk.withhold(); // one that the queue refused
    QCOMPARE(desk.withheld(), 1U);
    for (const bool accepted : {false, true, false, true})
        desk.settled(accepted);
    desk.batchEnded();
    QCoreApplication::processEvents();
    QCOMPARE(desk.withheld(), 3U);
    QCOMPARE(given, 2U);
}

QTEST_GUILESS_MAIN(TestReceiptDesk)
#include "tst_receiptdesk.moc"
