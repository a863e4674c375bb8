// SPDX-License-Identifier: Apache-2.0
//
// JournalSink with a real journald that misbehaves: what it says is kept can be read in the
// journal, and what it says is lost cannot.
#include "log/JournalSink.h"

#include "support/JournalInstance.h"
#include "support/LogFakes.h"

#include <QDir>
#include <QFile>
#include <QSet>
#include <QTest>

#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

/// Writes numbered entries through a sink, and remembers what was said of each.
class Writer
{
public:
    void write(int count, qsizetype size = 16)
    {
        for (int i = 0; i < count; ++i) {
            LogRecord record = datagramRecord(QByteArray(size, 'x'));
            record.fields.append(
                {"DTLSD_SEQUENCE", QByteArray::number(++m_written), LogField::Kind::Number});
            m_sink.write(record);
        }
        m_sink.settle(m_outcomes);
    }

    /// false: some are not settled yet, or not by @p deadline.
    bool settle(QDeadlineTimer deadline = QDeadlineTimer(patience))
    {
        return waitUntil(
            [this] {
                m_sink.settle(m_outcomes);
                return std::ssize(m_outcomes) == m_written;
            },
            deadline);
    }

    [[nodiscard]] bool isSettled() const { return std::ssize(m_outcomes) == m_written; }
    [[nodiscard]] qsizetype written() const { return m_written; }
    /// DTLSD_SEQUENCE of the entries of which was said that they are kept.
    [[nodiscard]] QSet<QString> kept() const
    {
        QSet<QString> result;
        for (std::size_t i = 0; i < m_outcomes.size(); ++i) {
            if (m_outcomes[i])
                result << QString::number(i + 1);
        }
        return result;
    }
    [[nodiscard]] int unreadable() const { return m_unreadable; }

private:
    int m_unreadable = 0;
    qsizetype m_written = 0;
    std::vector<bool> m_outcomes;
    JournalSink m_sink{[this] { ++m_unreadable; }};
};

const QString furtherSettings = QStringLiteral("/etc/systemd/journald.conf.d/zzz.conf");

/// Moves this process into the control group of a service, as far as journald can tell.
class AsService
{
public:
    AsService()
    {
        for (const auto *hierarchy : {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
            m_root = QString::fromLatin1(hierarchy);
            m_isOne = QDir().mkpath(m_root + m_group) && moveTo(m_root + m_group);
            if (m_isOne)
                break;
        }
    }
    AsService(const AsService &) = delete;
    AsService &operator=(const AsService &) = delete;
    ~AsService()
    {
        if (m_isOne)
            moveTo(m_root);
        QDir().rmdir(m_root + m_group);
        QDir().rmdir(m_root + m_slice);
    }
    [[nodiscard]] bool isOne() const { return m_isOne; }

private:
    static bool moveTo(const QString &group)
    {
        QFile processes(group + QStringLiteral("/cgroup.procs"));
        return processes.open(QIODevice::WriteOnly | QIODevice::Unbuffered) &&
               processes.write(QByteArray::number(QCoreApplication::applicationPid())) > 0;
    }

    const QString m_slice = QStringLiteral("/dtlsdtest.slice");
    const QString m_group = m_slice + QStringLiteral("/dtlsdtest.service");
    QString m_root;
    bool m_isOne = false;
};

/// DTLSD_SEQUENCE of what is in the journal.
QSet<QString> sequencesIn(JournalInstance &journal)
{
    QSet<QString> result;
    for (const QJsonObject &entry :
         journal.entries({QStringLiteral("DTLSD_EVENT=datagram-received")}, 0))
        result << entry[QStringLiteral("DTLSD_SEQUENCE")].toString();
    return result;
}

} // namespace

class TestKept : public QObject
{
    Q_OBJECT

public:
    TestKept(JournalInstance &journal, QString obstacle)
        : m_journal(journal)
        , m_obstacle(std::move(obstacle))
    {
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (!m_obstacle.isEmpty())
            QSKIP(qPrintable(m_obstacle));
        QVERIFY2(m_journal.start(), qPrintable(m_journal.errorText()));
    }
    void init() { QVERIFY(clear()); }

    void whatWasWrittenIsKept()
    {
        Writer writer;
        for (int i = 0; i < 20; ++i)
            writer.write(100);
        QVERIFY(writer.settle());
        QCOMPARE(writer.kept().size(), writer.written());
        QCOMPARE(sequencesIn(m_journal), writer.kept());
        QCOMPARE(writer.unreadable(), 0);
    }

    void largeEntriesAreKept()
    {
        Writer writer;
        writer.write(3, 16'384);
        writer.write(2, 300'000); // as a file
        QVERIFY(writer.settle());
        QCOMPARE(writer.kept().size(), 5);
    }

    void aRotationInBetweenLosesNothing()
    {
        Writer writer;
        for (int i = 0; i < 10; ++i) {
            writer.write(100);
            QVERIFY(rotate());
        }
        QVERIFY(writer.settle());
        QCOMPARE(writer.kept().size(), writer.written());
    }

    void aStoppedJournaldIsWaitedFor()
    {
        Writer writer;
        m_journal.pause();
        writer.write(3);
        QVERIFY(!writer.settle(QDeadlineTimer(200)));
        QVERIFY(writer.kept().isEmpty());
        m_journal.resume();
        QVERIFY(writer.settle());
        QCOMPARE(writer.kept().size(), 3);
    }

    void aKilledJournaldKeepsWhatItsSuccessorFinds()
    {
        Writer writer;
        for (int i = 0; i < 20; ++i) {
            m_journal.pause();
            writer.write(5);
            m_journal.resume();
            m_journal.kill(); // somewhere among them
            QVERIFY2(m_journal.launch(), qPrintable(m_journal.errorText()));
        }
        QVERIFY(writer.settle());
        QCOMPARE(sequencesIn(m_journal), writer.kept());
        // All but those that it had in its hands: the sockets outlive it.
        QVERIFY2(writer.kept().size() >= writer.written() - 20,
                 qPrintable(QString::number(writer.kept().size())));
    }

    void aFullDiskKeepsNothingAndRoomOnItIsUsedAgain()
    {
        Writer writer;
        QFile filler(JournalInstance::journalDirectory() + QStringLiteral("/filler"));
        QVERIFY(filler.open(QIODevice::WriteOnly | QIODevice::Unbuffered));
        while (filler.write(QByteArray(65'536, '.')) > 0) { // the disk is small
        }
        for (int i = 0; i < 40; ++i)
            writer.write(50, 4'000);
        QVERIFY(writer.settle());
        QVERIFY(writer.kept().size() < writer.written());
        QCOMPARE(sequencesIn(m_journal), writer.kept());

        QVERIFY(filler.remove());
        const qsizetype before = writer.kept().size();
        writer.write(10);
        QVERIFY(writer.settle());
        QCOMPARE(writer.kept().size(), before + 10);
        QCOMPARE(sequencesIn(m_journal), writer.kept());
    }

    void aRateLimitKeepsWhatItLetsThrough()
    {
        QVERIFY(relaunch("RateLimitIntervalSec=1h\nRateLimitBurst=20\n"));
        const AsService asService; // nobody else has a rate
        if (!asService.isOne())
            QSKIP("the control group of a service cannot be made here");
        Writer writer;
        for (int i = 0; i < 20; ++i)
            writer.write(100);
        QVERIFY(writer.settle());
        QVERIFY(!writer.kept().isEmpty());
        QVERIFY(writer.kept().size() < writer.written());
        QCOMPARE(sequencesIn(m_journal), writer.kept());
    }

    void aJournalThatCannotBeReadIsSaidOnceAndTaken()
    {
        // What this journald takes goes elsewhere, if anywhere.
        QVERIFY(relaunch("Storage=none\n"));
        Writer writer;
        writer.write(10);
        QVERIFY(writer.settle());
        writer.write(10);
        QVERIFY(writer.settle());
        QCOMPARE(writer.kept().size(), 20);
        QCOMPARE(writer.unreadable(), 1);
    }

private:
    /// A new journald with an empty journal.
    bool clear()
    {
        m_journal.kill();
        m_journal.forget();
        QFile::remove(furtherSettings);
        return m_journal.launch();
    }

    /// A new journald with @p settings, until the next test.
    bool relaunch(const QByteArray &settings)
    {
        QFile file(furtherSettings);
        if (!file.open(QIODevice::WriteOnly) || file.write("[Journal]\n" + settings) < 0)
            return false;
        file.close();
        m_journal.kill();
        return m_journal.launch();
    }

    bool rotate()
    {
        ChildProcess process;
        return process.run({QStringLiteral("journalctl"), {QStringLiteral("--rotate")}}) &&
               process.waitForEnd() && process.exitCode() == 0;
    }

    JournalInstance &m_journal;
    const QString m_obstacle;
};

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    // Small files, so that many fit on the small disk; nothing is vacuumed before that is full.
    JournalInstance journal(
        {.settings = "RuntimeMaxUse=1G\nRuntimeKeepFree=1\nRuntimeMaxFileSize=1M",
         .journalSize = "48m",
         .holdsSockets = true});
    QString obstacle;
    if (JournalInstance::isAvailable(&obstacle) && !journal.enter())
        obstacle = journal.errorText();
    TestKept test(journal, obstacle);
    return QTest::qExec(&test, argc, argv);
}

#include "tst_kept.moc"
