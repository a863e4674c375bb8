// SPDX-License-Identifier: Apache-2.0
//
// dtlsctl key new and key import, and that dtlsd takes what they make.
#include "DtlsctlTest.h"
#include "support/DaemonProcess.h"
#include "support/TestProgram.h"

#include <QFile>
#include <QRegularExpression>

#include <sys/stat.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;

class TestDtlsctlKey : public DtlsctlTest
{
    Q_OBJECT

private Q_SLOTS:
    void init() { begin(); }
    void aNewKeyIsAccepted();
    void importedKeysAreAccepted_data();
    void importedKeysAreAccepted();
    void importTellsWhatIsWrong();
};

void TestDtlsctlKey::aNewKeyIsAccepted()
{
    const Outcome first = run({u"key"_s, u"new"_s, u"sensor-17"_s});
    const Outcome second = run({u"key"_s, u"new"_s, u"se]nsor"_s});
    QCOMPARE(first.status, 0);
    QCOMPARE(second.status, 0);
    QVERIFY(QRegularExpression(u"^\\[identity sensor-17\\]\nkey = hex:[0-9a-f]{64}\n$"_s)
                .match(QString::fromUtf8(first.output))
                .hasMatch());
    QVERIFY(first.output != run({u"key"_s, u"new"_s, u"sensor-17"_s}).output);
    DaemonProcess daemon("[psk]\nfile = psk.txt\n" + first.output);
    daemon.write(u"psk.txt"_s, second.output);
    daemon.addArguments({u"--check"_s});
    QVERIFY(daemon.launch());
    QCOMPARE(daemon.waitForExit(), 0);
    QCOMPARE(run({u"key"_s, u"new"_s, u"a:]"_s}).status, 64);
}

void TestDtlsctlKey::importedKeysAreAccepted_data()
{
    QTest::addColumn<QString>("format");
    QTest::addColumn<QByteArray>("content");
    const QByteArray key = "00112233445566778899aabbccddeeff";
    QTest::newRow("mosquitto") << u"mosquitto"_s << "# devices\na:" + key + "\n b c : " + key;
    QTest::newRow("stunnel") << u"stunnel"_s << "a:" + key + "\nb c:some text for a key\n";
    QTest::newRow("gnutls") << u"gnutls"_s << "a:" + key + "\n#622063:" + key + '\n';
}

void TestDtlsctlKey::importedKeysAreAccepted()
{
    QFETCH(QString, format);
    QFETCH(QByteArray, content);
    const QStringList arguments{u"key"_s, u"import"_s, u"--format"_s, format};
    const Outcome piped = run(arguments + QStringList{u"-"_s}, content);
    QCOMPARE(piped.errors, QByteArray());
    QCOMPARE(piped.status, 0);
    DaemonProcess daemon("[psk]\nfile = psk.txt\n");
    daemon.write(u"foreign"_s, content);
    const Outcome read = run(arguments + QStringList{daemon.directory() + u"/foreign"_s});
    QCOMPARE(read.errors, QByteArray());
    QCOMPARE(read.output, piped.output);

    daemon.write(u"psk.txt"_s, read.output);
    daemon.addArguments({u"--show-config"_s});
    QVERIFY(daemon.launch());
    QCOMPARE(daemon.waitForExit(), 0);
    const QByteArray shown = daemon.process().readAllStandardOutput();
    QVERIFY2(shown.contains("\n;   a sha256:40ae90a1\n"), shown); // of the key in digits
    QVERIFY2(shown.contains("\n;   b c sha256:"), shown);
}

void TestDtlsctlKey::importTellsWhatIsWrong()
{
    const QStringList arguments{u"key"_s, u"import"_s, u"--format=mosquitto"_s};
    const QString file = m_control->directory() + u"/psk"_s;
    const Outcome absent = run(arguments + QStringList{file});
    QCOMPARE(absent.status, 66);
    QCOMPARE(absent.errors,
             "dtlsctl: " + file.toUtf8() + ": cannot be opened: No such file or directory\n");

    const Outcome wrong =
        run(arguments + QStringList{u"-"_s}, "a:00112233445566778899aabbccddeeff\nb:5ecc\nc:x");
    QCOMPARE(wrong.status, 65);
    QCOMPARE(wrong.output, QByteArray());
    QCOMPARE(wrong.errors, "standard input:3: the key is not hexadecimal; an even number of "
                           "hexadecimal digits is accepted\n"_ba);

    const Outcome brief = run(arguments + QStringList{u"-"_s}, "b:5ecc\n");
    QCOMPARE(brief.status, 0);
    QCOMPARE(brief.output, "b:5ecc\n"_ba);
    QVERIFY2(brief.errors.startsWith("standard input:1: the key is 2 bytes long"), brief.errors);

    QFile open(file);
    QVERIFY(open.open(QIODevice::WriteOnly));
    open.write("a:00112233445566778899aabbccddeeff\n");
    open.close();
    QCOMPARE(::chmod(QFile::encodeName(file).constData(), 0644U), 0);
    const Outcome exposed = run(arguments + QStringList{file});
    QCOMPARE(exposed.status, 0);
    QVERIFY2(exposed.errors.startsWith(file.toUtf8() + ": others can read or change it (mode "
                                                       "0644)"),
             exposed.errors);
}

DTLSD_TEST(TestDtlsctlKey)
#include "tst_dtlsctlkey.moc"
