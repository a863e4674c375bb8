// SPDX-License-Identifier: Apache-2.0
//
// What no other test would notice of a JournalInstance: that it leaves the host alone.
#include "support/JournalInstance.h"
#include "support/TestProgram.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

using namespace dtlsd::test;

class TestJournalInstance : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void theHostSeesNothing();
    void theEndLeavesNoProcess();

private:
    std::unique_ptr<JournalInstance> m_journal;
};

void TestJournalInstance::initTestCase()
{
    QString why;
    if (!JournalInstance::isAvailable(&why))
        QSKIP(qPrintable(why));
}

void TestJournalInstance::init()
{
    m_journal = std::make_unique<JournalInstance>();
    QVERIFY2(m_journal->start(), qPrintable(m_journal->errorText()));
}

void TestJournalInstance::theHostSeesNothing()
{
    QFile file(m_journal->outsidePath(QStringLiteral("/run/only-inside")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    QVERIFY(!QFileInfo::exists(QStringLiteral("/run/only-inside")));
    QVERIFY(!QFileInfo::exists(QStringLiteral("/etc/systemd/journald.conf.d/zz-test.conf")));
}

void TestJournalInstance::theEndLeavesNoProcess()
{
    ChildProcess readlink;
    QVERIFY(readlink.run(
        m_journal->wrap({QStringLiteral("readlink"), {QStringLiteral("/proc/self/ns/mnt")}})));
    QVERIFY(readlink.waitForEnd());
    const std::string space = readlink.readAllStandardOutput().trimmed().toStdString();
    QVERIFY(!space.empty());
    const auto inside = [&space] {
        int count = 0;
        for (const QString &name : QDir(QStringLiteral("/proc")).entryList(QDir::Dirs)) {
            std::error_code gone;
            const auto link = QStringLiteral("/proc/%1/ns/mnt").arg(name).toStdString();
            count += std::filesystem::read_symlink(link, gone) == space ? 1 : 0;
        }
        return count;
    };
    QCOMPARE(inside(), 2); // the holder and journald
    m_journal.reset();
    QCOMPARE(inside(), 0);
}

DTLSD_TEST(TestJournalInstance)
#include "tst_journalinstance.moc"
