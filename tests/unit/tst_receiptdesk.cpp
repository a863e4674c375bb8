// SPDX-License-Identifier: Apache-2.0
#include "app/ReceiptDesk.h"
#include "support/TestProgram.h"

#include <thread>

using namespace dtlsd;

class TestReceiptDesk : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void onlyAcceptedEntriesGiveReceipts();
    void receiptsAreGivenInTheWorkersThread();
    void whatTheLogHasLostIsWithheldAndCounted();
};

void TestReceiptDesk::onlyAcceptedEntriesGiveReceipts()
{
    Mailbox mailbox;
    mailbox.open();
    QList<QByteArray> given;
    ReceiptDesk desk(mailbox, [&](std::span<const Receipt> receipts) {
        for (const Receipt &receipt : receipts)
            given += receipt.reply;
    });
    QList<std::uint64_t> tickets;
    for (int i = 0; i < 6; ++i)
        tickets += desk.expect({{}, {}, SessionId{}, QByteArray::number(i)});
    desk.settled(tickets[2], true); // the log decides the order
    desk.settled(tickets[1], false);
    desk.settled(tickets[0], true);
    desk.batchEnded();
    desk.settled(tickets[3], false);
    desk.settled(tickets[5], true);
    desk.batchEnded();
    QVERIFY(given.isEmpty()); // not before the event loop gets to it
    QCoreApplication::processEvents();
    QCOMPARE(given, (QList<QByteArray>{"2", "0", "5"}));
    desk.settled(tickets[4], true);
    desk.batchEnded();
    QCoreApplication::processEvents();
    QCOMPARE(given.constLast(), "4");
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
    std::vector<std::uint64_t> tickets;
    tickets.reserve(count);
    for (int i = 0; i < count; ++i)
        tickets.push_back(desk.expect({{}, {}, SessionId{}, QByteArray::number(i)}));
    std::thread log([&desk, &tickets] {
        for (std::size_t i = 0; i < count; ++i) {
            desk.settled(tickets[i], true);
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
    desk.withhold(desk.expect({})); // one that the queue refused
    QCOMPARE(desk.withheld(), 1U);
    QList<std::uint64_t> tickets;
    for (int i = 0; i < 4; ++i)
        tickets += desk.expect({});
    for (int i = 0; i < 4; ++i)
        desk.settled(tickets[i], i % 2 == 1);
    desk.batchEnded();
    QCoreApplication::processEvents();
    QCOMPARE(desk.withheld(), 3U);
    QCOMPARE(given, 2U);
}

DTLSD_TEST(TestReceiptDesk)
#include "tst_receiptdesk.moc"
