// SPDX-License-Identifier: Apache-2.0
#include "support/ControlAnswers.h"
#include "support/TestProgram.h"
#include "tools/dtlsctl/Report.h"

#include <QJsonDocument>

#include <clocale>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;

namespace {

QStringList texts(const TextBlock &block)
{
    QStringList result;
    for (const TextLine &line : block)
        result += line.text;
    return result;
}

QJsonObject objectOf(const QByteArray &line)
{
    return QJsonDocument::fromJson(line).object();
}

SessionAnswer answerAbout(const QByteArray &identity)
{
    SessionAnswer answer = SessionAnswer::parse(objectOf(sessionLine)).value();
    answer.identity = identity;
    return answer;
}

constexpr auto table = R"(
SESSION           IDENTITY   PEER                 AGE  IDLE  RECEIVED  BYTES  SENT  BYTES  BAD  CIPHER                       LOCAL            SERVICE          WORKER  CONNECTION ID
0123456789abcdef  sensor-17  192.0.2.7:5683      1.5s  0.2s         5   60 B     5  100 B    0  ECDHE-PSK-CHACHA20-POLY1305  192.0.2.1:22334  127.1.2.3:61004       0  0001a1b2c3d4e5f6
0123456789abcdef  -          [2001:db8::1]:5683  1.5s  0.2s         0    0 B     0    0 B    0  handshaking                  192.0.2.1:22334  -                     0  -
)";

constexpr Terminal narrow{.isOne = true, .hasColours = true, .columns = 10, .rows = 4};

} // namespace

class TestDtlsctlReport : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void statusIsABlock();
    void theNextRestartIsForetold();
    void whatIsWrongStandsOut();
    void servicesHaveTheirLines();
    void sessionsAreATable();
    void aTableMayComeInBlocks();
    void theEmptyIdentityIsShown();
    void noSessionsAreSaid();
    void wideAndCombiningCharactersKeepTheColumns();
    void whatPeersSentCannotDrawOnTheTerminal();
    void aTableIsCutToTheTerminal();
    void aLongTextIsCut();
    void aFieldThatIsMissingIsNamed_data();
    void aFieldThatIsMissingIsNamed();
    void aFrameFitsTheScreen();
    void linesAreColouredOnlyWhereThereAreColours();
    void aLineHasNoOtherControlsThanItsColour();
};

void TestDtlsctlReport::initTestCase()
{
    QVERIFY(std::setlocale(LC_ALL, "C.UTF-8")); // as QCoreApplication of the program does
}

void TestDtlsctlReport::statusIsABlock()
{
    const auto status = StatusAnswer::parse(objectOf(statusLine));
    QVERIFY2(status.ok(), qPrintable(status.ok() ? QString() : status.error().message));
    const TextBlock block = statusReport(status.value());
    QCOMPARE(
        texts(block),
        (QStringList{u"dtlsd 0.1.0, process 30, up 12s"_s,
                     u"  Listening on   0.0.0.0:22334, [::]:22334"_s,
                     u"  Configuration  /etc/dtlsd/dtlsd.ini"_s, u"  TLS backend    dtlsd"_s,
                     u"  At a restart   sessions are kept"_s,
                     u"  Now            2 sessions of 3 identities, 0 handshakes under way"_s,
                     u"  Since start    2 sessions opened, 0 closed, 1 handshake failed"_s,
                     u"  Received       5 datagrams (60 B)"_s,
                     u"  Sent           1 datagram (100 B)"_s, u"  Receipts       0 withheld"_s,
                     u"  Log            journal: 12 written, 0 lost, 0 of 16384 waiting"_s,
                     u"  Worker 0       1 session, 0 handshakes, 5 datagrams received, "
                     "0.12 s of CPU"_s}));
    QCOMPARE(block[0].tone, TextLine::Tone::Heading);
    for (const TextLine &line : block.sliced(1))
        QCOMPARE(line.tone, TextLine::Tone::Plain);
}

void TestDtlsctlReport::theNextRestartIsForetold()
{
    StatusAnswer status = StatusAnswer::parse(objectOf(statusLine)).value();
    const auto told = [&status] {
        return texts(statusReport(status)).filter(u"At a restart"_s).join(u'\n');
    };
    status.takenOver = 12;
    QCOMPARE(told(), u"  At a restart   sessions are kept, 12 at the last one"_s);
    status.keepsSessions = false;
    status.takenOver = 0;
    QCOMPARE(told(), u"  At a restart   sessions end"_s);
    status.keepObstacle = u"the store is full"_s;
    QCOMPARE(told(), u"  At a restart   sessions end: the store is full"_s);
}

void TestDtlsctlReport::whatIsWrongStandsOut()
{
    StatusAnswer status = StatusAnswer::parse(objectOf(statusLine)).value();
    status.configFile.clear();
    status.reloadsApplied = 1;
    status.reloadsRejected = 2;
    status.lastReload = u"rejected"_s;
    status.receiptsWithheld = 3;
    status.logLost = 4;
    status.logUnverified = 5;
    status.logStalledSeconds = 11.5;
    status.logObstacle = u"sd_journal_open: Too many open files"_s;
    QStringList warnings;
    for (const TextLine &line : statusReport(status)) {
        if (line.tone == TextLine::Tone::Warning)
            warnings += line.text;
    }
    QCOMPARE(
        warnings,
        (QStringList{u"  Configuration  built-in defaults, reloaded 1 time, rejected 2 times, "
                     "the last time rejected"_s,
                     u"  Receipts       3 withheld"_s,
                     u"  Log            journal: 12 written, 4 lost, 5 not read back, 0 of "
                     "16384 waiting, stalled for 11s"_s,
                     u"  No receipts    entries cannot be read back: sd_journal_open: Too many "
                     "open files"_s}));
    status.logObstacle.clear();
    status.logLosingSeconds = 3;
    status.logLossReason = u"standard output: No space left on device"_s;
    QVERIFY(texts(statusReport(status))
                .contains(u"  No receipts    all entries have been lost for 3.0s: standard output: "
                          "No space left on device"_s));
}

void TestDtlsctlReport::servicesHaveTheirLines()
{
    StatusAnswer status = StatusAnswer::parse(objectOf(statusLine)).value();
    status.forward = {.services = {{u"127.0.0.1:5683"_s, true}, {u"[::1]:\u202e"_s, false}},
                      .sockets = 1,
                      .datagramsToService = 12,
                      .bytesToService = 3400,
                      .datagramsFromService = 1,
                      .bytesFromService = 20,
                      .dropped = {{u"error"_s, 0}}};
    const auto lines = [&status](TextLine::Tone tone) {
        QStringList result;
        for (const TextLine &line : statusReport(status)) {
            if (line.tone == tone)
                result += line.text;
        }
        return result;
    };
    const QStringList plain = lines(TextLine::Tone::Plain);
    QVERIFY(plain.contains(u"  Service        127.0.0.1:5683: reachable"_s));
    QVERIFY(plain.contains(u"  Forwarded      12 datagrams (3.3 KiB) to services, 1 datagram "
                           "(20 B) from services, 1 socket"_s));
    const QString unreachable = u"  Service        [::1]:\\xe2\\x80\\xae: not reachable"_s;
    QCOMPARE(lines(TextLine::Tone::Warning), QStringList{unreachable});
    status.forward.dropped = {{u"error"_s, 0}, {u"not-logged"_s, 3}, {u"refused\u009b"_s, 2}};
    QCOMPARE(lines(TextLine::Tone::Warning),
             (QStringList{unreachable, u"  Not taken      3 not-logged, 2 refused\\xc2\\x9b"_s}));
}

void TestDtlsctlReport::sessionsAreATable()
{
    SessionAnswer handshake = answerAbout({});
    handshake.state = u"handshaking"_s;
    handshake.cipher.clear();
    handshake.connectionId.clear();
    handshake.serviceSource.clear();
    handshake.peer = u"[2001:db8::1]:5683"_s;
    handshake.traffic = {};
    const TextBlock block = sessionsReport({answerAbout("sensor-17"), handshake}, 0);
    QCOMPARE(texts(block).join(u'\n'), QString::fromLatin1(table).trimmed());
    QCOMPARE(block[0].tone, TextLine::Tone::Heading);
}

void TestDtlsctlReport::aTableMayComeInBlocks()
{
    SessionsTable table;
    QVERIFY(!table.isBegun());
    const QStringList first = texts(table.next({answerAbout("ab")}));
    QVERIFY(table.isBegun());
    QCOMPARE(first.size(), 2);
    const QStringList second = texts(table.next({answerAbout("abcdefghijklmn"), answerAbout("a")}));
    QCOMPARE(second.size(), 2); // no headings again
    QVERIFY(second[0].indexOf(u"192.0.2.7") > first[1].indexOf(u"192.0.2.7"));
    QCOMPARE(second[1].indexOf(u"192.0.2.7"), second[0].indexOf(u"192.0.2.7"));
    QCOMPARE(texts(table.next({answerAbout("a")}))[0], second[1]); // columns never shrink
}

void TestDtlsctlReport::theEmptyIdentityIsShown()
{
    const QStringList lines = texts(sessionsReport({answerAbout({})}, 0));
    QVERIFY2(lines[1].contains(u"  \"\"        192.0.2.7:5683"), qPrintable(lines[1]));
}

void TestDtlsctlReport::noSessionsAreSaid()
{
    QCOMPARE(texts(sessionsReport({}, 80)), QStringList{u"No sessions."_s});
}

void TestDtlsctlReport::wideAndCombiningCharactersKeepTheColumns()
{
    const QStringList lines =
        texts(sessionsReport({answerAbout("abcd"), answerAbout("\u6e29\u5ea6"),
                              answerAbout("abce\u0301"), answerAbout("ab")},
                             0));
    const qsizetype column = lines[0].indexOf(u"PEER");
    for (const QString &line : lines.sliced(1))
        QCOMPARE(displayWidth(line.first(line.indexOf(u"192.0.2.7"))), int(column));
}

void TestDtlsctlReport::whatPeersSentCannotDrawOnTheTerminal()
{
    SessionAnswer evil = answerAbout("\x1b[2J\xff\u202e\n");
    evil.cipher = u"\x1b[31m"_s;
    evil.peer = u"\x9b"
                "31m"_s;
    const QStringList lines = texts(sessionsReport({evil}, 0));
    QVERIFY2(lines[1].contains(u"\\x1b[2J\\xff\\xe2\\x80\\xae\\x0a"), qPrintable(lines[1]));
    for (const QChar c : lines[1])
        QVERIFY(c.isPrint());
}

void TestDtlsctlReport::aTableIsCutToTheTerminal()
{
    const QStringList lines = texts(sessionsReport({answerAbout(QByteArray(255, 'x'))}, 60));
    for (const QString &line : lines)
        QCOMPARE(displayWidth(line), 60);
    QVERIFY(lines[1].contains(QString(32, u'x') + u"…  192."_s));
    QVERIFY(texts(sessionsReport({answerAbout(QByteArray(255, 'x'))}, 0))[1].contains(
        QString(255, u'x')));
}

void TestDtlsctlReport::aLongTextIsCut()
{
    SessionAnswer answer = answerAbout("sensor-17");
    answer.local = QString(257, u'x');
    const QString line = texts(sessionsReport({answer}, 0))[1];
    QVERIFY(line.contains(QString(256, u'x') + u'…'));
    QVERIFY(!line.contains(answer.local));
}

void TestDtlsctlReport::aFieldThatIsMissingIsNamed_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<QString>("error");
    const auto without = [](const char *name, QByteArray line, const char *before,
                            const char *after, const char *error) {
        QTest::newRow(name) << line.replace(before, after) << QString::fromLatin1(error);
    };
    without("none", statusLine, "\"version\"", "\"other\"", "it lacks version");
    without("of another type", statusLine, "\"pid\":30", "\"pid\":\"30\"", "it lacks pid");
    without("in a worker", statusLine, "cpu_s", "cpu", "it lacks cpu_s");
    without("in the log", statusLine, "capacity", "size", "it lacks capacity");
    without("in what is forwarded", statusLine, "sockets", "links", "it lacks sockets");
    without("in a service", statusLine, R"("services":[])", R"("services":[{"service":"a"}])",
            "it lacks reachable");
    without("a number of drops", statusLine, R"("refused":0)", R"("refused":"0")",
            "a number of dropped datagrams is none");
    without("in the reloads", statusLine, "\"last\"", "\"latest\"", "it lacks last");
}

void TestDtlsctlReport::aFieldThatIsMissingIsNamed()
{
    QFETCH(QByteArray, line);
    QFETCH(QString, error);
    const auto status = StatusAnswer::parse(objectOf(line));
    QVERIFY(!status.ok());
    QCOMPARE(status.error().message, error);
}

void TestDtlsctlReport::aFrameFitsTheScreen()
{
    const TextBlock block{
        {u"0123456789"_s, TextLine::Tone::Heading}, {u"0123456789a"_s}, {u"c"_s}, {u"d"_s}};
    QCOMPARE(narrow.redrawn(block), "\x1b[H\x1b[K\x1b[1m0123456789\x1b[0m\n"
                                    "\x1b[K012345678\u2026\n\x1b[K\u2026 2 more\n\x1b[J"_ba);
    QCOMPARE(narrow.redrawn({{u"a"_s}, {u"b"_s}, {u"c"_s}}),
             "\x1b[H\x1b[Ka\n\x1b[Kb\n\x1b[Kc\n\x1b[J"_ba);
    QCOMPARE(narrow.redrawn({{u"a"_s}, {u"b"_s}, {u"c"_s}}, 97),
             "\x1b[H\x1b[Ka\n\x1b[Kb\n\x1b[K\u2026 98 more\n\x1b[J"_ba);
    QCOMPARE(narrow.redrawn({{u"a"_s}}, 9), "\x1b[H\x1b[Ka\n\x1b[K\u2026 9 more\n\x1b[J"_ba);
    QCOMPARE(Terminal().redrawn({{u"a"_s}}, 9), "\x1b[H\x1b[Ka\n\x1b[K\u2026 9 more\n\x1b[J"_ba);
}

void TestDtlsctlReport::linesAreColouredOnlyWhereThereAreColours()
{
    const TextBlock block{{u"a"_s, TextLine::Tone::Heading},
                          {u"b"_s, TextLine::Tone::Warning},
                          {u"c"_s, TextLine::Tone::Plain}};
    QCOMPARE(Terminal().printed(block), "a\nb\nc\n"_ba);
    QCOMPARE(narrow.printed(block), "\x1b[1ma\x1b[0m\n\x1b[33mb\x1b[0m\nc\n"_ba);
}

void TestDtlsctlReport::aLineHasNoOtherControlsThanItsColour()
{
    const TextBlock block{{u"a\x1b[2J\u202e"_s, TextLine::Tone::Warning}};
    QCOMPARE(narrow.printed(block), "\x1b[33ma\\x1b[2J\\xe2\\x80\\xae\x1b[0m\n"_ba);
}

DTLSD_TEST(TestDtlsctlReport)
#include "tst_dtlsctlreport.moc"
