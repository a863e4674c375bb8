// SPDX-License-Identifier: Apache-2.0
//
// JournalSink against a fake journal, in a private /run; tst_log_sinks has what needs no root.
#include "log/JournalSink.h"

#include "support/FakeJournal.h"
#include "support/LogFakes.h"

#include <QFile>
#include <QRegularExpression>
#include <QScopeGuard>
#include <QTest>

#include <atomic>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

using Kind = LogField::Kind;
using Entry = FakeJournal::Entry;

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

/// A socket's file that nobody serves.
bool makeSocket(const char *path)
{
    return mknod(path, S_IFSOCK | 0600, 0) == 0;
}

bool isAsleep(pid_t thread)
{
    QFile status(QStringLiteral("/proc/self/task/%1/stat").arg(thread));
    return status.open(QIODevice::ReadOnly) && status.readAll().contains(") S ");
}

} // namespace

class TestLogJournal : public QObject
{
    Q_OBJECT

public:
    explicit TestLogJournal(QString obstacle)
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
    void cleanup() { m_journal.close(); }

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
        QVERIFY(m_sink.write(recordWith(payload)));
        const auto entry = m_journal.next();
        QVERIFY(entry);
        QCOMPARE(*entry, entryWith(payload));
        QVERIFY(!m_journal.next());
    }

    void whatIsTooLargeForADatagramArrivesAsAFile()
    {
        const QByteArray payload = QByteArray(20 << 20, '\n');
        QVERIFY(m_sink.write(recordWith(payload)));
        const auto entry = m_journal.next();
        QVERIFY(m_journal.lastWasFile());
        QVERIFY(entry);
        QVERIFY(*entry == entryWith(payload)); // not printed when it differs
    }

    void aShorterEntryAfterALongerOneHasNothingOfIt()
    {
        QVERIFY(m_sink.write(recordWith(QByteArray(5000, 'x'))));
        QVERIFY(m_sink.write(recordSaying("short")));
        QVERIFY(m_journal.next());
        const auto entry = m_journal.next();
        QVERIFY(entry);
        QCOMPARE(entry->size(), 5);
        QCOMPARE(entry->first(), FakeJournal::Field("MESSAGE", "short"));
    }

    void everyFieldNameIsOneThatTheJournalKeeps()
    {
        static const QRegularExpression valid(QStringLiteral("^[A-Z0-9][A-Z0-9_]{0,63}$"));
        QVERIFY(m_sink.write(recordWith("hello")));
        const auto entry = m_journal.next();
        QVERIFY(entry);
        for (const FakeJournal::Field &field : *entry)
            QVERIFY2(valid.match(QString::fromLatin1(field.first)).hasMatch(), field.first);
    }

    void anAbsentJournalRefusesAndOneThatIsBackAccepts()
    {
        QVERIFY(m_sink.write(recordWith("1")));
        m_journal.close();
        QVERIFY(!m_sink.write(recordWith("2")));
        QVERIFY(m_journal.open());
        QVERIFY(m_sink.write(recordWith("3")));
        const auto entry = m_journal.next();
        QVERIFY(entry);
        QCOMPARE(*entry, entryWith("3"));
    }

    void aSocketThatNobodyServesRefuses()
    {
        m_journal.abandon();
        QVERIFY(!m_sink.write(recordWith("hello")));
    }

    void aJournalThatGoesWhileAnEntryWaitsRefusesIt()
    {
        QVERIFY(fillQueue());
        bool accepted = true;
        std::thread writer([&] { accepted = m_sink.write(recordWith("waits")); });
        m_journal.close();
        writer.join();
        QVERIFY(!accepted);
    }

    void anEntrySentWhileTheSocketWasReplacedIsRefused()
    {
        // What is watched is a socket of its own here, so that the entry itself gets through.
        const auto *watched = "/run/watched";
        QVERIFY(makeSocket(watched));
        JournalSink sink(watched);
        QVERIFY(sink.write(recordWith("1")));
        QVERIFY(fillQueue());

        std::atomic<pid_t> thread = 0;
        std::atomic<bool> accepted = true;
        std::thread writer([&] {
            thread = gettid();
            accepted = sink.write(recordWith("waits"));
        });
        const auto drained = qScopeGuard([&] {
            while (m_journal.next()) {
            }
            writer.join();
        });
        QTRY_VERIFY(thread != 0 && isAsleep(thread));
        QVERIFY(unlink(watched) == 0 && makeSocket(watched));
        bool arrived = false;
        QTRY_VERIFY(arrived = arrived || receive("waits"));
        QTRY_VERIFY(!accepted);
    }

private:
    /// Takes what there is; whether the entry with @p payload was in it.
    bool receive(const QByteArray &payload)
    {
        bool found = false;
        while (const auto entry = m_journal.next())
            found = found || *entry == entryWith(payload);
        return found;
    }

    const QString m_obstacle;
    FakeJournal m_journal;
    JournalSink m_sink;
};

int main(int argc, char **argv)
{
    TestLogJournal test(FakeJournal::enterPrivateRun());
    return QTest::qExec(&test, argc, argv);
}

#include "tst_log_journal.moc"
