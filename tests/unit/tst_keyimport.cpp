// SPDX-License-Identifier: Apache-2.0
#include "config/PskFile.h"
#include "support/KeyFolder.h"
#include "support/TestProgram.h"
#include "tools/dtlsctl/KeyImport.h"

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;

class TestKeyImport : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void filesAreImported_data();
    void filesAreImported();
    void importedLinesAreReadBack();
    void filesWithErrorsAreRefused_data();
    void filesWithErrorsAreRefused();
    void aByteOrderMarkIsLeftOut();
    void identitiesThatAreProbablyNotMeantAreWarnedAbout();
    void shortKeysAreWarnedAbout();
    void manyErrorsAreCounted();

private:
    KeyFolder m_folder;
};

void TestKeyImport::filesAreImported_data()
{
    QTest::addColumn<KeyFormat>("format");
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QByteArray>("lines");
    const auto row = [](const char *name, KeyFormat format, const QByteArray &content,
                        const QByteArray &lines) {
        QTest::newRow(name) << format << content << lines;
    };
    const QByteArray spelled = "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff";
    const auto asText = [](const QByteArray &text) { return "a:" + text.toHex() + '\n'; };

    row("mosquitto: a line", KeyFormat::Mosquitto, "a:" + hexKey, "a:" + hexKey + '\n');
    row("mosquitto: upper case, CRLF", KeyFormat::Mosquitto, "a:" + hexKey.toUpper() + "\r\n",
        "a:" + hexKey + '\n');
    row("mosquitto: comments and blank lines", KeyFormat::Mosquitto,
        "# old\n#b:00\n\n \na:" + hexKey + "\n\n", "a:" + hexKey + '\n');
    row("mosquitto: blanks around both", KeyFormat::Mosquitto, " a b\t: " + hexKey + " \n",
        "a b:" + hexKey + '\n');
    row("mosquitto: the order stays", KeyFormat::Mosquitto, "b:" + hexKey + "\na:" + hexKey + '\n',
        "b:" + hexKey + "\na:" + hexKey + '\n');

    // As stunnel 5.68 says at start that it reads them.
    row("stunnel: digits", KeyFormat::Stunnel, "a:" + hexKey + '\n', "a:" + hexKey + '\n');
    row("stunnel: digits with colons", KeyFormat::Stunnel, "a:" + spelled + "\r\n",
        "a:" + hexKey + '\n');
    row("stunnel: an odd number of digits is text", KeyFormat::Stunnel,
        "a:" + hexKey.chopped(1) + '\n', asText(hexKey.chopped(1)));
    row("stunnel: digits with a blank are text", KeyFormat::Stunnel,
        "a:0011223344556677 8899aabbccddeeff\n", asText("0011223344556677 8899aabbccddeeff"));
    row("stunnel: a text", KeyFormat::Stunnel, "\na:a text of some length",
        asText("a text of some length"));
    row("stunnel: blanks belong to it", KeyFormat::Stunnel, "a: 0123456789abcdefx \n",
        asText(" 0123456789abcdefx "));
    row("stunnel: carriage returns do not", KeyFormat::Stunnel, "a:0123456789\rabcdefx\r\n",
        asText("0123456789abcdefx"));

    row("gnutls: a line", KeyFormat::GnuTls, "a:" + hexKey + '\n', "a:" + hexKey + '\n');
    row("gnutls: an identity in hex", KeyFormat::GnuTls, "#6180Ff:" + hexKey + '\n',
        "a\x80\xff:" + hexKey + '\n');
}

void TestKeyImport::filesAreImported()
{
    QFETCH(KeyFormat, format);
    QFETCH(QByteArray, content);
    QFETCH(QByteArray, lines);
    const ImportedKeys keys = importKeys(format, u"FILE"_s, content);
    QCOMPARE(m_folder.texts(keys.errors), QStringList());
    QCOMPARE(m_folder.texts(keys.warnings), QStringList());
    QCOMPARE(keys.lines, lines);
}

void TestKeyImport::importedLinesAreReadBack()
{
    QByteArray file;
    for (int byte = 0; byte < 256; ++byte)
        file += '#' + QByteArray(1, static_cast<char>(byte)).toHex() + ':' + hexKey + '\n';
    const QStringList errors =
        m_folder.texts(importKeys(KeyFormat::GnuTls, u"FILE"_s, file).errors);
    QCOMPARE(errors.size(), 4); // NUL, LF, the colon, #
    for (const char *identity : {"00", "0a", "3a", "23"})
        file.replace('#' + QByteArray(identity) + ':' + hexKey + '\n', {});
    const ImportedKeys keys = importKeys(KeyFormat::GnuTls, u"FILE"_s, file);
    QCOMPARE(m_folder.texts(keys.errors), QStringList());
    PskStore store;
    const QString path = m_folder.write(u"psk.txt"_s, keys.lines);
    QCOMPARE(m_folder.texts(addPskFile(path, 16, {}, store).errors), QStringList());
    QCOMPARE(store.size(), 252);
    QVERIFY(store.find("\xff"));
    QVERIFY(store.find("\r"));
}

void TestKeyImport::filesWithErrorsAreRefused_data()
{
    QTest::addColumn<KeyFormat>("format");
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QStringList>("errors");
    const auto row = [](const char *name, KeyFormat format, const QByteArray &content,
                        const QStringList &errors) {
        QTest::newRow(name) << format << content << errors;
    };
    const QByteArray secret = "5ecc";
    row("nothing in it", KeyFormat::Mosquitto, "# nothing\n", {u"FILE: there is no key in it"_s});
    row("an identity twice", KeyFormat::Mosquitto, "a:" + hexKey + "\n\na:" + hexKey,
        {u"FILE:3: the identity is already in line 1"_s});
    row("every error is told", KeyFormat::Mosquitto, "a\n:" + hexKey + "\nb:" + secret + "x\n",
        {u"FILE:1: there is no colon"_s, u"FILE:2: the identity is missing"_s,
         u"FILE:3: the key is not hexadecimal"_s});
    row("a key of mosquitto that is too long", KeyFormat::Mosquitto,
        "a:" + secret.repeated(33) + '\n', {u"FILE:1: the key is 66 bytes long; 1 to 64"_s});
    row("an empty key", KeyFormat::Mosquitto, "a:\n", {u"FILE:1: the key is 0 bytes long"_s});
    row("stunnel has no comments", KeyFormat::Stunnel, "# old\na:" + hexKey + '\n',
        {u"FILE:1: there is no colon"_s});
    row("a comment of stunnel with a colon is an identity", KeyFormat::Stunnel,
        "# old: " + hexKey + '\n', {u"FILE:1: the identity begins with #"_s});
    row("digits of stunnel that are few", KeyFormat::Stunnel, "a:" + secret + '\n',
        {u"FILE:1: the key is 2 bytes long; stunnel accepts 16 or more"_s});
    row("text of stunnel that is short", KeyFormat::Stunnel, "a:" + secret + "x\n",
        {u"FILE:1: the key is 5 bytes long; stunnel accepts 16 or more"_s});
    row("text of stunnel that is long", KeyFormat::Stunnel, "a:" + QByteArray(65, 'x') + '\n',
        {u"FILE:1: the key is 65 bytes long; stunnel accepts 16 or more, and dtlsd up to 64"_s});
    row("a NUL in stunnel's text", KeyFormat::Stunnel, "a:0123456789\0abcdefx\n"_ba,
        {u"FILE:1: the key has a NUL"_s});
    row("GnuTLS has no comments", KeyFormat::GnuTls, "# old: " + hexKey + '\n',
        {u"FILE:1: the identity begins with #, but is not hexadecimal"_s});
    row("an identity in hex with a colon", KeyFormat::GnuTls, "#613a62:" + hexKey + '\n',
        {u"FILE:1: the identity has a colon, at which a line of a key file ends it; a section"_s});
    row("the same identity in two spellings", KeyFormat::GnuTls,
        "a:" + hexKey + "\n#61:" + hexKey + '\n', {u"FILE:2: the identity is already in line 1"_s});
    row("an identity that begins with a byte order mark", KeyFormat::GnuTls,
        "#efbbbf61:" + hexKey + '\n', {u"FILE:1: the identity begins with a byte order mark"_s});
    row("0x before a key", KeyFormat::Mosquitto, "a:0x5ecc\n",
        {u"FILE:1: the key is not hexadecimal: it begins with 0x; an even number"_s});
    row("a comment behind a key", KeyFormat::Mosquitto, "a:5ecc # old\n",
        {u"FILE:1: the key is not hexadecimal: a comment stands behind it; an even number"_s});
    row("UTF-16", KeyFormat::Mosquitto,
        QByteArray("\xff\xfe"
                   "a\0:\0"
                   "5\0e\0c\0c\0",
                   14),
        {u"FILE:1: the file is UTF-16; UTF-8 is accepted"_s});
}

void TestKeyImport::filesWithErrorsAreRefused()
{
    QFETCH(KeyFormat, format);
    QFETCH(QByteArray, content);
    QFETCH(QStringList, errors);
    const ImportedKeys keys = importKeys(format, u"FILE"_s, content);
    const QStringList told = m_folder.texts(keys.errors);
    QCOMPARE(told.size(), errors.size());
    for (qsizetype i = 0; i < errors.size(); ++i) {
        QVERIFY2(told[i].startsWith(errors[i]), qPrintable(told[i]));
        QVERIFY2(!told[i].contains(u"5ecc"), qPrintable(told[i]));
        QVERIFY2(!told[i].contains(u"0011"), qPrintable(told[i]));
    }
}

void TestKeyImport::aByteOrderMarkIsLeftOut()
{
    for (const KeyFormat format : {KeyFormat::Mosquitto, KeyFormat::Stunnel, KeyFormat::GnuTls}) {
        const ImportedKeys keys = importKeys(format, u"FILE"_s, "\xef\xbb\xbf" + ("a:" + hexKey));
        QCOMPARE(m_folder.texts(keys.errors), QStringList());
        QCOMPARE(keys.lines, "a:" + hexKey + '\n');
        QCOMPARE(
            m_folder.texts(keys.warnings),
            QStringList{u"FILE:1: the byte order mark at the start of the file is left out; the "
                        "server that had the file took it for a part of the first identity"_s});
    }
}

/// mosquitto takes the blanks away, the others keep them; none takes the quotes away.
void TestKeyImport::identitiesThatAreProbablyNotMeantAreWarnedAbout()
{
    const QByteArray lines = "a:" + hexKey + "\n b:" + hexKey + "\n\"c\":" + hexKey + '\n';
    const auto places = [&](KeyFormat format) {
        const ImportedKeys keys = importKeys(format, u"FILE"_s, lines);
        QStringList result = m_folder.texts(keys.errors);
        for (const ConfigMessage &warning : keys.warnings)
            result += QString::number(warning.line) + warning.text.section(u' ', 0, 2);
        return result;
    };
    const QString blank = u"2the identity begins"_s;
    const QString quotes = u"3the identity has"_s;
    QCOMPARE(places(KeyFormat::Mosquitto), QStringList{quotes});
    QCOMPARE(places(KeyFormat::Stunnel), (QStringList{blank, quotes}));
    QCOMPARE(places(KeyFormat::GnuTls), (QStringList{blank, quotes}));
}

void TestKeyImport::shortKeysAreWarnedAbout()
{
    const ImportedKeys keys =
        importKeys(KeyFormat::Mosquitto, u"FILE"_s, "a:" + hexKey + "\nb:01\nc:0102\n");
    QCOMPARE(m_folder.texts(keys.errors), QStringList());
    QCOMPARE(keys.lines, "a:" + hexKey + "\nb:01\nc:0102\n");
    const QStringList told = m_folder.texts(keys.warnings);
    QCOMPARE(told.size(), 2);
    QVERIFY2(told[0].startsWith(u"FILE:2: the key is 1 byte long, and"), qPrintable(told[0]));
    QVERIFY2(told[1].startsWith(u"FILE:3: the key is 2 bytes long, and"), qPrintable(told[1]));
}

void TestKeyImport::manyErrorsAreCounted()
{
    const ImportedKeys keys =
        importKeys(KeyFormat::Mosquitto, u"FILE"_s, QByteArray("a\n").repeated(250));
    QCOMPARE(keys.errors.size(), 101);
    QCOMPARE(keys.errors.constLast().toString(), u"FILE: 150 more errors"_s);
}

DTLSD_TEST(TestKeyImport)
#include "tst_keyimport.moc"
