// SPDX-License-Identifier: Apache-2.0
//
// What a configuration means: the files we ship, the defaults, and what is warned about.
#include "config/ConfigSchema.h"
#include "config/IniDocument.h"
#include "support/ConfigFolder.h"
#include "support/KeyFolder.h"
#include "support/TestProgram.h"
#include "support/WrittenConfig.h"

#include <QDir>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

QByteArray sourceFile(const QString &name)
{
    QFile file(QStringLiteral(DTLSD_SOURCE_DIR "/") + name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

class TestConfig : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void shippedFileSaysTheDefaults();
    void shippedFileNamesEveryKey();
    void designSampleIsAccepted();
    void qtExampleFileIsAccepted();
    void everyValueIsRead();
    void identityIsRead();
    void theEmptyIdentityIsRead();
    void anIPv4NetworkInIPv6FormIsReadAsIPv4_data();
    void anIPv4NetworkInIPv6FormIsReadAsIPv4();
    void quotedListIsAList();
    void receiptsAreAllowedWhereTheyAreLogged_data();
    void receiptsAreAllowedWhereTheyAreLogged();
    void warnings_data();
    void warnings();
    void aFileWithKeysThatOthersCanChangeIsAnError();
    void missingFileIsAnError();
    void defaultConfigWantsAnIdentity();
    void defaultKeyFileMayBeAbsent();
    void everyFileIsNamed();

private:
    ConfigFolder m_folder;
};

void TestConfig::shippedFileSaysTheDefaults()
{
    QByteArray text = sourceFile(u"config/dtlsd.ini"_s);
    QVERIFY(text.contains("\nfile = /etc/dtlsd/psk.txt\n"));
    text.replace("\nfile = /etc/dtlsd/psk.txt\n", "\nfile = psk.txt\n");
    m_folder.write(u"psk.txt"_s, "sensor-17:00112233445566778899aabbccddeeff\n");
    const ConfigResult result = m_folder.load(text);
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    QCOMPARE(m_folder.texts(result.warnings), QStringList());
    Config defaults;
    defaults.keys.file = m_folder.path(u"psk.txt"_s);
    QCOMPARE(written(result.config), written(defaults));
    QVERIFY(result.config.settings.identities->find("sensor-17") != nullptr);
}

/// An operator changes values there, so each key has its line; in comments only where that is said.
void TestConfig::shippedFileNamesEveryKey()
{
    const QByteArray text = sourceFile(u"config/dtlsd.ini"_s);
    const IniDocument document = IniDocument::parse(text);
    QStringList inComments;
    for (const auto &key : configKeys()) {
        if (document.find(key.section, key.name) != nullptr)
            continue;
        inComments << key.section + u'.' + key.name;
        const QString line = key.name + u" = "_s + key.write(Config());
        QVERIFY2(text.contains("\n; " + line.toUtf8() + '\n'), qPrintable(line));
    }
    QCOMPARE(inComments, (QStringList{u"server.reply"_s, u"control.socket"_s}));
    for (const QByteArray name :
         {"key", "next_key", "allow_from", "reply", "forward", "datagrams_per_second"})
        QVERIFY2(text.contains("\n; " + name + " ="), name.constData());
}

/// The text of the design document, with another key file.
void TestConfig::designSampleIsAccepted()
{
    m_folder.write(u"psk.txt"_s, "");
    const ConfigResult result = m_folder.load(R"([server]
listen = 0.0.0.0:22334, [::]:22334   ; one or more; ignored for sockets that systemd passes
workers = auto                       ; auto = one per core
identity_hint =                      ; sent to clients when set
; reply = ack                        ; ack | none | echo | a text
forward =                            ; a local UDP service; its answers go to the device
forward_header = none                ; none | proxy
receive_buffer = 4M
keep_sessions = auto                 ; auto | no: over a restart, where the service manager keeps descriptors
node = 0                             ; first byte of our connection IDs, for a balancer that spreads by it

[tls]
ciphers = modern                     ; strict | modern | iot | an OpenSSL cipher string
connection_ids = yes                 ; for devices that ask for one (RFC 9146); with backend dtlsd
mtu = 1280                           ; for handshake flights
unknown_identity = hide              ; hide | alert

[limits]
idle_timeout = 10min                 ; of sessions without a connection ID
idle_timeout_with_id = 24h           ; of those with one: they sleep

[psk]
file = psk.txt                       ; lines identity:hexkey, as mosquitto and stunnel read them

[identity sensor-17]                 ; the rest of the section name is the identity, byte for byte
key = hex:00112233445566778899aabbccddeeff   ; hex: base64: text: file:
next_key =                           ; accepted as well, for rotation
allow_from =                         ; 10.0.0.0/8, fd00::/8
reply =                              ; overrides [server] reply
forward =
)");
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    QCOMPARE(result.config.settings.identities->size(), 1);
    QVERIFY(!result.config.settings.identities->find("sensor-17")->reply);
}

void TestConfig::qtExampleFileIsAccepted()
{
    const ConfigResult result = m_folder.load(sourceFile(u"config/examples/qt-dtls-example.ini"_s));
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    QCOMPARE(m_folder.texts(result.warnings),
             QStringList{u"DIR/dtlsd.ini:24: [identity *]: any device that holds this key is "
                         "accepted under any name"_s});
    const PskIdentity *anybody = result.config.settings.identities->find("Qt DTLS client");
    QVERIFY(anybody != nullptr);
    QCOMPARE(anybody->key.bytes(), QByteArray("\x1a\x2b\x3c\x4d\x5e\x6f"));
    QVERIFY(result.config.settings.keepCiphertext);
    QCOMPARE(result.config.settings.reply.reply.text(), QStringLiteral("ack"));
    QCOMPARE(result.config.server.listen, ListenOptions().listen);
}

void TestConfig::everyValueIsRead()
{
    const QByteArray values = R"(server.listen=127.0.0.1:1, [::1]:2
server.workers=3
server.identity_hint=hint; with a blank, and more
server.reply={size} of {peer}
server.forward=127.0.0.1:5683
server.forward_header=proxy
server.receive_buffer=64K
server.cookie_secret=
server.watch_interval=5s
server.keep_sessions=no
server.node=255
tls.ciphers=iot
tls.backend=qt
tls.connection_ids=no
tls.mtu=1400
tls.min_key_bytes=20
tls.unknown_identity=alert
limits.max_sessions=7
limits.max_sessions_per_identity=4
limits.max_half_open=6
limits.handshakes_per_second=3
limits.datagrams_per_second=5
limits.handshake_timeout=2s
limits.idle_timeout=90s
limits.idle_timeout_with_id=7d
limits.session_lifetime=2d
log.target=json
log.level=debug
log.payload=hex
log.ciphertext=yes
log.queue=9
log.statistics_interval=0
control.socket=/run/a b/c.sock
control.metrics_file=/var/x.prom
psk.file=)";
    QByteArray text = "[identity a]\nkey = text:twenty bytes, or more\n";
    for (const QByteArray &line : values.split('\n')) {
        const QByteArray section = line.first(line.indexOf('.'));
        const QByteArray key =
            line.sliced(section.size() + 1, line.indexOf('=') - section.size() - 1);
        const QByteArray value = line.sliced(line.indexOf('=') + 1);
        if (!text.contains('[' + section + ']'))
            text += '[' + section + "]\n";
        text += key + " = " + (value.contains(';') ? '"' + value + '"' : value) + '\n';
    }
    const ConfigResult result = m_folder.load(text);
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    QCOMPARE(written(result.config), QString::fromLatin1(values).split(u'\n'));
    // Types, not only texts.
    QCOMPARE(result.config.settings.limits.idleTimeout, 90s);
    QCOMPARE(result.config.settings.limits.idleTimeoutWithId, 7 * 24h);
    QCOMPARE(result.config.settings.node, 255);
    QVERIFY(!result.config.settings.tls.connectionIds);
    QVERIFY(!result.config.server.keepSessions);
    QCOMPARE(result.config.server.receiveBuffer, 65536);
    QCOMPARE(result.config.log.level, Priority::Debug);
    QCOMPARE(result.config.log.statisticsInterval, 0ms);
    QVERIFY(result.config.settings.tls.ciphers.cipherString().contains(":PSK-AES128-CCM8"));
}

void TestConfig::identityIsRead()
{
    const ConfigResult result = m_folder.load("[psk]\nfile =\n"
                                              "[identity t\xc3\xbcr 1/a=b]\n"
                                              "key = base64:AAECAwQFBgcICQoLDA0ODw==\n"
                                              "next_key = \"text:sixteen bytes; ok\"\n"
                                              "allow_from = 10.0.0.0/8, fd00::/8, 192.0.2.7\n"
                                              "reply = none\n"
                                              "datagrams_per_second = 7\n");
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    QCOMPARE(result.config.settings.datagramsPerSecond("t\xc3\xbcr 1/a=b"), 7);
    const PskIdentity *identity = result.config.settings.identities->find("t\xc3\xbcr 1/a=b");
    QVERIFY(identity != nullptr);
    QCOMPARE(identity->key.bytes().toHex(), QByteArray("000102030405060708090a0b0c0d0e0f"));
    QCOMPARE(identity->nextKey.bytes(), QByteArray("sixteen bytes; ok"));
    QVERIFY(identity->reply && identity->reply->text() == u"none");
    QVERIFY(identity->allows(*SocketAddress::parse(u"10.200.0.1:5")));
    QVERIFY(identity->allows(*SocketAddress::parse(u"[fd01::1]:5")));
    QVERIFY(identity->allows(*SocketAddress::parse(u"192.0.2.7:5")));
    QVERIFY(!identity->allows(*SocketAddress::parse(u"192.0.2.8:5")));
    QVERIFY(!identity->allows(*SocketAddress::parse(u"[2001:db8::1]:5")));
}

void TestConfig::theEmptyIdentityIsRead()
{
    const QByteArray text = "[psk]\nfile =\n[identity \"\"] ; of a device without a name\n"
                            "key = hex:00112233445566778899aabbccddeeff\nreply = none\n";
    const ConfigResult result = m_folder.load(text);
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    QCOMPARE(m_folder.texts(result.warnings), QStringList());
    const PskIdentity *identity = result.config.settings.identities->find("");
    QVERIFY(identity != nullptr);
    QCOMPARE(identity->key.bytes().toHex(), QByteArray("00112233445566778899aabbccddeeff"));
    QVERIFY(identity->reply && identity->reply->text() == u"none");
    QCOMPARE(result.config.settings.identities->find("\"\""), nullptr);
    const ConfigResult silent =
        m_folder.load(text + "[log]\nlevel = error\n[server]\nreply = none");
    QCOMPARE(m_folder.texts(silent.errors), QStringList());
    const QByteArray loud = QByteArray(text).replace("reply = none", "reply = ack");
    const ConfigResult refused =
        m_folder.load(loud + "[log]\nlevel = error\n[server]\nreply = none");
    QCOMPARE(refused.errors.size(), 1);
    QVERIFY(refused.errors[0].text.contains(u" in [identity \"\"] would acknowledge"_s));
}

void TestConfig::anIPv4NetworkInIPv6FormIsReadAsIPv4_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("shown");
    QTest::newRow("a network") << QByteArray("::ffff:10.0.0.0/104") << QByteArray("10.0.0.0/8");
    QTest::newRow("a network in hex") << QByteArray("::ffff:a00:0/104") << QByteArray("10.0.0.0/8");
    QTest::newRow("a host") << QByteArray("::ffff:10.1.2.3") << QByteArray("10.1.2.3/32");
    QTest::newRow("all of IPv4") << QByteArray("::ffff:0:0/96") << QByteArray("0.0.0.0/0");
}

void TestConfig::anIPv4NetworkInIPv6FormIsReadAsIPv4()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, shown);
    const ConfigResult result = m_folder.load(
        "[psk]\nfile =\n[identity a]\nkey = text:sixteen bytes ok\nallow_from = " + text + '\n');
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    const PskIdentity *identity = result.config.settings.identities->find("a");
    QVERIFY(identity->allows(*SocketAddress::parse(u"10.1.2.3:5")));
    QVERIFY(identity->allows(*SocketAddress::parse(u"[::ffff:10.1.2.3]:5")));
    QVERIFY(!identity->allows(*SocketAddress::parse(u"[2001:db8::1]:5")));
    QVERIFY(showConfig(result.config).contains("\nallow_from = " + shown + '\n'));
}

void TestConfig::quotedListIsAList()
{
    const ConfigResult result =
        m_folder.load("[server]\nlisten = \"127.0.0.1:1 ,127.0.0.1:2\"\n[psk]\nfile =\n"
                      "[identity a]\nkey = text:sixteen bytes ok\n");
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    QCOMPARE(result.config.server.listen.size(), 2);
}

void TestConfig::receiptsAreAllowedWhereTheyAreLogged_data()
{
    QTest::addColumn<QByteArray>("reply");
    QTest::addColumn<QByteArray>("level");
    QTest::newRow("ack at info") << QByteArray("ack") << QByteArray("info");
    QTest::newRow("ack at debug") << QByteArray("ack") << QByteArray("debug");
    QTest::newRow("none at error") << QByteArray("none") << QByteArray("error");
    QTest::newRow("echo at warning") << QByteArray("echo") << QByteArray("warning");
    QTest::newRow("a text at info") << QByteArray("got {size}") << QByteArray("info");
}

void TestConfig::receiptsAreAllowedWhereTheyAreLogged()
{
    QFETCH(QByteArray, reply);
    QFETCH(QByteArray, level);
    const ConfigResult result =
        m_folder.load("[server]\nreply = " + reply + "\n[log]\nlevel = " + level +
                      "\n[psk]\nfile =\n[identity a]\n" + "key = text:sixteen bytes ok\n");
    QCOMPARE(m_folder.texts(result.errors), QStringList());
}

void TestConfig::warnings_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<unsigned>("mode");
    QTest::addColumn<QStringList>("expected");
    const QByteArray inlineKey = "[psk]\nfile =\n[identity a]\nkey = text:sixteen bytes ok\n";
    const QByteArray fileKey = "[psk]\nfile =\n[identity a]\nkey = file:a.key\n";
    const auto row = [](const char *name, const QByteArray &text, unsigned mode,
                        const QStringList &expected) {
        QTest::newRow(name) << text << mode << expected;
    };
    row("nothing to warn about", inlineKey, 0640, {});
    row("keys that others can read", inlineKey, 0644,
        {u"DIR/dtlsd.ini: others can read the keys in this file (mode 0644); chmod 0640 "
         "DIR/dtlsd.ini mends that"_s});
    row("a file without keys that others can read", fileKey, 0644, {});
    row("a file that others can change", fileKey, 0646,
        {u"DIR/dtlsd.ini: others can change it (mode 0646); chmod 0640 DIR/dtlsd.ini mends that"_s});
    row("an identity in single quotes, which are a part of it",
        inlineKey + "[identity 'b']\nkey = text:sixteen bytes ok\n", 0640,
        {u"DIR/dtlsd.ini:5: [identity 'b']: the identity has quotes around it, which are a part of "
         "it; a device that sends them as well is accepted"_s});
    row("an identity that begins with a blank that never breaks",
        inlineKey + "[identity \xc2\xa0"
                    "b]\nkey = text:sixteen bytes ok\n",
        0640,
        {u"DIR/dtlsd.ini:5: [identity \u00a0"
         "b]: the identity begins with a blank or an "
         "invisible character, which is a part of it; a device that sends it as well is accepted"_s});
    row("an identity that would be a comment in a key file",
        inlineKey + "[identity //b]\nkey = text:sixteen bytes ok\n", 0640, {});
    row("a wildcard", inlineKey + "[identity *]\nkey = text:for one and for all\n", 0640,
        {u"DIR/dtlsd.ini:5: [identity *]: any device that holds this key is accepted under any "
         "name"_s});
}

void TestConfig::warnings()
{
    QFETCH(QByteArray, text);
    QFETCH(unsigned, mode);
    QFETCH(QStringList, expected);
    m_folder.write(u"a.key"_s, "text:sixteen bytes ok\n");
    const ConfigResult result = loadConfig(m_folder.write(u"dtlsd.ini"_s, text, mode));
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    QCOMPARE(m_folder.texts(result.warnings), expected);
}

void TestConfig::aFileWithKeysThatOthersCanChangeIsAnError()
{
    const QByteArray text = "[psk]\nfile =\n[identity a]\nkey = text:sixteen bytes ok\n";
    const ConfigResult result = loadConfig(m_folder.write(u"dtlsd.ini"_s, text, 0642));
    QCOMPARE(m_folder.texts(result.errors),
             QStringList{u"DIR/dtlsd.ini: others can change it (mode 0642); chmod 0640 "
                         "DIR/dtlsd.ini mends that"_s});
}

void TestConfig::missingFileIsAnError()
{
    const ConfigResult result = loadConfig(m_folder.path(u"absent.ini"_s));
    QCOMPARE(m_folder.texts(result.errors),
             QStringList{u"DIR/absent.ini: cannot be opened: No such file or directory"_s});
}

void TestConfig::defaultConfigWantsAnIdentity()
{
    if (QFile::exists(defaultKeyFile))
        QSKIP("this machine has the default key file");
    const ConfigResult result = loadDefaultConfig();
    QCOMPARE(m_folder.texts(result.errors),
             QStringList{u"no identity is configured; a line identity:hexkey in "
                         "/etc/dtlsd/psk.txt ([psk] file) or a section [identity NAME] with "
                         "key = hex:... is accepted"_s});
    Config defaults;
    defaults.keys.file.clear(); // since it is absent
    QCOMPARE(written(result.config), written(defaults));
}

void TestConfig::defaultKeyFileMayBeAbsent()
{
    if (QFile::exists(defaultKeyFile))
        QSKIP("this machine has the default key file");
    const QByteArray identity = "[identity a]\nkey = text:sixteen bytes ok\n";
    QCOMPARE(m_folder.texts(m_folder.load(identity).errors), QStringList());
    QCOMPARE(m_folder.texts(m_folder.load(identity + "[psk]\nfile = /etc/dtlsd/psk.txt\n").errors),
             QStringList{u"DIR/dtlsd.ini:4: [psk] file: /etc/dtlsd/psk.txt: cannot be opened: No "
                         "such file or directory"_s});
}

/// Those that are not there as well: they may come.
void TestConfig::everyFileIsNamed()
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

DTLSD_TEST(TestConfig)
#include "tst_config.moc"
