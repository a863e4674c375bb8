// SPDX-License-Identifier: Apache-2.0
#include "log/JournalSink.h"
#include "log/JsonSink.h"
#include "log/SinkChoice.h"
#include "log/TextSink.h"
#include "support/TestProgram.h"

#include <array>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace dtlsd;

namespace {

QByteArray journalStreamOf(int fd)
{
    struct stat status = {};
    fstat(fd, &status);
    return QByteArray::number(quint64{status.st_dev}) + ':' +
           QByteArray::number(quint64{status.st_ino});
}

} // namespace

class TestSinkChoice : public QObject
{
    Q_OBJECT

private Q_SLOTS:
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

DTLSD_TEST(TestSinkChoice)
#include "tst_sinkchoice.moc"
