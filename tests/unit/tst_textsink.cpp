// SPDX-License-Identifier: Apache-2.0
#include "log/TextSink.h"
#include "support/LogFakes.h"
#include "support/Pipe.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace dtlsd::test;

class TestTextSink : public QObject
{
    Q_OBJECT

private Q_SLOTS:
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
};

DTLSD_TEST(TestTextSink)
#include "tst_textsink.moc"
