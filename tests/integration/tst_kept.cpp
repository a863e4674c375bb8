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

#include <algorithm>
#include <functional>
#include <vector>

#include <sys/uio.h>
#include <sys/wait.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

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
    [[nodiscard]] QSet<QString> kept() const { return with(Fate::Kept); }
    [[nodiscard]] QSet<QString> lost() const { return with(Fate::Lost); }
    [[nodiscard]] qsizetype unverified() const
    {
        return std::count(m_outcomes.begin(), m_outcomes.end(), Fate::Unverified);
    }
    [[nodiscard]] std::string obstacle() const { return m_sink.obstacle(); }
    /// Whether the sink itself notices, without entries, that they can be read back.
    bool recovers()
    {
        return waitUntil(
            [this] {
                m_sink.settle(m_outcomes);
                return m_sink.obstacle().empty();
            },
            QDeadlineTimer(patience));
    }

private:
    [[nodiscard]] QSet<QString> with(Fate fate) const
    {
        QSet<QString> result;
        for (std::size_t i = 0; i < m_outcomes.size(); ++i) {
            if (m_outcomes[i] == fate)
                result << QString::number(i + 1);
        }
        return result;
    }

    qsizetype m_written = 0;
    std::vector<Fate> m_outcomes;
    JournalSink m_sink{{.time = 100ms, .entries = 1000}};
};

/// Does @p first as this user and @p what as another one, in a process of its own.
bool asNobody(const std::function<void()> &first, const std::function<void()> &what)
{
    const pid_t child = fork();
    if (child == 0) {
        first();
        constexpr uid_t nobody = 65534;
        if (setresgid(nobody, nobody, nobody) != 0 || setresuid(nobody, nobody, nobody) != 0)
            _exit(1);
        what();
        _exit(0);
    }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/// Sends an entry with these fields, `NAME=value`; ends the process if it cannot.
void sendEntry(const QList<QByteArray> &fields)
{
    std::vector<iovec> parts;
    for (const QByteArray &field : fields)
        parts.push_back(
            {const_cast<char *>(field.constData()), static_cast<std::size_t>(field.size())});
    if (sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) != 0)
        _exit(1);
}

/// All that a client has set in @p entry, with @p sequence instead of its own.
QList<QByteArray> copyOf(const QJsonObject &entry, const QByteArray &sequence)
{
    QList<QByteArray> fields;
    for (auto field = entry.begin(); field != entry.end(); ++field) {
        const QByteArray name = field.key().toLatin1();
        if (!name.startsWith('_'))
            fields << name + '=' +
                          (name == "DTLSD_SEQUENCE" ? sequence
                                                    : JournalInstance::bytes(field.value()));
    }
    return fields;
}

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
    /// For this process alone.
    void leave() const { moveTo(m_root); }

private:
    static bool moveTo(const QString &group)
    {
        QFile processes(group + QStringLiteral("/cgroup.procs"));
        return processes.open(QIODevice::WriteOnly | QIODevice::Unbuffered) &&
               processes.write(QByteArray::number(getpid())) > 0;
    }

    const QString m_slice = QStringLiteral("/dtlsdtest%1.slice").arg(getpid());
    const QString m_group = m_slice + QStringLiteral("/dtlsdtest.service");
    QString m_root;
    bool m_isOne = false;
};

/// DTLSD_SEQUENCE of what this process has in the journal.
QSet<QString> sequencesIn(JournalInstance &journal)
{
    QSet<QString> result;
    for (const QJsonObject &entry :
         journal.entries({QStringLiteral("DTLSD_EVENT=datagram-received"),
                          QStringLiteral("_PID=%1").arg(QCoreApplication::applicationPid())},
                         0))
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
        QCOMPARE(writer.obstacle(), std::string());
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
        // A journald that takes long to come back leaves some unverified, which may be there.
        const QSet<QString> there = sequencesIn(m_journal);
        QVERIFY(!writer.kept().isEmpty());
        QVERIFY(there.contains(writer.kept()));
        QVERIFY(!there.intersects(writer.lost()));
        // No more than those that it had in its hands: the sockets outlive it.
        QVERIFY2(writer.written() - there.size() <= 20, qPrintable(QString::number(there.size())));
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
        QVERIFY(writer.recovers());
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

    void whatIsKeptNowhereIsNotVerified()
    {
        // What this journald takes goes elsewhere, if anywhere.
        QVERIFY(relaunch("Storage=none\n"));
        Writer writer;
        writer.write(10);
        QVERIFY(writer.settle());
        writer.write(10);
        QVERIFY(writer.settle());
        QCOMPARE(writer.unverified(), 20);
        QVERIFY(!writer.obstacle().empty());

        QVERIFY(clear());
        writer.write(1); // which the sink learns from, although it may be too late for this one
        QVERIFY(writer.settle());
        QVERIFY(writer.recovers());
        const qsizetype before = writer.kept().size();
        writer.write(10);
        QVERIFY(writer.settle());
        QCOMPARE(writer.kept().size(), before + 10);
        QVERIFY(sequencesIn(m_journal).contains(writer.kept()));
    }

    void whatWasVacuumedIsPassedOver()
    {
        Writer writer;
        for (int i = 0; i < 5; ++i) {
            writer.write(20);
            QVERIFY(writer.settle());
            QVERIFY(journalctl({QStringLiteral("--rotate"), QStringLiteral("--vacuum-files=1")}));
        }
        QCOMPARE(writer.kept().size(), 100);
        m_journal.kill();
        m_journal.forget();
        QVERIFY(m_journal.launch());
        writer.write(20);
        QVERIFY(writer.settle());
        QCOMPARE(writer.kept().size(), 120);
    }

    void entriesOfAnotherUserDoNotCount()
    {
        QVERIFY(relaunch("RateLimitIntervalSec=1h\nRateLimitBurst=20\n"));
        const AsService asService; // nobody else has a rate
        if (!asService.isOne())
            QSKIP("the control group of a service cannot be made here");
        Writer writer;
        writer.write(1);
        QVERIFY(writer.settle());
        const QJsonObject known = ownEntries().constFirst();
        QVERIFY(known.contains(QStringLiteral("DTLSD_NONCE")));
        // This user has read all that our entry has, and knows the next ones.
        for (int i = 0; i < 10; ++i) {
            QVERIFY(asNobody([&] { asService.leave(); },
                             [&] {
                                 for (int next = 2 + 10 * i; next < 12 + 10 * i; ++next)
                                     sendEntry(copyOf(known, QByteArray::number(next)));
                             }));
            writer.write(10);
        }
        QVERIFY(writer.settle());
        const QStringList forged{QStringLiteral("DTLSD_EVENT=datagram-received"),
                                 QStringLiteral("_UID=65534")};
        QCOMPARE(m_journal.entries(forged, 0).size(), 100);
        QVERIFY(writer.kept().size() < 100);
        QCOMPARE(sequencesIn(m_journal), writer.kept());
    }

    void entriesOfAnotherUserDoNotStopUs()
    {
        Writer writer;
        writer.write(1);
        QVERIFY(writer.settle());
        const QJsonObject known = ownEntries().constFirst();
        for (int round = 0; round < 5; ++round) {
            QVERIFY(asNobody([] {},
                             [&] {
                                 for (int i = 0; i < 4000; ++i)
                                     sendEntry(copyOf(known, "0"));
                             }));
            writer.write(10);
            QVERIFY(writer.settle());
        }
        QCOMPARE(writer.kept().size(), 51);
        QCOMPARE(writer.obstacle(), std::string());
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

    bool rotate() { return journalctl({QStringLiteral("--rotate")}); }

    static bool journalctl(const QStringList &arguments)
    {
        ChildProcess process;
        return process.run({QStringLiteral("journalctl"), arguments}) && process.waitForEnd() &&
               process.exitCode() == 0;
    }

    JournalInstance::Entries ownEntries()
    {
        return m_journal.entries({QStringLiteral("DTLSD_EVENT=datagram-received")}, 1);
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
