// SPDX-License-Identifier: Apache-2.0
#include "support/KeyFolder.h"
#include "support/TestProgram.h"

#include <QElapsedTimer>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;

class TestPskFile : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void pskFileIsRead();
    void aLastLineWithoutItsEndIsWholeOrAnError_data();
    void aLastLineWithoutItsEndIsWholeOrAnError();
    void pskFileMayBeginWithAByteOrderMark();
    void identitiesThatAreProbablyNotMeantAreWarnedAbout_data();
    void identitiesThatAreProbablyNotMeantAreWarnedAbout();
    void manyWarningsAreCounted();
    void pskFileIsSoughtBesideTheIniFile();
    void manyIdentitiesAreRead();
    void manyDuplicatesAreCounted();

private:
    KeyFolder m_folder;
};

void TestPskFile::pskFileIsRead()
{
    const QByteArray upper = hexKey.toUpper();
    m_folder.write(u"psk.txt"_s, "# devices\r\n#\r\n\r\n  \na b:" + hexKey +
                                     "\r\n 50%;[x]\\\":" + upper + "\n\xff\xfe:" + hexKey +
                                     "\n*:" + hexKey + "\n//:" + hexKey);
    const ConfigResult result = m_folder.load("[psk]\nfile = psk.txt ; here\n");
    QCOMPARE(m_folder.errorsOf(result), QStringList());
    const PskStore &store = *result.config.settings.identities;
    QCOMPARE(store.size(), 5);
    QVERIFY(!store.wildcard()); // only a section makes one
    for (const QByteArray identity : {"a b", " 50%;[x]\\\"", "\xff\xfe", "*", "//"}) {
        QVERIFY2(store.find(identity) != nullptr, identity.constData());
        QCOMPARE(store.find(identity)->key.bytes().toHex(), hexKey);
    }
    QVERIFY(result.config.keys.sections.isEmpty());
}

void TestPskFile::aLastLineWithoutItsEndIsWholeOrAnError_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<int>("line"); // of the error; 0 = none
    const QByteArray sixteen = hexKey;
    const QByteArray twenty = hexKey + "00112233";
    const auto row = [](const char *name, const QByteArray &content, int line = 0) {
        QTest::newRow(name) << content << line;
    };
    row("as long as the others", "a:" + twenty + "\nb:" + twenty);
    row("cut within its key", "a:" + twenty + "\nb:" + sixteen, 2);
    row("the same with its line feed", "a:" + twenty + "\nb:" + sixteen + '\n');
    row("behind shorter ones and comments",
        "a:" + twenty + "\nb:" + sixteen + "\n# x\n\nc:" + sixteen, 5);
    row("longer than the others", "a:" + sixteen + "\nb:" + twenty);
    row("the only one", "a:" + sixteen);
    row("the only one behind a comment", "# devices\na:" + sixteen);
    row("a comment", "a:" + twenty + "\nb:" + sixteen + "\n# the end");
    row("with half of CRLF", "a:" + twenty + "\r\nb:" + sixteen + '\r', 2);
}

void TestPskFile::aLastLineWithoutItsEndIsWholeOrAnError()
{
    QFETCH(QByteArray, content);
    QFETCH(int, line);
    m_folder.write(u"psk.txt"_s, content);
    const QString error =
        u"DIR/psk.txt:%1: the last line has no line feed, and its key of 16 bytes is shorter than "
        "another of 20, as in a truncated file; a line feed after it, or a key as long as the "
        "longest, is accepted"_s.arg(line);
    QCOMPARE(m_folder.errorsOf(m_folder.load("[psk]\nfile = psk.txt\n")),
             line == 0 ? QStringList() : QStringList{error});
}

void TestPskFile::pskFileMayBeginWithAByteOrderMark()
{
    m_folder.write(u"psk.txt"_s, "\xef\xbb\xbf" + ("a:" + hexKey));
    const ConfigResult result = m_folder.load("[psk]\nfile = psk.txt\n");
    QCOMPARE(m_folder.errorsOf(result), QStringList());
    QCOMPARE(m_folder.texts(result.warnings), QStringList());
    QCOMPARE(result.config.settings.identities->identities().keys(), QByteArrayList{"a"});
}

void TestPskFile::identitiesThatAreProbablyNotMeantAreWarnedAbout_data()
{
    QTest::addColumn<QByteArray>("identity");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char *name, const QByteArray &identity, const QString &expected) {
        QTest::newRow(name) << identity << expected;
    };
    const auto invisible = [](const QString &where) {
        return u"the identity %1 with a blank or an invisible character, which is a part of it; a "
               "device that sends it as well is accepted"_s.arg(where);
    };
    const QString quoted = u"the identity has quotes around it, which are a part of it; a device "
                           "that sends them as well is accepted"_s;
    const QString comment =
        u"the line is an identity, and no comment; a comment that begins with # "
        "and a blank is accepted"_s;
    row("an ordinary one", "client", {});
    row("blanks, quotes and a star inside", "a \"b\" 'c' * ;", {});
    row("bytes that are no UTF-8", "\xff\xfe", {});
    row("a quote alone", "\"", {});
    row("a quote on one side", "client\"", {});
    row("a blank before it", " client", invisible(u"begins"_s));
    row("a tab before it", "\tclient", invisible(u"begins"_s));
    row("a blank behind it", "client ", invisible(u"ends"_s));
    row("a blank of no width before it",
        "\xe2\x80\x8b"
        "client",
        invisible(u"begins"_s));
    row("a blank that never breaks behind it", "client\xc2\xa0", invisible(u"ends"_s));
    row("a byte order mark of a file that was appended",
        "\xef\xbb\xbf"
        "client",
        invisible(u"begins"_s));
    row("quotes around it", "\"client\"", quoted);
    row("single quotes around it", "'client'", quoted);
    row("nothing in quotes", "\"\"", quoted);
    row("a comment of the INI file", "; client", comment);
    row("a comment of C", "//client", comment);
    row("a star", "*",
        u"the identity is a literal *, not a wildcard; a section [identity *] of "
        "dtlsd.ini is accepted for any identity"_s);
}

/// They are accepted as they are written.
void TestPskFile::identitiesThatAreProbablyNotMeantAreWarnedAbout()
{
    QFETCH(QByteArray, identity);
    QFETCH(QString, expected);
    m_folder.write(u"psk.txt"_s, "first:" + hexKey + '\n' + identity + ':' + hexKey + '\n');
    const ConfigResult result = m_folder.load("[psk]\nfile = psk.txt\n");
    QCOMPARE(m_folder.errorsOf(result), QStringList());
    QVERIFY(result.config.settings.identities->find(identity) != nullptr);
    const QStringList warnings = m_folder.texts(result.warnings);
    QCOMPARE(warnings,
             expected.isEmpty() ? QStringList() : QStringList{u"DIR/psk.txt:2: "_s + expected});
}

void TestPskFile::manyWarningsAreCounted()
{
    QByteArray lines;
    for (int i = 0; i < 250; ++i)
        lines += ' ' + QByteArray::number(i) + ':' + hexKey + '\n';
    m_folder.write(u"psk.txt"_s, lines);
    const ConfigResult result = m_folder.load("[psk]\nfile = psk.txt\n");
    QCOMPARE(result.warnings.size(), 101);
    QCOMPARE(m_folder.texts(result.warnings)[100], u"DIR/psk.txt: 150 more warnings"_s);
}

void TestPskFile::pskFileIsSoughtBesideTheIniFile()
{
    const ConfigFolder credentials;
    m_folder.write(u"psk.txt"_s, "a:" + hexKey);
    credentials.write(u"psk.txt"_s, "b:" + hexKey);
    const QByteArray ini = "[psk]\nfile = psk.txt\n";
    const ConfigResult beside = m_folder.load(ini);
    QCOMPARE(beside.config.keys.file, m_folder.path(u"psk.txt"_s));
    QVERIFY(beside.config.settings.identities->find("a") != nullptr);
    const ConfigResult inCredentials = m_folder.load(ini, credentials.path(u"."_s));
    QVERIFY(inCredentials.config.settings.identities->find("b") != nullptr);
}

void TestPskFile::manyIdentitiesAreRead()
{
    constexpr int count = 200'000;
    QByteArray lines;
    for (int i = 0; i < count; ++i)
        lines += "device-" + QByteArray::number(i) + ':' +
                 QByteArray::number(i).rightJustified(32, '0') + '\n';
    m_folder.write(u"psk.txt"_s, lines);
    QElapsedTimer timer;
    timer.start();
    const ConfigResult result = m_folder.load("[psk]\nfile = psk.txt\n");
    qInfo("%d identities in %lld ms", count, static_cast<long long>(timer.elapsed()));
    QCOMPARE(m_folder.errorsOf(result), QStringList());
    const PskStore &store = *result.config.settings.identities;
    QCOMPARE(store.size(), count);
    QCOMPARE(store.find("device-123456")->key.bytes().toHex(),
             QByteArray("123456").rightJustified(32, '0'));
    QCOMPARE(store.find("device-200000"), nullptr);
}

/// Where each one stands first is searched for the shown errors only, or this would take minutes.
void TestPskFile::manyDuplicatesAreCounted()
{
    constexpr int count = 100'000;
    QByteArray lines;
    for (int i = 0; i < count; ++i)
        lines += QByteArray::number(i) + ':' + hexKey + '\n';
    m_folder.write(u"psk.txt"_s, lines + lines);
    const QStringList errors = m_folder.errorsOf(m_folder.load("[psk]\nfile = psk.txt\n"));
    QCOMPARE(errors.size(), 101);
    QCOMPARE(errors[99], u"DIR/psk.txt:100100: the identity is already in line 100; each identity "
                         "is accepted once"_s);
    QCOMPARE(errors[100], u"DIR/psk.txt: 99900 more errors"_s);
}

DTLSD_TEST(TestPskFile)
#include "tst_pskfile.moc"
