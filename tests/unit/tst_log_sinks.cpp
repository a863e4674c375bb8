// SPDX-License-Identifier: Apache-2.0
#include "log/JournalSink.h"
#include "log/JsonSink.h"
#include "log/SinkChoice.h"
#include "log/TextSink.h"
#include "log/Timestamp.h"

#include "support/LogFakes.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <array>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

/// Both ends of a pipe.
struct Pipe
{
    Pipe() { [[maybe_unused]] const int result = pipe2(fds.data(), O_CLOEXEC); }
    Pipe(const Pipe &) = delete;
    Pipe &operator=(const Pipe &) = delete;
    ~Pipe()
    {
        closeReader();
        closeWriter();
    }
    [[nodiscard]] int reader() const { return fds[0]; }
    [[nodiscard]] int writer() const { return fds[1]; }
    void closeReader() { ::close(std::exchange(fds[0], -1)); }
    void closeWriter() { ::close(std::exchange(fds[1], -1)); }

    /// Up to the end; in another thread than the writer's.
    [[nodiscard]] QByteArray readAll() const
    {
        QByteArray result;
        std::array<char, 1000> part{};
        for (ssize_t size = 0; (size = read(reader(), part.data(), part.size())) > 0;)
            result.append(part.data(), size);
        return result;
    }

    std::array<int, 2> fds{-1, -1};
};

QByteArray journalStreamOf(int fd)
{
    struct stat status = {};
    fstat(fd, &status);
    return QByteArray::number(quint64{status.st_dev}) + ':' +
           QByteArray::number(quint64{status.st_ino});
}

} // namespace

class TestLogSinks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { (void)std::signal(SIGPIPE, SIG_IGN); }

    void timestampsAreUtc_data()
    {
        QTest::addColumn<qint64>("microseconds");
        QTest::addColumn<QByteArray>("machine");
        QTest::addColumn<QByteArray>("human");
        const auto row = [](const char *name, qint64 time, const char *machine, const char *human) {
            QTest::newRow(name) << time << QByteArray(machine) << QByteArray(human);
        };
        row("the epoch", 0, "1970-01-01T00:00:00.000000Z", "1970-01-01 00:00:00.000Z");
        row("every part has its digits", 1767323045123456, "2026-01-02T03:04:05.123456Z",
            "2026-01-02 03:04:05.123Z");
        row("a leap day", 1709251199999999, "2024-02-29T23:59:59.999999Z",
            "2024-02-29 23:59:59.999Z");
        row("before the epoch", -1, "1969-12-31T23:59:59.999999Z", "1969-12-31 23:59:59.999Z");
    }
    void timestampsAreUtc()
    {
        QFETCH(qint64, microseconds);
        const std::chrono::system_clock::time_point time{std::chrono::microseconds(microseconds)};
        QTEST(machineTimestamp(time), "machine");
        QTEST(humanTimestamp(time), "human");
    }

    void aSlowNonBlockingPipeGetsEveryByte()
    {
        Pipe pipe;
        QCOMPARE(fcntl(pipe.writer(), F_SETFL, O_NONBLOCK), 0);
        QByteArray got;
        std::thread reader([&] { got = pipe.readAll(); });
        JsonSink sink(pipe.writer());
        QByteArray expected;
        int refused = 0;
        for (int i = 0; i < 64; ++i) {
            const LogRecord record =
                datagramRecord(QByteArray(16384, static_cast<char>('A' + i % 26)));
            refused += fateOf(record, sink) == Fate::Kept ? 0 : 1;
            expected += jsonLine(record);
        }
        pipe.closeWriter();
        reader.join();
        QCOMPARE(refused, 0);
        QCOMPARE(got, expected);
    }

    void anOutputThatNobodyReadsIsRefused()
    {
        Pipe pipe;
        JsonSink json(pipe.writer());
        TextSink text(pipe.writer(), Colour::Never);
        pipe.closeReader();
        QCOMPARE(fateOf(datagramRecord("hello"), json), Fate::Lost);
        QCOMPARE(fateOf(datagramRecord("hello"), text), Fate::Lost);
        JsonSink closed(-1);
        QCOMPARE(fateOf(datagramRecord("hello"), closed), Fate::Lost);
    }

    void afterALineCutShortTheNextBeginsAfresh()
    {
        const QTemporaryDir directory;
        QFile file(directory.filePath(QStringLiteral("lines")));
        QVERIFY(file.open(QIODevice::ReadWrite));
        (void)std::signal(SIGXFSZ, SIG_IGN);
        rlimit before = {};
        QCOMPARE(getrlimit(RLIMIT_FSIZE, &before), 0);
        const rlimit small = {.rlim_cur = 40, .rlim_max = before.rlim_max};

        LineWriter writer(file.handle());
        QVERIFY(writer.write("first\n"));
        QCOMPARE(setrlimit(RLIMIT_FSIZE, &small), 0);
        const bool cut = !writer.write(QByteArray(100, 'x') + '\n');
        const bool stillFull = !writer.write("lost as a whole\n");
        QCOMPARE(setrlimit(RLIMIT_FSIZE, &before), 0);
        QVERIFY(cut);
        QVERIFY(stillFull);
        QVERIFY(writer.write("second\n"));
        QVERIFY(writer.write("third\n"));

        QVERIFY(file.seek(0));
        QCOMPARE(file.readAll(), "first\n" + QByteArray(34, 'x') + "\nsecond\nthird\n");
    }

    void textLines_data()
    {
        QTest::addColumn<Priority>("priority");
        QTest::addColumn<QByteArray>("event");
        QTest::addColumn<QByteArray>("plain");
        QTest::addColumn<QByteArray>("coloured");
        const auto row = [](const char *name, Priority priority, const char *event,
                            const char *plain, const char *coloured) {
            QTest::newRow(name) << priority << QByteArray(event) << QByteArray(plain)
                                << QByteArray(coloured);
        };
        row("an error is crimson", Priority::Error, "listen-failed",
            "2026-01-02 03:04:05.123Z error   words\n",
            "2026-01-02 03:04:05.123Z \x1b[38;5;161merror   words\x1b[0m\n");
        row("a warning is orange", Priority::Warning, "handshake-failed",
            "2026-01-02 03:04:05.123Z warning words\n",
            "2026-01-02 03:04:05.123Z \x1b[38;5;208mwarning words\x1b[0m\n");
        row("a notice is blue", Priority::Notice, "started",
            "2026-01-02 03:04:05.123Z notice  words\n",
            "2026-01-02 03:04:05.123Z \x1b[38;5;32mnotice  words\x1b[0m\n");
        row("information is blue", Priority::Info, "session-opened",
            "2026-01-02 03:04:05.123Z info    words\n",
            "2026-01-02 03:04:05.123Z \x1b[38;5;32minfo    words\x1b[0m\n");
        row("what a device says is green", Priority::Info, "datagram-received",
            "2026-01-02 03:04:05.123Z info    words\n",
            "2026-01-02 03:04:05.123Z \x1b[38;5;28minfo    words\x1b[0m\n");
        row("debugging has no colour", Priority::Debug, "handshake-started",
            "2026-01-02 03:04:05.123Z debug   words\n", "2026-01-02 03:04:05.123Z debug   words\n");
    }
    void textLines()
    {
        QFETCH(Priority, priority);
        QFETCH(QByteArray, event);
        LogRecord record = recordSaying("words");
        record.time = someTime;
        record.priority = priority;
        record.event = event.constData();
        QTEST(textLine(record, Colour::Never), "plain");
        QTEST(textLine(record, Colour::ByEvent), "coloured");
    }

    void noLineBeginsWithAPriorityFromAMessage_data()
    {
        QTest::addColumn<QByteArray>("message");
        QTest::newRow("at its front") << QByteArray("<3>forged");
        QTest::newRow("after a line feed") << QByteArray("x\n<3>forged");
        QTest::newRow("after a carriage return") << QByteArray("x\r<3>forged");
        QTest::newRow("after NUL") << QByteArray("x\0<3>forged", 11);
    }
    void noLineBeginsWithAPriorityFromAMessage()
    {
        QFETCH(QByteArray, message);
        for (const Colour colour : {Colour::Never, Colour::ByEvent}) {
            const QByteArray line = textLine(recordSaying(message), colour);
            QVERIFY(line.startsWith("1970-01-01 "));
            QCOMPARE(line.indexOf('\n'), line.size() - 1);
            QVERIFY(!line.contains('\r') && !line.contains('\0'));
            QVERIFY(line.contains("<3>forged"));
        }
    }

    void aTextSinkWritesItsLines()
    {
        Pipe pipe;
        TextSink sink(pipe.writer(), Colour::ByEvent);
        const LogRecord record = datagramRecord("hello");
        QCOMPARE(fateOf(record, sink), Fate::Kept);
        QCOMPARE(fateOf(record, sink), Fate::Kept);
        pipe.closeWriter();
        QCOMPARE(pipe.readAll(), textLine(record, Colour::ByEvent).repeated(2));
    }

    void theJournalStreamIsRecognised()
    {
        std::array<int, 2> streams{};
        QCOMPARE(socketpair(AF_UNIX, SOCK_STREAM, 0, streams.data()), 0);
        const QByteArray name = journalStreamOf(streams[0]);
        QVERIFY(isJournalStream(streams[0], name.constData()));
        QVERIFY(!isJournalStream(streams[1], name.constData()));
        QVERIFY(!isJournalStream(-1, name.constData()));
        QVERIFY(!isJournalStream(streams[0], nullptr));
        for (const QByteArray &wrong : {QByteArray(""), QByteArray(":"), QByteArray("8:12345"),
                                        name.chopped(1), name + '0', name + ':', ' ' + name})
            QVERIFY2(!isJournalStream(streams[0], wrong.constData()), wrong.constData());
        close(streams[0]);
        close(streams[1]);
    }

    void autoFollowsTheSurroundings_data()
    {
        QTest::addColumn<bool>("errorIsJournal");
        QTest::addColumn<bool>("journalIsThere");
        QTest::addColumn<bool>("outputIsTerminal");
        QTest::addColumn<LogTarget>("kind");
        QTest::newRow("a service logs to the journal")
            << true << true << false << LogTarget::Journal;
        QTest::newRow("the journal goes before a terminal")
            << true << true << true << LogTarget::Journal;
        QTest::newRow("a person reads text") << false << true << true << LogTarget::Text;
        QTest::newRow("a container's runtime gets JSON")
            << false << false << false << LogTarget::Json;
        QTest::newRow("JSON takes an absent journal's place")
            << true << false << false << LogTarget::Json;
    }
    void autoFollowsTheSurroundings()
    {
        QFETCH(bool, errorIsJournal);
        QFETCH(bool, journalIsThere);
        QFETCH(bool, outputIsTerminal);
        const Surroundings surroundings{.errorIsJournal = errorIsJournal,
                                        .journalIsThere = journalIsThere,
                                        .outputIsTerminal = outputIsTerminal};
        QTEST(SinkChoice::of(LogTarget::Auto, surroundings).target, "kind");
    }

    void everyKindHasItsSink()
    {
        QVERIFY(dynamic_cast<JournalSink *>(makeSink({LogTarget::Journal, {}}).get()));
        QVERIFY(dynamic_cast<JsonSink *>(makeSink({LogTarget::Json, {}}).get()));
        QVERIFY(dynamic_cast<TextSink *>(makeSink({LogTarget::Text, {}}).get()));
    }
};

QTEST_GUILESS_MAIN(TestLogSinks)
#include "tst_log_sinks.moc"
