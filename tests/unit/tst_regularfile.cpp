// SPDX-License-Identifier: Apache-2.0
//
// What is refused as a file of the configuration: by mode, by kind, by size.
#include "support/KeyFolder.h"
#include "support/TestProgram.h"

#include <QDir>

#include <sys/stat.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;

class TestRegularFile : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void modes_data();
    void modes();
    void noOrdinaryFile_data();
    void noOrdinaryFile();
    void hugeFilesAreRefused();

private:
    KeyFolder m_folder;
};

void TestRegularFile::modes_data()
{
    QTest::addColumn<unsigned>("mode");
    QTest::addColumn<bool>("accepted");
    QTest::newRow("for its owner") << 0400u << true;
    QTest::newRow("for its group") << 0640u << true;
    QTest::newRow("changed by its group") << 0660u << true;
    QTest::newRow("executable by others, which reveals nothing") << 0641u << true;
    QTest::newRow("read by others") << 0644u << false;
    QTest::newRow("read by others alone") << 0604u << false;
}

void TestRegularFile::modes()
{
    QFETCH(unsigned, mode);
    QFETCH(bool, accepted);
    const QString complaint = u"others can read it (mode %1); chmod 0640 DIR/%2 mends that"_s.arg(
        mode, 4, 8, QChar(u'0'));
    m_folder.write(u"a.key"_s, hexKey, mode);
    m_folder.write(u"psk.txt"_s, "a:" + hexKey, mode);
    const auto expected = [&](const QString &where, const QString &name) {
        return accepted ? QStringList() : QStringList{where + complaint.arg(name)};
    };
    QCOMPARE(m_folder.errorsOf(m_folder.loadKey("file:a.key")),
             expected(u"DIR/dtlsd.ini:4: [identity a] key: DIR/a.key: "_s, u"a.key"_s));
    QCOMPARE(m_folder.errorsOf(m_folder.load("[psk]\nfile = psk.txt\n")),
             expected(u"DIR/dtlsd.ini:2: [psk] file: DIR/psk.txt: "_s, u"psk.txt"_s));
}

void TestRegularFile::noOrdinaryFile_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("expected");
    QTest::newRow("a folder") << u"folder"_s << u"is a directory; a regular file is accepted"_s;
    QTest::newRow("a FIFO, which must not be waited for")
        << u"fifo"_s << u"is not a regular file; a regular file is accepted"_s;
    QTest::newRow("a device, which never ends")
        << u"/dev/zero"_s << u"is not a regular file; a regular file is accepted"_s;
    QTest::newRow("a file in a file") << u"dtlsd.ini/x"_s << u"cannot be opened: Not a directory"_s;
}

void TestRegularFile::noOrdinaryFile()
{
    QFETCH(QString, path);
    QFETCH(QString, expected);
    QDir(m_folder.path(u"."_s)).mkdir(u"folder"_s);
    ::mkfifo(QFile::encodeName(m_folder.path(u"fifo"_s)).constData(), 0640);
    const QString full = QDir(m_folder.path(u"."_s)).absoluteFilePath(path);
    const QString shown = QString(full).replace(m_folder.path(u"."_s).chopped(2), u"DIR"_s);
    const QString wrong = QDir::cleanPath(shown) + u": "_s + expected;

    QCOMPARE(m_folder.errorsOf(m_folder.loadKey("file:" + path.toUtf8())),
             QStringList{u"DIR/dtlsd.ini:4: [identity a] key: "_s + wrong});
    QCOMPARE(m_folder.errorsOf(m_folder.load("[psk]\nfile = " + path.toUtf8() + '\n')),
             QStringList{u"DIR/dtlsd.ini:2: [psk] file: "_s + wrong});
    QCOMPARE(m_folder.errorsOf(loadConfig(QDir::cleanPath(full))), QStringList{wrong});
}

void TestRegularFile::hugeFilesAreRefused()
{
    QCOMPARE(m_folder.errorsOf(m_folder.load(QByteArray((1 << 20) + 1, '\n'))),
             QStringList{u"DIR/dtlsd.ini: is larger than 1M; up to 1M are accepted"_s});
    QFile sparse(m_folder.write(u"psk.txt"_s, {}));
    QVERIFY(sparse.resize((64 << 20) + 1));
    QCOMPARE(
        m_folder.errorsOf(m_folder.load("[psk]\nfile = psk.txt\n")),
        QStringList{u"DIR/dtlsd.ini:2: [psk] file: DIR/psk.txt: is larger than 64M; up to 64M are "
                    "accepted"_s});
}

DTLSD_TEST(TestRegularFile)
#include "tst_regularfile.moc"
