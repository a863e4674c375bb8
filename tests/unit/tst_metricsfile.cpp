// SPDX-License-Identifier: Apache-2.0
#include "control/Metrics.h"
#include "control/MetricsFile.h"
#include "support/TestProgram.h"

#include <QDir>
#include <QFile>
#include <QScopeGuard>
#include <QTemporaryDir>

#include <functional>
#include <optional>
#include <vector>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace dtlsd;
using namespace std::chrono_literals;

namespace {

/// A file that a test lets be written when it likes, in a folder that goes with it.
struct FileBench
{
    explicit FileBench(std::chrono::milliseconds interval = 1h)
        : file(
              [this](const auto &then) {
                  ++asked;
                  if (!answers)
                      return then(Error{QStringLiteral("worker 1 does not answer")});
                  if (isSlow)
                      later.push_back([this, then] { then(state); });
                  else
                      then(state);
              },
              [this](const QString &what) { warnings += what; }, interval)
    {
    }

    [[nodiscard]] QString path(const QString &name = QStringLiteral("dtlsd.prom")) const
    {
        return folder.filePath(name);
    }
    /// Nothing: it is not there.
    [[nodiscard]] std::optional<QByteArray> content(const QString &name = {}) const
    {
        QFile reader(name.isEmpty() ? path() : name);
        return reader.open(QIODevice::ReadOnly) ? std::optional(reader.readAll()) : std::nullopt;
    }
    [[nodiscard]] QStringList files() const
    {
        return QDir(folder.path()).entryList(QDir::Files | QDir::Hidden);
    }

    QTemporaryDir folder;
    DaemonState state;
    bool answers = true;
    bool isSlow = false; // answers by a call of `later`
    std::vector<std::function<void()>> later;
    int asked = 0;
    QStringList warnings;
    MetricsFile file;
};

/// No file can grow beyond @p bytes, as if the disk were full.
auto limitFiles(rlim_t bytes)
{
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit limited{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limited);
    auto *const handler = signal(SIGXFSZ, SIG_IGN);
    return qScopeGuard([before, handler] {
        setrlimit(RLIMIT_FSIZE, &before);
        static_cast<void>(signal(SIGXFSZ, handler));
    });
}

} // namespace

class TestMetricsFile : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void itIsWrittenAtOnceForEverybodyToRead();
    void itIsReplacedEachInterval();
    void withoutAPathNothingIsAskedOrWritten();
    void aNewPathTakesTheOldFileAway();
    void aFailureIsWarnedAboutOnceUntilItWorksAgain();
    void aTextThatDoesNotFitLeavesTheOldOne();
    void aFileOfSomebodyElseStays();
    void aDaemonThatDoesNotAnswerLetsItGrowOld();
    void anAnswerThatComesLateIsWrittenWhereItBelongsNow();
};

void TestMetricsFile::itIsWrittenAtOnceForEverybodyToRead()
{
    FileBench bench;
    const mode_t before = umask(0077);
    const auto restore = qScopeGuard([before] { umask(before); });
    bench.file.setPath(bench.path());
    QCOMPARE(bench.content(), metricsText(bench.state));
    struct stat status = {};
    QCOMPARE(stat(qPrintable(bench.path()), &status), 0);
    QCOMPARE(status.st_mode & 07777U, 0644U);
    QCOMPARE(bench.files(), QStringList{QStringLiteral("dtlsd.prom")});
}

void TestMetricsFile::itIsReplacedEachInterval()
{
    FileBench bench(5ms);
    bench.file.setPath(bench.path());
    const QByteArray first = metricsText(bench.state);
    QFile reader(bench.path());
    QVERIFY(reader.open(QIODevice::ReadOnly));
    bench.state.identities = 1;
    QTRY_COMPARE(bench.content(), metricsText(bench.state));
    bench.state.identities = 2;
    QTRY_COMPARE(bench.content(), metricsText(bench.state));
    QCOMPARE(reader.readAll(), first); // who has it open sees all of what it was
}

void TestMetricsFile::withoutAPathNothingIsAskedOrWritten()
{
    FileBench bench(1ms);
    bench.file.setPath({});
    bench.file.setPath(bench.path());
    bench.file.setPath({});
    const int before = bench.asked;
    FileBench clock(1ms);
    clock.file.setPath(clock.path());
    QTRY_VERIFY(clock.asked > 10); // several intervals
    QCOMPARE(bench.asked, before);
    QCOMPARE(bench.files(), QStringList());
    QCOMPARE(bench.warnings, QStringList());
}

void TestMetricsFile::aNewPathTakesTheOldFileAway()
{
    FileBench bench;
    bench.file.setPath(bench.path());
    bench.file.setPath(bench.path(QStringLiteral("other.prom")));
    QCOMPARE(bench.files(), QStringList{QStringLiteral("other.prom")});
    bench.file.setPath({});
    QCOMPARE(bench.files(), QStringList());
}

void TestMetricsFile::aFailureIsWarnedAboutOnceUntilItWorksAgain()
{
    FileBench bench;
    const QString path = bench.path(QStringLiteral("sub/dtlsd.prom"));
    const QString missing =
        QStringLiteral("[control] metrics_file: cannot write %1: No such file or directory")
            .arg(path);
    for (int i = 0; i < 3; ++i)
        bench.file.setPath(path);
    QCOMPARE(bench.warnings, QStringList{missing});

    QVERIFY(QDir(bench.folder.path()).mkdir(QStringLiteral("sub")));
    {
        const auto limited = limitFiles(10);
        for (int i = 0; i < 3; ++i)
            bench.file.setPath(path);
        QCOMPARE(bench.warnings.size(), 2); // another kind
        QVERIFY2(bench.warnings[1].endsWith(QStringLiteral(": File too large")),
                 qPrintable(bench.warnings[1]));
    }
    bench.file.setPath(path);
    QCOMPARE(bench.content(path), metricsText(bench.state));
    QVERIFY(QDir(bench.path(QStringLiteral("sub"))).removeRecursively());
    bench.file.setPath(path);
    QCOMPARE(bench.warnings.size(), 3);
    QCOMPARE(bench.warnings[2], missing);
}

void TestMetricsFile::aTextThatDoesNotFitLeavesTheOldOne()
{
    FileBench bench;
    bench.file.setPath(bench.path());
    const QByteArray first = metricsText(bench.state);
    bench.state.identities = 1;
    const auto limited = limitFiles(1000);
    bench.file.setPath(bench.path());
    QCOMPARE(bench.warnings.size(), 1);
    QCOMPARE(bench.content(), first);
    QCOMPARE(bench.files(), QStringList{QStringLiteral("dtlsd.prom")});
}

void TestMetricsFile::aFileOfSomebodyElseStays()
{
    FileBench bench;
    QFile precious(bench.path());
    QVERIFY(precious.open(QIODevice::WriteOnly) && precious.write("precious") > 0);
    precious.close();
    {
        const auto limited = limitFiles(10);
        bench.file.setPath(bench.path());
    }
    bench.file.setPath({});
    QCOMPARE(bench.content(), "precious");
}

void TestMetricsFile::aDaemonThatDoesNotAnswerLetsItGrowOld()
{
    FileBench bench;
    bench.file.setPath(bench.path());
    const auto before = bench.content();
    bench.answers = false;
    bench.state.identities = 1;
    bench.file.setPath(bench.path());
    QCOMPARE(bench.asked, 2);
    QCOMPARE(bench.content(), before);
    QCOMPARE(bench.warnings, QStringList());
}

void TestMetricsFile::anAnswerThatComesLateIsWrittenWhereItBelongsNow()
{
    FileBench bench;
    bench.isSlow = true;
    const QString other = bench.path(QStringLiteral("other.prom"));
    bench.file.setPath(bench.path());
    bench.file.setPath(other);
    QCOMPARE(bench.files(), QStringList());
    bench.later[0]();
    QCOMPARE(bench.files(), QStringList{QStringLiteral("other.prom")});
    bench.file.setPath({}); // the daemon stops
    bench.later[1]();
    QCOMPARE(bench.files(), QStringList());
}

DTLSD_TEST(TestMetricsFile)
#include "tst_metricsfile.moc"
