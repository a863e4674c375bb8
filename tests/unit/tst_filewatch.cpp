// SPDX-License-Identifier: Apache-2.0
//
// Which changes of files are noticed, each once.
#include "app/FileWatch.h"
#include "support/ChildProcess.h"
#include "support/ClusterVolume.h"
#include "support/TestProgram.h"

#include <QDateTime>
#include <QSignalSpy>

#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

class TestFileWatch : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void aSwitchedLinkIsNoticed();
    void aFileThatChangesInItsPlaceIsNoticed();
    void aFileThatIsReplacedIsNoticed();
    void aFileThatComesAndGoesIsNoticed();
    void twoFilesAreOneChange();
    void whatChangesBetweenTwoLooksIsNotForgotten();
    void aFileIsToldOnceItHasStayedTheSame();
    void aFileThatIsStillWrittenHoldsBackTheOthers();
    void withoutAnIntervalNothingIsNoticed();

private:
    /// Whether exactly one more change was told, and no other after further looks.
    bool noticesOne();
    void write(const QString &name, const QByteArray &content)
    {
        QFile file(m_folder.filePath(name));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(content) == content.size());
    }

    QTemporaryDir m_folder{};
    std::unique_ptr<FileWatch> m_watch;
    std::unique_ptr<QSignalSpy> m_changes;
};

void TestFileWatch::init()
{
    m_watch = std::make_unique<FileWatch>();
    m_changes = std::make_unique<QSignalSpy>(m_watch.get(), &FileWatch::changed);
    m_watch->setInterval(1ms);
    write(u"a"_s, "1");
    write(u"b"_s, "1");
}

bool TestFileWatch::noticesOne()
{
    const qsizetype before = m_changes->size();
    waitUntil([&] { return m_changes->size() > before; }, QDeadlineTimer(patience));
    // A timer of the same length has been due as often as that of the watch.
    int looks = 0;
    QTimer timer;
    connect(&timer, &QTimer::timeout, this, [&looks] { ++looks; });
    timer.start(1ms);
    waitUntil([&looks] { return looks >= 5; }, QDeadlineTimer(patience));
    return m_changes->size() == before + 1;
}

void TestFileWatch::aSwitchedLinkIsNoticed()
{
    ClusterVolume volume;
    QVERIFY(volume.update({{u"psk.txt"_s, "a:00"}}));
    m_watch->setFiles({volume.path(u"psk.txt"_s)});
    QVERIFY(volume.update({{u"psk.txt"_s, "a:01"}}));
    QVERIFY(noticesOne());
    QVERIFY(volume.update({{u"psk.txt"_s, "a:02"}}));
    QVERIFY(noticesOne());
}

void TestFileWatch::aFileThatChangesInItsPlaceIsNoticed()
{
    // The kernel's clock for files goes in steps of some milliseconds.
    QFile file(m_folder.filePath(u"a"_s));
    QVERIFY(file.open(QIODevice::ReadWrite));
    QVERIFY(file.setFileTime(QDateTime::fromSecsSinceEpoch(1), QFileDevice::FileModificationTime));
    file.close();
    m_watch->setFiles({m_folder.filePath(u"a"_s)});
    write(u"a"_s, "2"); // of the same size
    QVERIFY(noticesOne());
}

void TestFileWatch::aFileThatIsReplacedIsNoticed()
{
    m_watch->setFiles({m_folder.filePath(u"a"_s)});
    QCOMPARE(::rename(QFile::encodeName(m_folder.filePath(u"b"_s)).constData(),
                      QFile::encodeName(m_folder.filePath(u"a"_s)).constData()),
             0);
    QVERIFY(noticesOne());
}

void TestFileWatch::aFileThatComesAndGoesIsNoticed()
{
    m_watch->setFiles({m_folder.filePath(u"c"_s)});
    write(u"c"_s, "1");
    QVERIFY(noticesOne());
    QVERIFY(QFile::remove(m_folder.filePath(u"c"_s)));
    QVERIFY(noticesOne());
}

void TestFileWatch::twoFilesAreOneChange()
{
    m_watch->setFiles({m_folder.filePath(u"a"_s), m_folder.filePath(u"b"_s)});
    write(u"a"_s, "22");
    write(u"b"_s, "22");
    QVERIFY(noticesOne());
}

void TestFileWatch::whatChangesBetweenTwoLooksIsNotForgotten()
{
    m_watch->setFiles({m_folder.filePath(u"a"_s)});
    write(u"a"_s, "22");
    m_watch->setFiles({m_folder.filePath(u"a"_s), m_folder.filePath(u"b"_s)});
    QVERIFY(noticesOne());
}

/// As a slow copy writes it: told half-way, its end would be missing.
void TestFileWatch::aFileIsToldOnceItHasStayedTheSame()
{
    m_watch->setInterval(0ms); // looks when it is told to
    m_watch->setFiles({m_folder.filePath(u"a"_s)});
    for (const char *content : {"", "a:0", "a:00\nb:0", "a:00\nb:00\n"}) {
        write(u"a"_s, content);
        m_watch->look();
        QVERIFY2(m_changes->isEmpty(), content);
    }
    m_watch->look();
    QCOMPARE(m_changes->size(), 1);
    m_watch->look();
    QCOMPARE(m_changes->size(), 1);
}

/// All of them are read together.
void TestFileWatch::aFileThatIsStillWrittenHoldsBackTheOthers()
{
    m_watch->setInterval(0ms);
    m_watch->setFiles({m_folder.filePath(u"a"_s), m_folder.filePath(u"b"_s)});
    write(u"a"_s, "22");
    m_watch->look();
    write(u"b"_s, "22");
    m_watch->look();
    QVERIFY(m_changes->isEmpty());
    m_watch->look();
    QCOMPARE(m_changes->size(), 1);
}

void TestFileWatch::withoutAnIntervalNothingIsNoticed()
{
    m_watch->setFiles({m_folder.filePath(u"a"_s)});
    m_watch->setInterval(0ms);
    write(u"a"_s, "22");
    FileWatch other;
    QSignalSpy otherChanges(&other, &FileWatch::changed);
    other.setFiles({m_folder.filePath(u"a"_s)});
    other.setInterval(1ms);
    write(u"a"_s, "333");
    QVERIFY(otherChanges.wait(qtPatience));
    QVERIFY(m_changes->isEmpty());
}

DTLSD_TEST(TestFileWatch)
#include "tst_filewatch.moc"
