// SPDX-License-Identifier: Apache-2.0
//
// Lines in a pipe or a file, and what becomes of them where nobody takes them.
#include "log/JsonSink.h"
#include "log/LineWriter.h"
#include "log/TextSink.h"
#include "support/LogFakes.h"
#include "support/Pipe.h"
#include "support/TestProgram.h"

#include <QFile>
#include <QTemporaryDir>

#include <csignal>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

class TestLineWriter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { (void)std::signal(SIGPIPE, SIG_IGN); }

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
};

DTLSD_TEST(TestLineWriter)
#include "tst_linewriter.moc"
