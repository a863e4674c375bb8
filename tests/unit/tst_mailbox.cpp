// SPDX-License-Identifier: Apache-2.0
#include "app/Mailbox.h"
#include "support/TestProgram.h"

#include <thread>

using namespace dtlsd;

class TestMailbox : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void functionsRunInTheOrderInWhichTheyWerePosted();
    void anotherThreadMayPost();
    void aClosedMailboxRunsNothing();
};

void TestMailbox::functionsRunInTheOrderInWhichTheyWerePosted()
{
    Mailbox mailbox;
    QByteArray done;
    mailbox.post([&] { done += '1'; }); // waits until it is opened
    mailbox.open();
    mailbox.post([&] {
        done += '2';
        mailbox.post([&] { done += '4'; });
    });
    mailbox.post([&] { done += '3'; });
    QCOMPARE(done, QByteArray());
    QTRY_COMPARE(done, QByteArray("1234"));
    mailbox.close();
}

void TestMailbox::anotherThreadMayPost()
{
    Mailbox mailbox;
    mailbox.open();
    constexpr int count = 10'000;
    int done = 0; // in this thread alone
    std::jthread poster([&] {
        for (int i = 0; i < count; ++i)
            mailbox.post([&] { ++done; });
    });
    QTRY_COMPARE(done, count);
    poster.join();
    mailbox.close();
}

void TestMailbox::aClosedMailboxRunsNothing()
{
    Mailbox mailbox;
    mailbox.open();
    bool hasRun = false;
    mailbox.post([&] { hasRun = true; });
    mailbox.close();
    QCoreApplication::processEvents();
    QVERIFY(!hasRun);
}

DTLSD_TEST(TestMailbox)
#include "tst_mailbox.moc"
