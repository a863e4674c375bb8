// SPDX-License-Identifier: Apache-2.0
//
// Keys as texts and in files: forms, permissions, where files are sought, and how many there may
// be.
#include "config/KeyText.h"
#include "support/ConfigFolder.h"

#include <QDir>
#include <QElapsedTimer>
#include <QTest>

#include <sys/stat.h>

using namespace dtlsd;
using namespace Qt::StringLiterals;

namespace {

const QByteArray hexKey = "00112233445566778899aabbccddeeff";

QString identityWith(const QByteArray &key)
{
    return QString::fromUtf8("[psk]\nfile =\n[identity a]\nkey = " + key + '\n');
}

} // namespace

class tst_KeyFiles : public QObject
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
    void pskFileIsRead();
    void aLastLineWithoutItsEndIsWholeOrAnError_data();
    void aLastLineWithoutItsEndIsWholeOrAnError();
    void pskFileMayBeginWithAByteOrderMark();
    void identitiesThatAreProbablyNotMeantAreWarnedAbout_data();
    void identitiesThatAreProbablyNotMeantAreWarnedAbout();
    void manyWarningsAreCounted();
    void pskFileIsSoughtBesideTheIniFile();
    void modes_data();
    void modes();
    void noOrdinaryFile_data();
    void noOrdinaryFile();
    void hugeFilesAreRefused();
    void manyIdentitiesAreRead();
    void manyDuplicatesAreCounted();
    void cookieSecretIsRead_data();
    void cookieSecretIsRead();
    void cookieSecretIsRefused_data();
    void cookieSecretIsRefused();
    void cookieSecretIsNeverShown();
    void everyFileIsNamed();

private:
    [[nodiscard]] ConfigResult loadCookieSecret(const QByteArray &value) const
    {
        return m_folder.load("[server]\ncookie_secret = " + value +
                             "\n[psk]\nfile =\n[identity a]\nkey = hex:" + hexKey + '\n');
    }
    [[nodiscard]] ConfigResult load(const QByteArray &key, const QString &credentials = {}) const
    {
        return m_folder.load(identityWith(key).toUtf8(), credentials);
    }
    [[nodiscard]] QStringList errorsOf(const ConfigResult &result) const
    {
        return m_folder.texts(result.errors);
    }

    ConfigFolder m_folder;
};

void tst_KeyFiles::bareKey_data()
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

void tst_KeyFiles::bareKey()
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

void tst_KeyFiles::keyFileHolds_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("plain digits") << hexKey;
    QTest::newRow("digits and a newline") << hexKey + '\n';
    QTest::newRow("digits and CRLF") << hexKey + "\r\n";
    QTest::newRow("hex") << "hex:" + hexKey + '\n';
    QTest::newRow("base64") << "base64:" + QByteArray::fromHex(hexKey).toBase64() + '\n';
    QTest::newRow("a byte order mark before it") << "\xef\xbb\xbf" + hexKey + '\n';
}

void tst_KeyFiles::keyFileHolds()
{
    QFETCH(QByteArray, content);
    m_folder.write(u"a.key"_s, content);
    const ConfigResult result = load("file:a.key");
    QCOMPARE(errorsOf(result), QStringList());
    QCOMPARE(result.config.settings.identities->find("a")->key.bytes().toHex(), hexKey);
    QCOMPARE(result.warnings.size(), 0);
}

void tst_KeyFiles::keyFileIsRefused_data()
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

void tst_KeyFiles::keyFileIsRefused()
{
    QFETCH(QByteArray, content);
    QFETCH(QString, expected);
    m_folder.write(u"a.key"_s, content);
    QCOMPARE(errorsOf(load("file:a.key")),
             QStringList{u"DIR/dtlsd.ini:4: [identity a] key: DIR/a.key: "_s + expected});
}

void tst_KeyFiles::keyFileIsSoughtBesideTheIniFile()
{
    QVERIFY(QDir(m_folder.path(u"."_s)).mkpath(u"keys"_s));
    m_folder.write(u"keys/beside.key"_s, hexKey);
    QCOMPARE(errorsOf(load("file:keys/beside.key")), QStringList());
    QCOMPARE(errorsOf(load("file:" + m_folder.path(u"keys/beside.key"_s).toUtf8())), QStringList());
}

void tst_KeyFiles::keyFileIsSoughtInTheCredentials()
{
    const ConfigFolder credentials;
    credentials.write(u"device"_s, hexKey, 0400);
    QCOMPARE(errorsOf(load("file:device", credentials.path(u"."_s))), QStringList());
    m_folder.write(u"only-beside"_s, hexKey);
    const QStringList errors = errorsOf(load("file:only-beside", credentials.path(u"."_s)));
    QCOMPARE(errors.size(), 1);
    QVERIFY2(errors[0].endsWith(u"cannot be opened: No such file or directory"_s),
             qPrintable(errors[0]));
}

void tst_KeyFiles::keyFileMayBeALink()
{
    m_folder.write(u"..2024_data"_s, hexKey);
    QVERIFY(QFile::link(m_folder.path(u"..2024_data"_s), m_folder.path(u"linked.key"_s)));
    QCOMPARE(errorsOf(load("file:linked.key")), QStringList());
}

void tst_KeyFiles::pskFileIsRead()
{
    const QByteArray upper = hexKey.toUpper();
    m_folder.write(u"psk.txt"_s, "# devices\r\n#\r\n\r\n  \na b:" + hexKey +
                                     "\r\n 50%;[x]\\\":" + upper + "\n\xff\xfe:" + hexKey +
                                     "\n*:" + hexKey + "\n//:" + hexKey);
    const ConfigResult result = m_folder.load("[psk]\nfile = psk.txt ; here\n");
    QCOMPARE(errorsOf(result), QStringList());
    const PskStore &store = *result.config.settings.identities;
    QCOMPARE(store.size(), 5);
    QVERIFY(!store.hasWildcard()); // only a section makes one
    for (const QByteArray identity : {"a b", " 50%;[x]\\\"", "\xff\xfe", "*", "//"}) {
        QVERIFY2(store.find(identity) != nullptr, identity.constData());
        QCOMPARE(store.find(identity)->key.bytes().toHex(), hexKey);
    }
    QVERIFY(result.config.keys.sections.isEmpty());
}

void tst_KeyFiles::aLastLineWithoutItsEndIsWholeOrAnError_data()
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

void tst_KeyFiles::aLastLineWithoutItsEndIsWholeOrAnError()
{
    QFETCH(QByteArray, content);
    QFETCH(int, line);
    m_folder.write(u"psk.txt"_s, content);
    const QString error =
        u"DIR/psk.txt:%1: the last line has no line feed and a key of 16 bytes, where another has "
        "20, as if the file had been cut; a line feed behind it, or a key as long as the longest, "
        "is accepted"_s.arg(line);
    QCOMPARE(errorsOf(m_folder.load("[psk]\nfile = psk.txt\n")),
             line == 0 ? QStringList() : QStringList{error});
}

void tst_KeyFiles::pskFileMayBeginWithAByteOrderMark()
{
    m_folder.write(u"psk.txt"_s, "\xef\xbb\xbf" + ("a:" + hexKey));
    const ConfigResult result = m_folder.load("[psk]\nfile = psk.txt\n");
    QCOMPARE(errorsOf(result), QStringList());
    QCOMPARE(m_folder.texts(result.warnings), QStringList());
    QCOMPARE(result.config.settings.identities->identities().keys(), QByteArrayList{"a"});
}

void tst_KeyFiles::identitiesThatAreProbablyNotMeantAreWarnedAbout_data()
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
        u"the identity is a * and stands for no other; a section [identity *] of "
        "dtlsd.ini is accepted for any identity"_s);
}

/// They are accepted as they are written.
void tst_KeyFiles::identitiesThatAreProbablyNotMeantAreWarnedAbout()
{
    QFETCH(QByteArray, identity);
    QFETCH(QString, expected);
    m_folder.write(u"psk.txt"_s, "first:" + hexKey + '\n' + identity + ':' + hexKey + '\n');
    const ConfigResult result = m_folder.load("[psk]\nfile = psk.txt\n");
    QCOMPARE(errorsOf(result), QStringList());
    QVERIFY(result.config.settings.identities->find(identity) != nullptr);
    const QStringList warnings = m_folder.texts(result.warnings);
    QCOMPARE(warnings,
             expected.isEmpty() ? QStringList() : QStringList{u"DIR/psk.txt:2: "_s + expected});
}

void tst_KeyFiles::manyWarningsAreCounted()
{
    QByteArray lines;
    for (int i = 0; i < 250; ++i)
        lines += ' ' + QByteArray::number(i) + ':' + hexKey + '\n';
    m_folder.write(u"psk.txt"_s, lines);
    const ConfigResult result = m_folder.load("[psk]\nfile = psk.txt\n");
    QCOMPARE(result.warnings.size(), 101);
    QCOMPARE(m_folder.texts(result.warnings)[100], u"DIR/psk.txt: 150 more warnings"_s);
}

void tst_KeyFiles::pskFileIsSoughtBesideTheIniFile()
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

void tst_KeyFiles::modes_data()
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

void tst_KeyFiles::modes()
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
    QCOMPARE(errorsOf(load("file:a.key")),
             expected(u"DIR/dtlsd.ini:4: [identity a] key: DIR/a.key: "_s, u"a.key"_s));
    QCOMPARE(errorsOf(m_folder.load("[psk]\nfile = psk.txt\n")),
             expected(u"DIR/psk.txt: "_s, u"psk.txt"_s));
}

void tst_KeyFiles::noOrdinaryFile_data()
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

void tst_KeyFiles::noOrdinaryFile()
{
    QFETCH(QString, path);
    QFETCH(QString, expected);
    QDir(m_folder.path(u"."_s)).mkdir(u"folder"_s);
    ::mkfifo(QFile::encodeName(m_folder.path(u"fifo"_s)).constData(), 0640);
    const QString full = QDir(m_folder.path(u"."_s)).absoluteFilePath(path);
    const QString shown = QString(full).replace(m_folder.path(u"."_s).chopped(2), u"DIR"_s);
    const QString wrong = QDir::cleanPath(shown) + u": "_s + expected;

    QCOMPARE(errorsOf(load("file:" + path.toUtf8())),
             QStringList{u"DIR/dtlsd.ini:4: [identity a] key: "_s + wrong});
    QCOMPARE(errorsOf(m_folder.load("[psk]\nfile = " + path.toUtf8() + '\n')), QStringList{wrong});
    QCOMPARE(errorsOf(loadConfig(QDir::cleanPath(full))), QStringList{wrong});
}

void tst_KeyFiles::hugeFilesAreRefused()
{
    QCOMPARE(errorsOf(m_folder.load(QByteArray((1 << 20) + 1, '\n'))),
             QStringList{u"DIR/dtlsd.ini: is larger than 1M; up to 1M are accepted"_s});
    QFile sparse(m_folder.write(u"psk.txt"_s, {}));
    QVERIFY(sparse.resize((64 << 20) + 1));
    QCOMPARE(errorsOf(m_folder.load("[psk]\nfile = psk.txt\n")),
             QStringList{u"DIR/psk.txt: is larger than 64M; up to 64M are accepted"_s});
}

void tst_KeyFiles::manyIdentitiesAreRead()
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
    QCOMPARE(errorsOf(result), QStringList());
    const PskStore &store = *result.config.settings.identities;
    QCOMPARE(store.size(), count);
    QCOMPARE(store.find("device-123456")->key.bytes().toHex(),
             QByteArray("123456").rightJustified(32, '0'));
    QCOMPARE(store.find("device-200000"), nullptr);
}

/// Where each one stands first is searched for the shown errors only, or this would take minutes.
void tst_KeyFiles::manyDuplicatesAreCounted()
{
    constexpr int count = 100'000;
    QByteArray lines;
    for (int i = 0; i < count; ++i)
        lines += QByteArray::number(i) + ':' + hexKey + '\n';
    m_folder.write(u"psk.txt"_s, lines + lines);
    const QStringList errors = errorsOf(m_folder.load("[psk]\nfile = psk.txt\n"));
    QCOMPARE(errors.size(), 101);
    QCOMPARE(errors[99], u"DIR/psk.txt:100100: the identity is already in line 100; each identity "
                         "is accepted once"_s);
    QCOMPARE(errors[100], u"DIR/psk.txt: 99900 more errors"_s);
}

void tst_KeyFiles::cookieSecretIsRead_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("plain digits") << hexKey + hexKey + '\n';
    QTest::newRow("hex") << "hex:" + hexKey + hexKey;
    QTest::newRow("base64") << "base64:" + QByteArray::fromHex(hexKey + hexKey).toBase64() + '\n';
}

void tst_KeyFiles::cookieSecretIsRead()
{
    QFETCH(QByteArray, content);
    m_folder.write(u"cookie.key"_s, content);
    const ConfigResult result = loadCookieSecret("file:cookie.key");
    QCOMPARE(errorsOf(result), QStringList());
    QCOMPARE(result.config.cookies.file, m_folder.path(u"cookie.key"_s));
    QCOMPARE(result.config.cookies.secret.bytes().toHex(), hexKey + hexKey);
}

void tst_KeyFiles::cookieSecretIsRefused_data()
{
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<unsigned>("mode");
    QTest::addColumn<QString>("expected");
    const QByteArray file = "file:cookie.key";
    QTest::newRow("one in the INI file, which others may read")
        << "hex:" + hexKey + hexKey << QByteArray() << 0640u
        << u"does not begin with file:; nothing or file: and a path is accepted"_s;
    QTest::newRow("no path") << QByteArray("file:") << QByteArray() << 0640u
                             << u"has no path behind file:; nothing or file: and a path is "
                                "accepted"_s;
    QTest::newRow("too short") << file << hexKey << 0640u
                               << u"DIR/cookie.key: the secret in it is 16 bytes long; 32 to 64 "
                                  "bytes are accepted"_s;
    QTest::newRow("too long") << file << hexKey.repeated(5) << 0640u
                              << u"DIR/cookie.key: the key in it is 80 bytes long; 1 to 64 bytes "
                                 "are accepted"_s;
    QTest::newRow("others can read it")
        << file << hexKey + hexKey << 0644u
        << u"DIR/cookie.key: others can read it (mode 0644); chmod 0640 DIR/cookie.key "
           "mends that"_s;
    QTest::newRow("no file") << QByteArray("file:absent") << QByteArray() << 0640u
                             << u"DIR/absent: cannot be opened: No such file or directory"_s;
}

void tst_KeyFiles::cookieSecretIsRefused()
{
    QFETCH(QByteArray, value);
    QFETCH(QByteArray, content);
    QFETCH(unsigned, mode);
    QFETCH(QString, expected);
    m_folder.write(u"cookie.key"_s, content, mode);
    QCOMPARE(errorsOf(loadCookieSecret(value)),
             QStringList{u"DIR/dtlsd.ini:2: [server] cookie_secret: "_s + expected});
}

void tst_KeyFiles::cookieSecretIsNeverShown()
{
    m_folder.write(u"cookie.key"_s, hexKey + hexKey);
    const QByteArray shown = showConfig(loadCookieSecret("file:cookie.key").config);
    QVERIFY(shown.contains("\ncookie_secret = file:" + m_folder.path(u"cookie.key"_s).toUtf8()));
    QVERIFY(!shown.contains(hexKey));
}

/// Those that are not there as well: they may come.
void tst_KeyFiles::everyFileIsNamed()
{
    m_folder.write(u"a.key"_s, hexKey);
    const ConfigResult result =
        m_folder.load("[server]\ncookie_secret = file:cookie.absent\n[psk]\n"
                      "file = psk.absent\n[identity a]\nkey = file:a.key\n"
                      "next_key = file:b.absent\n");
    QStringList names;
    for (const QString &file : result.files)
        names += QDir(m_folder.path(u"."_s)).relativeFilePath(file);
    QCOMPARE(names, (QStringList{u"dtlsd.ini"_s, u"cookie.absent"_s, u"a.key"_s, u"b.absent"_s,
                                 u"psk.absent"_s}));
    QCOMPARE(loadConfig(m_folder.path(u"absent.ini"_s)).files,
             QStringList{m_folder.path(u"absent.ini"_s)});
}

QTEST_GUILESS_MAIN(tst_KeyFiles)
#include "tst_keyfiles.moc"
