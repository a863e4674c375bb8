// SPDX-License-Identifier: Apache-2.0
//
// JournalSink against a fake journal, in a private /run; tst_sinkchoice and tst_linewriter need no
// root.
#include "log/JournalSink.h"

#include "support/FakeJournal.h"
#include "support/LogFakes.h"

#include <QFile>
#include <QRegularExpression>
#include <QTest>

#include <thread>

#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

using Kind = LogField::Kind;
using Entry = FakeJournal::Entry;
using namespace std::chrono_literals;

LogRecord recordWith(const QByteArray &payload)
{
    LogRecord record = recordSaying("sensor-17 says hello");
    record.priority = Priority::Warning;
    record.fields.append({"DTLSD_PEER_PORT", "5683", Kind::Number});
    record.fields.append({"DTLSD_PAYLOAD", payload, Kind::Bytes});
    return record;
}

Entry entryWith(const QByteArray &payload)
{
    return {{"MESSAGE", "sensor-17 says hello"},
            {"MESSAGE_ID", "0123456789abcdef0123456789abcdef"},
            {"PRIORITY", "4"},
            {"SYSLOG_IDENTIFIER", "dtlsd"},
            {"DTLSD_EVENT", "test-event"},
            {"DTLSD_PEER_PORT", "5683"},
            {"DTLSD_PAYLOAD", payload}};
}

/// Sends until the journal's queue is full. It holds few datagrams (net.unix.max_dgram_qlen).
bool fillQueue()
{
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const sockaddr_un to = FakeJournal::address();
    ssize_t sent = 0;
    while (sent >= 0)
        sent = sendto(fd, "A=B\n", 4, 0, reinterpret_cast<const sockaddr *>(&to), sizeof to);
    const bool full = errno == EAGAIN;
    close(fd);
    return full;
}

} // namespace

class TestJournalSink : public QObject
{
    Q_OBJECT

public:
    explicit TestJournalSink(QString obstacle)
        : m_obstacle(std::move(obstacle))
    {
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (!m_obstacle.isEmpty())
            QSKIP(qPrintable(m_obstacle));
    }
    void init() { QVERIFY(m_journal.open()); }
    void cleanup()
    {
        m_journal.close();
        settled(); // what nobody has read is nobody's any more
    }

    void aPayloadArrivesExactly_data()
    {
        QTest::addColumn<QByteArray>("payload");
        QTest::newRow("text") << QByteArray("hello");
        QTest::newRow("nothing") << QByteArray("");
        QTest::newRow("an equals sign") << QByteArray("a=b=c");
        QTest::newRow("a line feed and a forged field") << QByteArray("x\nPRIORITY=0\n");
        QTest::newRow("NUL") << QByteArray("a\0b", 3);
        QTest::newRow("bytes that are not UTF-8") << QByteArray("\xff\xfe\n\x80");
        QTest::newRow("16 KiB") << QByteArray(16384, '\xff');
        QTest::newRow("200 KiB") << QByteArray(200 << 10, 'x');
    }
    void aPayloadArrivesExactly()
    {
        QFETCH(QByteArray, payload);
        m_sink.write(recordWith(payload));
        const auto entry = m_journal.next();
        QVERIFY(entry);
        QCOMPARE(*entry, entryWith(payload));
        QVERIFY(!m_journal.next());
    }

    void whatIsTooLargeForADatagramArrivesAsAFile()
    {
        const QByteArray payload = QByteArray(20 << 20, '\n');
        m_sink.write(recordWith(payload));
        const auto entry = m_journal.next();
        QVERIFY(m_journal.lastWasFile());
        QVERIFY(entry);
        QVERIFY(*entry == entryWith(payload)); // not printed when it differs
    }

    void aShorterEntryAfterALongerOneHasNothingOfIt()
    {
        m_sink.write(recordWith(QByteArray(5000, 'x')));
        m_sink.write(recordSaying("short"));
        QVERIFY(m_journal.next());
        const auto entry = m_journal.next();
        QVERIFY(entry);
        QCOMPARE(entry->size(), 5);
        QCOMPARE(entry->first(), FakeJournal::Field("MESSAGE", "short"));
    }

    void everyFieldNameIsOneThatTheJournalKeeps()
    {
        static const QRegularExpression valid(QStringLiteral("^[A-Z0-9][A-Z0-9_]{0,63}$"));
        m_sink.write(recordWith("hello"));
        const auto entry = m_journal.next();
        QVERIFY(entry);
        for (const FakeJournal::Field &field : *entry)
            QVERIFY2(valid.match(QString::fromLatin1(field.first)).hasMatch(), field.first);
    }

    void theFateOfAnEntryIsKnownOnceJournaldHasPassedTheFence()
    {
        QCOMPARE(fateOf(recordWith("1"), m_sink), std::nullopt);
        m_sink.write(recordWith("2"));
        QCOMPARE(settled(), Outcomes{});
        QVERIFY(m_journal.next()); // "1", and the fence with the next call
        QVERIFY(m_journal.next());
        QCOMPARE(settled(), Outcomes{Fate::Unverified}); // it keeps no files
        QVERIFY(!m_journal.next());                      // the fence behind "2"
        QCOMPARE(settled(), Outcomes{Fate::Unverified});
    }

    void whatCannotBeReadBackIsHeldForATime()
    {
        JournalSink sink({.time = 1h, .entries = 2});
        for (int i = 0; i < 3; ++i)
            sink.write(recordWith("hello"));
        Outcomes outcomes;
        sink.settle(outcomes);
        QVERIFY(sink.obstacle().empty());
        drain();
        sink.settle(outcomes);
        QCOMPARE(outcomes, Outcomes{Fate::Unverified}); // the third has no room
        QVERIFY(!sink.obstacle().empty());
    }

    void anAbsentJournalRefusesAndOneThatIsBackTakes()
    {
        QVERIFY(JournalSink::isThere());
        m_journal.close();
        QVERIFY(!JournalSink::isThere());
        QCOMPARE(fateOf(recordWith("2"), m_sink), Fate::Lost);
        QVERIFY(QFile(QLatin1String(FakeJournal::path)).open(QIODevice::WriteOnly));
        QCOMPARE(fateOf(recordWith("2"), m_sink), Fate::Lost); // a file is not a socket
        QVERIFY(unlink(FakeJournal::path) == 0 && m_journal.open());
        QCOMPARE(fateOf(recordWith("3"), m_sink), std::nullopt);
        const auto entry = m_journal.next();
        QVERIFY(entry);
        QCOMPARE(*entry, entryWith("3"));
        drain();
        QCOMPARE(settled(), Outcomes{Fate::Unverified});
    }

    void aSocketThatNobodyServesRefuses()
    {
        m_journal.abandon();
        QVERIFY(!JournalSink::isThere());
        QCOMPARE(fateOf(recordWith("hello"), m_sink), Fate::Lost);
    }

    void aJournalThatGoesWithWhatItHasNotReadLosesIt()
    {
        QCOMPARE(fateOf(recordWith("unread"), m_sink), std::nullopt);
        m_journal.abandon();
        QCOMPARE(settled(), Outcomes{Fate::Lost});
    }

    void aJournalThatGoesWhileAnEntryWaitsRefusesIt()
    {
        QVERIFY(fillQueue());
        std::optional<Fate> fate = Fate::Kept;
        std::thread writer([&] { fate = fateOf(recordWith("waits"), m_sink); });
        m_journal.close();
        writer.join();
        QCOMPARE(fate, Fate::Lost);
    }

    void anEntryOnItsWayWhileTheJournalIsReplacedIsRefused()
    {
        QCOMPARE(fateOf(recordWith("unread"), m_sink), std::nullopt);
        FakeJournal replacement;
        QVERIFY(unlink(FakeJournal::path) == 0 && replacement.open());
        QCOMPARE(settled(), Outcomes{Fate::Lost}); // although the old socket still holds it
        QCOMPARE(fateOf(recordWith("3"), m_sink), std::nullopt);
        QVERIFY(replacement.next());
        QVERIFY(!replacement.next());
        QCOMPARE(settled(), Outcomes{Fate::Unverified});
    }

private:
    using Outcomes = std::vector<Fate>;

    Outcomes settled()
    {
        Outcomes outcomes;
        m_sink.settle(outcomes);
        return outcomes;
    }

    /// Takes what there is.
    void drain()
    {
        while (m_journal.next()) {
        }
    }

    const QString m_obstacle;
    FakeJournal m_journal;
    JournalSink m_sink{{.time = 0s, .entries = 100}};
};

int main(int argc, char **argv)
{
    TestJournalSink test(FakeJournal::enterPrivateRun());
    return QTest::qExec(&test, argc, argv);
}

#include "tst_journalsink.moc"
