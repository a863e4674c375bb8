// SPDX-License-Identifier: Apache-2.0
//
// JournalInstance: what other tests rely on when they say "it is in the journal".
#include "support/JournalInstance.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTest>

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

using namespace dtlsd::test;

class tst_SupportJournal : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void anEntryReadsBackAsItWasWritten();
    void bytesThatAreNotTextReadBack();
    void entriesAreNotLimited();
    void aPausedJournalTakesNothingUntilItResumes();
    void whatAKilledJournaldWroteIsStillThere();
    void aNamespaceIsAJournalOfItsOwn();
    void theHostSeesNothing();
    void theEndLeavesNoProcess();

private:
    void log(const QByteArray &fields);
    static void write(const Command &logger, const QByteArray &fields);

    std::unique_ptr<JournalInstance> m_journal;
};

void tst_SupportJournal::initTestCase()
{
    QString why;
    if (!JournalInstance::isAvailable(&why))
        QSKIP(qPrintable(why));
}

void tst_SupportJournal::init()
{
    m_journal = std::make_unique<JournalInstance>();
    QVERIFY2(m_journal->start(), qPrintable(m_journal->errorText()));
}

void tst_SupportJournal::write(const Command &logger, const QByteArray &fields)
{
    ChildProcess process;
    QVERIFY(process.run(logger));
    process.write(fields);
    process.closeWriteChannel();
    QVERIFY(process.waitForEnd());
    QCOMPARE(process.exitCode(), 0);
}

void tst_SupportJournal::log(const QByteArray &fields)
{
    write(m_journal->wrap({QStringLiteral("logger"), {QStringLiteral("--journald")}}), fields);
}

void tst_SupportJournal::anEntryReadsBackAsItWasWritten()
{
    log("MESSAGE=one\nDTLSD_EVENT=test\n");
    log("MESSAGE=other\nDTLSD_EVENT=other\n");
    log("MESSAGE=two\nDTLSD_EVENT=test\n");
    const auto entries = m_journal->entries({QStringLiteral("DTLSD_EVENT=test")}, 2);
    QCOMPARE(entries.size(), 2);
    QCOMPARE(entries[0][u"MESSAGE"].toString(), QStringLiteral("one"));
    QCOMPARE(entries[1][u"MESSAGE"].toString(), QStringLiteral("two"));
}

void tst_SupportJournal::bytesThatAreNotTextReadBack()
{
    const QByteArray payload = QByteArray(5000, 'x') + "\xff\x01";
    log("MESSAGE=bytes\nDTLSD_PAYLOAD=" + payload + "\n");
    const auto entries = m_journal->entries({QStringLiteral("MESSAGE=bytes")}, 1);
    QCOMPARE(entries.size(), 1);
    QCOMPARE(JournalInstance::bytes(entries[0][u"DTLSD_PAYLOAD"]), payload);
    QCOMPARE(JournalInstance::bytes(entries[0][u"MESSAGE"]), QByteArray("bytes"));
}

void tst_SupportJournal::entriesAreNotLimited()
{
    // journald's own limit would be 10,000 entries in 30 s and a service.
    constexpr int count = 20'000;
    ChildProcess logger;
    QVERIFY(logger.run(m_journal->wrap(
        {QStringLiteral("logger"),
         {QStringLiteral("--socket"), QStringLiteral("/run/systemd/journal/dev-log"),
          QStringLiteral("--tag"), QStringLiteral("many")}})));
    for (int i = 0; i < count; ++i)
        logger.write("line " + QByteArray::number(i) + '\n');
    logger.closeWriteChannel();
    QVERIFY(logger.waitForEnd());
    const auto entries = m_journal->entries({QStringLiteral("SYSLOG_IDENTIFIER=many")}, count);
    QCOMPARE(entries.size(), count);
    QCOMPARE(entries.last()[u"MESSAGE"].toString(), QStringLiteral("line %1").arg(count - 1));
}

void tst_SupportJournal::aPausedJournalTakesNothingUntilItResumes()
{
    const QStringList matches{QStringLiteral("MESSAGE=late")};
    m_journal->pause();
    log("MESSAGE=late\n");
    QVERIFY(m_journal->entries(matches, 0).isEmpty());
    m_journal->resume();
    QCOMPARE(m_journal->entries(matches, 1).size(), 1);
}

void tst_SupportJournal::whatAKilledJournaldWroteIsStillThere()
{
    log("MESSAGE=before\n");
    QCOMPARE(m_journal->entries({QStringLiteral("MESSAGE=before")}, 1).size(), 1);
    m_journal->kill();
    QCOMPARE(m_journal->entries({QStringLiteral("MESSAGE=before")}, 1).size(), 1);
    QVERIFY2(m_journal->launch(), qPrintable(m_journal->errorText()));
    log("MESSAGE=after\n");
    const QStringList either{QStringLiteral("MESSAGE=before"), QStringLiteral("MESSAGE=after")};
    QCOMPARE(m_journal->entries(either, 2).size(), 2);
}

void tst_SupportJournal::aNamespaceIsAJournalOfItsOwn()
{
    const QString name = QStringLiteral("apart");
    QVERIFY2(m_journal->launchNamespace(name), qPrintable(m_journal->errorText()));
    log("MESSAGE=outside\nDTLSD_EVENT=test\n");
    write(m_journal->wrapInNamespace(name,
                                     {QStringLiteral("logger"), {QStringLiteral("--journald")}}),
          "MESSAGE=inside\nDTLSD_EVENT=test\n");
    const auto read = [&](const QStringList &arguments) {
        ChildProcess journalctl;
        const bool ended =
            journalctl.run(m_journal->wrap({QStringLiteral("journalctl"), arguments})) &&
            journalctl.waitForEnd();
        return ended ? journalctl.readAllStandardOutput() : QByteArray();
    };
    const QString where = QStringLiteral("--namespace=apart");
    const QStringList which{QStringLiteral("--output=cat"), QStringLiteral("DTLSD_EVENT=test")};
    read({where, QStringLiteral("--sync")});
    QCOMPARE(read(QStringList{where} + which), "inside\n");
    QCOMPARE(m_journal->entries({QStringLiteral("DTLSD_EVENT=test")}, 1).size(), 1);
    QCOMPARE(read(which), "outside\n");
}

void tst_SupportJournal::theHostSeesNothing()
{
    QFile file(m_journal->outsidePath(QStringLiteral("/run/only-inside")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    QVERIFY(!QFileInfo::exists(QStringLiteral("/run/only-inside")));
    QVERIFY(!QFileInfo::exists(QStringLiteral("/etc/systemd/journald.conf.d/zz-test.conf")));
}

void tst_SupportJournal::theEndLeavesNoProcess()
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

QTEST_GUILESS_MAIN(tst_SupportJournal)
#include "tst_support_journal.moc"
