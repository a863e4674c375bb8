// SPDX-License-Identifier: Apache-2.0
//
// Keys as texts and in files of their own: forms, and where the files are sought.
#include "config/KeyText.h"
#include "support/KeyFolder.h"
#include "support/TestProgram.h"

#include <QDir>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;

class TestKeyText : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void bareKey_data();
    void bareKey();
    void keyFileHolds_data();
    void keyFileHolds();
    void keyFileIsRefused_data();
    void keyFileIsRefused();
    void keyFileIsSoughtBesideTheIniFile();
    void keyFileIsSoughtInTheCredentials();
    void keyFileMayBeALink();

private:
    KeyFolder m_folder;
};

void TestKeyText::bareKey_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("hex"); // empty = refused
    const auto row = [](const char *name, const QByteArray &text, const QByteArray &hex) {
        QTest::newRow(name) << text << hex;
    };
    row("plain digits", "1a2B3c", "1a2b3c");
    row("hex", "hex:1a2b3c", "1a2b3c");
    row("base64", "base64:Gis8", "1a2b3c");
    row("base64 with padding", "base64:Gg==", "1a");
    row("text", "text:abc", "616263");
    row("text that looks like digits", "text:00", "3030");
    row("nothing", "", "");
    row("a prefix alone", "hex:", "");
    row("an odd number of digits", "1a2", "");
    row("a blank", "1a 2b", "");
    row("a word", "secret", "");
    row("0x", "0x1a2b", "");
    row("base64 of another alphabet", "base64:-_-_", "");
    row("base64 with stray bits", "base64:Gh==", "");
    row("a file, which is not for others to name", "file:/etc/passwd", "");
    row("64 bytes", "text:" + QByteArray(64, 'x'), QByteArray(64, 'x').toHex());
    row("65 bytes", "text:" + QByteArray(65, 'x'), "");
}

void TestKeyText::bareKey()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, hex);
    const Result<PskKey> key = parseBareKey(text);
    QCOMPARE(key.ok(), !hex.isEmpty());
    if (key)
        QCOMPARE(key.value().bytes().toHex(), hex);
    else
        QVERIFY(text.size() < 6 || !key.error().message.contains(QString::fromUtf8(text)));
}

void TestKeyText::keyFileHolds_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("plain digits") << hexKey;
    QTest::newRow("digits and a newline") << hexKey + '\n';
    QTest::newRow("digits and CRLF") << hexKey + "\r\n";
    QTest::newRow("hex") << "hex:" + hexKey + '\n';
    QTest::newRow("base64") << "base64:" + QByteArray::fromHex(hexKey).toBase64() + '\n';
    QTest::newRow("a byte order mark before it") << "\xef\xbb\xbf" + hexKey + '\n';
}

void TestKeyText::keyFileHolds()
{
    QFETCH(QByteArray, content);
    m_folder.write(u"a.key"_s, content);
    const ConfigResult result = m_folder.loadKey("file:a.key");
    QCOMPARE(m_folder.errorsOf(result), QStringList());
    QCOMPARE(result.config.settings.identities->find("a")->key.bytes().toHex(), hexKey);
    QCOMPARE(result.warnings.size(), 0);
}

void TestKeyText::keyFileIsRefused_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char *name, const QByteArray &content, const QString &expected) {
        QTest::newRow(name) << content << expected;
    };
    row("nothing", "\n",
        u"the key in it is 0 bytes long; 16 to 64 bytes are accepted ([tls] min_key_bytes)"_s);
    row("two lines", hexKey + '\n' + hexKey + '\n',
        u"has more than one line; one line with the key is accepted"_s);
    row("another file", "file:b.key\n",
        u"the key in it has no known form: it begins with a prefix, as keys in dtlsd.ini do; "
        "hexadecimal digits, or hex:, base64: or text: before the key are accepted"_s);
    row("colons between the bytes", "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff\n",
        u"the key in it has no known form: it has colons between its bytes; hexadecimal digits, or "
        "hex:, base64: or text: before the key are accepted"_s);
    row("UTF-16",
        QByteArray("\xff\xfe"
                   "0\0"
                   "0\0\n\0",
                   8),
        u"is UTF-16; UTF-8 is accepted"_s);
    row("more than a key", QByteArray(5000, 'a'), u"is larger than 4K; up to 4K are accepted"_s);
}

void TestKeyText::keyFileIsRefused()
{
    QFETCH(QByteArray, content);
    QFETCH(QString, expected);
    m_folder.write(u"a.key"_s, content);
    QCOMPARE(m_folder.errorsOf(m_folder.loadKey("file:a.key")),
             QStringList{u"DIR/dtlsd.ini:4: [identity a] key: DIR/a.key: "_s + expected});
}

void TestKeyText::keyFileIsSoughtBesideTheIniFile()
{
    QVERIFY(QDir(m_folder.path(u"."_s)).mkpath(u"keys"_s));
    m_folder.write(u"keys/beside.key"_s, hexKey);
    QCOMPARE(m_folder.errorsOf(m_folder.loadKey("file:keys/beside.key")), QStringList());
    QCOMPARE(
        m_folder.errorsOf(m_folder.loadKey("file:" + m_folder.path(u"keys/beside.key"_s).toUtf8())),
        QStringList());
}

void TestKeyText::keyFileIsSoughtInTheCredentials()
{
    const ConfigFolder credentials;
    credentials.write(u"device"_s, hexKey, 0400);
    QCOMPARE(m_folder.errorsOf(m_folder.loadKey("file:device", credentials.path(u"."_s))),
             QStringList());
    m_folder.write(u"only-beside"_s, hexKey);
    const QStringList errors =
        m_folder.errorsOf(m_folder.loadKey("file:only-beside", credentials.path(u"."_s)));
    QCOMPARE(errors.size(), 1);
    QVERIFY2(errors[0].endsWith(u"cannot be opened: No such file or directory"_s),
             qPrintable(errors[0]));
}

void TestKeyText::keyFileMayBeALink()
{
    m_folder.write(u"..2024_data"_s, hexKey);
    QVERIFY(QFile::link(m_folder.path(u"..2024_data"_s), m_folder.path(u"linked.key"_s)));
    QCOMPARE(m_folder.errorsOf(m_folder.loadKey("file:linked.key")), QStringList());
}

DTLSD_TEST(TestKeyText)
#include "tst_keytext.moc"
