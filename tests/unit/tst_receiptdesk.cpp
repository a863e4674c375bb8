// SPDX-License-Identifier: Apache-2.0
#include "app/ReceiptDesk.h"
#include "support/TestProgram.h"

#include <thread>

using namespace dtlsd;

namespace {

using Held = ReceiptDesk::Held;

Held replyingWith(const QByteArray &reply)
{
    Held held;
    held.datagram.reply = reply;
    return held;
}

} // namespace

class TestReceiptDesk : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void onlyAcceptedEntriesGiveReceipts();
    void receiptsAreGivenInTheWorkersThread();
    void whatTheLogHasLostIsToldAsLost();
};

void TestReceiptDesk::onlyAcceptedEntriesGiveReceipts()
{
    Mailbox mailbox;
    mailbox.open();
    QList<QByteArray> given;
    ReceiptDesk desk(mailbox, [&](std::span<const Held> kept, std::span<const Held>) {
        for (const Held &held : kept)
            given += held.datagram.reply;
    });
    QList<std::uint64_t> tickets;
    for (int i = 0; i < 6; ++i)
        tickets += desk.hold(replyingWith(QByteArray::number(i)));
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
    ReceiptDesk desk(mailbox, [&](std::span<const Held> kept, std::span<const Held>) {
        QCOMPARE(std::this_thread::get_id(), worker);
        for (const Held &held : kept)
            QCOMPARE(held.datagram.reply.toInt(), given++);
    });
    std::vector<std::uint64_t> tickets;
    tickets.reserve(count);
    for (int i = 0; i < count; ++i)
        tickets.push_back(desk.hold(replyingWith(QByteArray::number(i))));
    std::jthread log([&desk, &tickets] {
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

void TestReceiptDesk::whatTheLogHasLostIsToldAsLost()
{
    Mailbox mailbox;
    mailbox.open();
    QList<QByteArray> given;
    QList<QByteArray> lost;
    ReceiptDesk desk(mailbox, [&](std::span<const Held> kept, std::span<const Held> others) {
        for (const Held &held : kept)
            given += held.datagram.reply;
        for (const Held &held : others)
            lost += held.datagram.reply;
    });
    desk.lose(desk.hold(replyingWith("refused"))); // by the queue
    QCOMPARE(lost, QList<QByteArray>{"refused"});
    QList<std::uint64_t> tickets;
    for (int i = 0; i < 4; ++i)
        tickets += desk.hold(replyingWith(QByteArray::number(i)));
    for (int i = 0; i < 4; ++i)
        desk.settled(tickets[i], i % 2 == 1);
    desk.batchEnded();
    QVERIFY(!desk.isClear());
    QCoreApplication::processEvents();
    QCOMPARE(lost, (QList<QByteArray>{"refused", "0", "2"}));
    QCOMPARE(given, (QList<QByteArray>{"1", "3"}));
    QVERIFY(desk.isClear());
}

DTLSD_TEST(TestReceiptDesk)
#include "tst_receiptdesk.moc"
