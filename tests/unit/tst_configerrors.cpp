// SPDX-License-Identifier: Apache-2.0
//
// What an operator reads about a broken configuration, word by word; and never a key in it.
#include "support/ConfigFolder.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace Qt::StringLiterals;

namespace {

// Every key in these tests has one of these in it, and no message may.
const QStringList secrets{u"5ec2e7"_s, u"5EC2E7"_s, u"sesame"_s, u"c2VzYW1l"_s};

constexpr auto secretKey = "5ec2e75ec2e75ec2e75ec2e75ec2e75e";

/// What makes @p broken complete but for what is wrong with it.
QByteArray completed(const QByteArray &broken)
{
    return broken + "\n[identity valid]\nkey = hex:" + secretKey + "\n[psk]\nfile =\n";
}

void verifyNoSecretIn(const QStringList &messages)
{
    for (const QString &secret : secrets) {
        for (const QString &message : messages)
            QVERIFY2(!message.contains(secret), qPrintable(message));
    }
}

} // namespace

class TestConfigErrors : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void syntax_data();
    void syntax() { check(); }
    void names_data();
    void names() { check(); }
    void values_data();
    void values() { check(); }
    void identities_data();
    void identities() { check(); }
    void keyFile_data();
    void keyFile();
    void everyErrorIsReportedInOneRunAndInOrder();
    void errorsAreBounded();
    void hostileTextIsEscaped();

private:
    static void columns();
    void check();

    ConfigFolder m_folder;
};

void TestConfigErrors::columns()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QStringList>("expected");
}

void TestConfigErrors::check()
{
    QFETCH(QByteArray, text);
    QFETCH(QStringList, expected);
    const ConfigResult result = m_folder.load(completed(text));
    const QStringList errors = m_folder.texts(result.errors);
    QCOMPARE(errors.join(u'\n'), expected.join(u'\n'));
    verifyNoSecretIn(errors + m_folder.texts(result.warnings));
}

/// One line that is wrong, and what is said after its place.
static void row(const char *name, const QByteArray &text, const QStringList &expected)
{
    QTest::newRow(name) << text << expected;
}

void TestConfigErrors::syntax_data()
{
    columns();
    row("a byte that is not UTF-8", "[log]\nlevel = \xff",
        {u"DIR/dtlsd.ini:2: [log]: the line is not valid UTF-8; UTF-8 is accepted"_s});
    row("a UTF-8 sequence that the line ends in", "[log]\nlevel = \xe2\x82",
        {u"DIR/dtlsd.ini:2: [log]: the line is not valid UTF-8; UTF-8 is accepted"_s});
    row("a byte order mark in the middle", "[log]\nlevel = \xef\xbb\xbfinfo",
        {u"DIR/dtlsd.ini:2: [log]: the line has a byte order mark inside; one at the start of the file is accepted"_s});
    row("UTF-16 as Windows writes it", QByteArray("\xff\xfe[\0l\0o\0g\0]\0\n\0", 14),
        {u"DIR/dtlsd.ini:1: the file is UTF-16; UTF-8 is accepted"_s});
    row("a control byte",
        "[log]\nlevel = in\x07"
        "fo",
        {u"DIR/dtlsd.ini:2: [log]: the line has the control character 0x07; printable text and tabs are accepted"_s});
    row("a carriage return in the middle", "[log]\nlevel = info\rtarget = json",
        {u"DIR/dtlsd.ini:2: [log]: the line has the control character 0x0d; printable text and tabs are accepted"_s});
    row("an entry before any section", "level = info",
        {u"DIR/dtlsd.ini:1: the entry stands before any section; [section] is accepted first"_s});
    row("a line without an equals sign, which may be a key", "[server]\nhex:5ec2e75ec2e7",
        {u"DIR/dtlsd.ini:2: [server]: there is no =; key = value, [section] and comments that begin with ; or # are accepted"_s});
    row("a key with other characters, which may be a secret", "[server]\nopen sesame = 1",
        {u"DIR/dtlsd.ini:2: [server]: what stands before the = is not a key; letters, digits and _ are accepted"_s});
    row("a section without its bracket", "[server\nlisten = 1",
        {u"DIR/dtlsd.ini:1: the [ has no ]; [section] is accepted"_s});
    row("text after a section", "[server] listen = 1",
        {u"DIR/dtlsd.ini:1: there is text after the ]; a comment that begins with ; is accepted"_s});
    row("a section without a name", "[]",
        {u"DIR/dtlsd.ini:1: the section has no name; [section] and [identity NAME] are accepted"_s});
    row("a section twice", "[log]\n[tls]\n[log]\nlevel = loud",
        {u"DIR/dtlsd.ini:3: [log]: the section is already in line 1; each section is accepted once"_s,
         u"DIR/dtlsd.ini:4: [log] level: \"loud\" is unknown; error, warning, notice, info or debug is accepted"_s});
    row("a key twice", "[log]\nlevel = info\n\nlevel = debug",
        {u"DIR/dtlsd.ini:4: [log] level: is already in line 2; each key is accepted once"_s});
    row("a quote that stays open", "[server]\nreply = \"hello",
        {u"DIR/dtlsd.ini:2: [server] reply: the double quote is not closed; \"...\" in one line is accepted"_s});
    row("a quote inside a value", "[server]\nreply = say \"hello\"",
        {u"DIR/dtlsd.ini:2: [server] reply: a double quote stands inside the value; quotes around the whole value are accepted, and \\\" inside them"_s});
    row("text after the closing quote", "[server]\nreply = \"hello\" you",
        {u"DIR/dtlsd.ini:2: [server] reply: there is text after the closing quote; quotes around the whole value are accepted, and \\\" inside them"_s});
    row("a semicolon inside a value", "[server]\nreply = hello;you",
        {u"DIR/dtlsd.ini:2: [server] reply: a ; stands inside the value; \"...\" around the value is accepted, or a blank before the ; of a comment"_s});
    row("a hash sign that was meant to begin a comment", "[limits]\nmax_sessions = 5 # five",
        {u"DIR/dtlsd.ini:2: [limits] max_sessions: a # begins no comment after a value; a comment that begins with ; or \"...\" around the value is accepted"_s});
    row("a backslash without quotes", "[server]\nreply = hello\\n",
        {u"DIR/dtlsd.ini:2: [server] reply: a backslash stands in a value without quotes; \"...\" around the value is accepted, and \\\\ inside it"_s});
    row("an escape that does not exist", "[server]\nreply = \"hello\\n\"",
        {u"DIR/dtlsd.ini:2: [server] reply: a backslash in quotes stands before something else; \\\\ and \\\" are accepted"_s});
    row("an identity with a closing bracket", "[identity a]b]",
        {u"DIR/dtlsd.ini:1: the section's name has a ]; an identity with ] is accepted in the file that [psk] file names"_s});
    row("an identity that ends with a blank", "[identity a ]",
        {u"DIR/dtlsd.ini:1: the identity begins or ends with a blank; one without is accepted, and any in the file that [psk] file names"_s});
    row("an identity that begins with a blank", "[identity  a]",
        {u"DIR/dtlsd.ini:1: the identity begins or ends with a blank; one without is accepted, and any in the file that [psk] file names"_s});
    row("an identity in quotes", "[identity \"a\"]",
        {u"DIR/dtlsd.ini:1: the identity begins with a double quote; [identity NAME] without quotes is accepted, and [identity \"\"] for the empty one"_s});
    row("an identity with a quote that stays open", "[identity \"a]",
        {u"DIR/dtlsd.ini:1: the identity begins with a double quote; [identity NAME] without quotes is accepted, and [identity \"\"] for the empty one"_s});
    row("an identity of two blanks", "[identity  ]",
        {u"DIR/dtlsd.ini:1: the section has no name; [section] and [identity NAME] are accepted"_s});
    row("the empty identity twice",
        "[identity \"\"]\nkey = hex:" + QByteArray(secretKey) + "\n[identity \"\"]",
        {u"DIR/dtlsd.ini:3: [identity \"\"]: the section is already in line 1; each section is accepted once"_s});
    row("the empty identity without a key", "[identity \"\"]",
        {u"DIR/dtlsd.ini:1: [identity \"\"]: there is no key; key = hex:..., base64:..., text:... or file:... is accepted"_s});
}

void TestConfigErrors::names_data()
{
    columns();
    row("a section that is nearly right", "[limit]\nmax_sessions = 5",
        {u"DIR/dtlsd.ini:1: [limit]: the section is unknown (did you mean [limits]?); server, tls, limits, log, control, psk and identity NAME are accepted"_s});
    row("a section that is nothing like one", "[database]\nhost = x",
        {u"DIR/dtlsd.ini:1: [database]: the section is unknown; server, tls, limits, log, control, psk and identity NAME are accepted"_s});
    row("a key that is nearly right", "[limits]\nmax_session = 5",
        {u"DIR/dtlsd.ini:2: [limits] max_session: is unknown (did you mean max_sessions?); max_sessions, max_sessions_per_identity, max_half_open, handshakes_per_second, datagrams_per_second, handshake_timeout, idle_timeout, idle_timeout_with_id and session_lifetime are accepted"_s});
    row("a key in the wrong case", "[limits]\nMax-Sessions = 5",
        {u"DIR/dtlsd.ini:2: [limits] Max-Sessions: is unknown (did you mean max_sessions?); max_sessions, max_sessions_per_identity, max_half_open, handshakes_per_second, datagrams_per_second, handshake_timeout, idle_timeout, idle_timeout_with_id and session_lifetime are accepted"_s});
    row("a key in the wrong section", "[server]\nmax_sessions = 5",
        {u"DIR/dtlsd.ini:2: [server] max_sessions: belongs in [limits]; here listen, workers, identity_hint, reply, forward, forward_header, receive_buffer, cookie_secret, watch_interval, keep_sessions and node are accepted"_s});
    row("a key that is nothing like one", "[control]\nport = 5",
        {u"DIR/dtlsd.ini:2: [control] port: is unknown; socket and metrics_file are accepted"_s});
    row("an identity without a name", "[identity]\nkey = hex:5ec2e7",
        {u"DIR/dtlsd.ini:1: [identity]: the identity has no name; [identity NAME] is accepted, and [identity \"\"] for the empty one"_s,
         u"DIR/dtlsd.ini:2: [identity] key: is 3 bytes long; 16 to 64 bytes are accepted ([tls] min_key_bytes)"_s});
    row("a key that is nearly right in an identity", "[identity a]\nkeys = hex:5ec2e7",
        {u"DIR/dtlsd.ini:1: [identity a]: there is no key; key = hex:..., base64:..., text:... or file:... is accepted"_s,
         u"DIR/dtlsd.ini:2: [identity a] keys: is unknown (did you mean key?); key, next_key, allow_from, reply, forward and datagrams_per_second are accepted"_s});
    row("a secret where a key's name should be", "[identity a]\nc2VzYW1lIG9wZW4gbm93IQ==",
        {u"DIR/dtlsd.ini:1: [identity a]: there is no key; key = hex:..., base64:..., text:... or file:... is accepted"_s,
         u"DIR/dtlsd.ini:2: [identity a]: there is an unknown key; key, next_key, allow_from, reply, forward and datagrams_per_second are accepted"_s});
}

void TestConfigErrors::values_data()
{
    columns();
    row("a number in letters", "\n\n\n\n\n[limits]\nmax_sessions = ten",
        {u"DIR/dtlsd.ini:7: [limits] max_sessions: \"ten\" is not a number; a whole number from 1 "
         u"to "
         "10000000 is accepted"_s});
    row("a number with a sign", "[limits]\nmax_sessions = -1",
        {u"DIR/dtlsd.ini:2: [limits] max_sessions: \"-1\" is not a number; a whole number from 1 to 10000000 is accepted"_s});
    row("a number that is too small", "[limits]\nmax_half_open = 0",
        {u"DIR/dtlsd.ini:2: [limits] max_half_open: \"0\" is out of range; a whole number from 1 to 10000000 is accepted"_s});
    row("a number that is missing", "[limits]\nmax_half_open =",
        {u"DIR/dtlsd.ini:2: [limits] max_half_open: the value is missing; a whole number from 1 to 10000000 is accepted"_s});
    row("a number beyond all numbers", "[limits]\nmax_sessions_per_identity = 99999999999999999999",
        {u"DIR/dtlsd.ini:2: [limits] max_sessions_per_identity: \"99999999999999999999\" is not a number; a whole number from 1 to 10000000, or 0 for no limit, is accepted"_s});
    row("too many threads", "[server]\nworkers = 257",
        {u"DIR/dtlsd.ini:2: [server] workers: \"257\" is out of range; auto or a whole number from 1 to 256 is accepted"_s});
    row("sessions to be kept whatever happens", "[server]\nkeep_sessions = yes",
        {u"DIR/dtlsd.ini:2: [server] keep_sessions: \"yes\" is unknown; auto or no is accepted"_s});
    row("a node that does not fit into a byte", "[server]\nnode = 256",
        {u"DIR/dtlsd.ini:2: [server] node: \"256\" is out of range; a whole number from 0 to 255 is accepted"_s});
    row("a node that is negative", "[server]\nnode = -1",
        {u"DIR/dtlsd.ini:2: [server] node: \"-1\" is not a number; a whole number from 0 to 255 is accepted"_s});
    row("a duration without a unit", "[limits]\nidle_timeout = 600",
        {u"DIR/dtlsd.ini:2: [limits] idle_timeout: \"600\" is not a duration; 1s to 7d, a whole number with ms, s, min, h or d, is accepted"_s});
    row("an idle timeout with an ID that is too long", "[limits]\nidle_timeout_with_id = 8d",
        {u"DIR/dtlsd.ini:2: [limits] idle_timeout_with_id: \"8d\" is out of range; 1s to 7d, a whole number with ms, s, min, h or d, is accepted"_s});
    row("a duration that is too long", "[limits]\nhandshake_timeout = 1h",
        {u"DIR/dtlsd.ini:2: [limits] handshake_timeout: \"1h\" is out of range; 1s to 5min, a whole number with ms, s, min, h or d, is accepted"_s});
    row("statistics too often", "[log]\nstatistics_interval = 10ms",
        {u"DIR/dtlsd.ini:2: [log] statistics_interval: \"10ms\" is out of range; 0 for off or 1s to 7d, a whole number with ms, s, min, h or d, is accepted"_s});
    row("a size in a unit of its own", "[server]\nreceive_buffer = 4 MB",
        {u"DIR/dtlsd.ini:2: [server] receive_buffer: \"4 MB\" is not a size; 4K to 1G, in bytes or with K, M or G, is accepted"_s});
    row("a size that is too small", "[server]\nreceive_buffer = 1K",
        {u"DIR/dtlsd.ini:2: [server] receive_buffer: \"1K\" is out of range; 4K to 1G, in bytes or with K, M or G, is accepted"_s});
    row("an address without a port", "[server]\nlisten = 0.0.0.0",
        {u"DIR/dtlsd.ini:2: [server] listen: \"0.0.0.0\" is not an address with a port; one or more of the form 192.0.2.1:22334 or [2001:db8::1]:22334, with commas between, are accepted"_s});
    row("a host name", "[server]\nlisten = [::]:22334, localhost:22334",
        {u"DIR/dtlsd.ini:2: [server] listen: \"localhost:22334\" is not an address with a port; one or more of the form 192.0.2.1:22334 or [2001:db8::1]:22334, with commas between, are accepted"_s});
    row("the same address twice", "[server]\nlisten = [::]:1, 0.0.0.0:1, [0::0]:1",
        {u"DIR/dtlsd.ini:2: [server] listen: \"[0::0]:1\" is there twice; one or more of the form 192.0.2.1:22334 or [2001:db8::1]:22334, with commas between, are accepted"_s});
    row("a link-local address without its interface", "[server]\nlisten = [fe80::1]:1, 0.0.0.0:1",
        {u"DIR/dtlsd.ini:2: [server] listen: \"[fe80::1]:1\" is link-local and names no interface, as [fe80::1%eth0]:1 does; one or more of the form 192.0.2.1:22334 or [2001:db8::1]:22334, with commas between, are accepted"_s});
    row("a link-local address with a % alone", "[server]\nlisten = [fe80::1%]:1",
        {u"DIR/dtlsd.ini:2: [server] listen: \"[fe80::1%]:1\" is link-local and names no interface, as [fe80::1%eth0]:1 does; one or more of the form 192.0.2.1:22334 or [2001:db8::1]:22334, with commas between, are accepted"_s});
    row("no address", "[server]\nlisten =",
        {u"DIR/dtlsd.ini:2: [server] listen: the value is missing; one or more of the form 192.0.2.1:22334 or [2001:db8::1]:22334, with commas between, are accepted"_s});
    row("an identity hint that is too long", "[server]\nidentity_hint = " + QByteArray(129, 'x'),
        {u"DIR/dtlsd.ini:2: [server] identity_hint: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\" has 129 bytes; nothing or a text of up to 128 bytes is accepted"_s});
    row("a placeholder that does not exist", "[server]\nreply = hi {name}",
        {u"DIR/dtlsd.ini:2: [server] reply: \"hi {name}\" has an unknown placeholder {name}; ack, none, echo or a text with {peer}, {identity}, {size} and {sequence} is accepted"_s});
    row("a cipher suite that does not exist", "[tls]\nciphers = best",
        {u"DIR/dtlsd.ini:2: [tls] ciphers: \"best\" names no cipher suite that OpenSSL knows; strict, modern, iot or an OpenSSL cipher string of PSK suites with AEAD is accepted"_s});
    row("a cipher suite that the security level leaves out",
        "[tls]\nciphers = PSK-AES128-GCM-SHA256:@SECLEVEL=3",
        {u"DIR/dtlsd.ini:2: [tls] ciphers: \"PSK-AES128-GCM-SHA256:@SECLEVEL=3\" names PSK-AES128-GCM-SHA256, which OpenSSL leaves out at security level 3, and offers with :@SECLEVEL=2 at the end; strict, modern, iot or an OpenSSL cipher string of PSK suites with AEAD is accepted"_s});
    row("a cipher suite that is not AEAD", "[tls]\nciphers = PSK-AES128-CBC-SHA",
        {u"DIR/dtlsd.ini:2: [tls] ciphers: \"PSK-AES128-CBC-SHA\" offers PSK-AES128-CBC-SHA, not PSK with AEAD; strict, modern, iot or an OpenSSL cipher string of PSK suites with AEAD is accepted"_s});
    row("a TLS backend that does not exist", "[tls]\nbackend = openssl",
        {u"DIR/dtlsd.ini:2: [tls] backend: \"openssl\" is unknown; auto, dtlsd or qt is accepted"_s});
    row("connection IDs neither on nor off", "[tls]\nconnection_ids = auto",
        {u"DIR/dtlsd.ini:2: [tls] connection_ids: \"auto\" is unknown; yes or no is accepted"_s});
    row("a datagram that is too small", "[tls]\nmtu = 500",
        {u"DIR/dtlsd.ini:2: [tls] mtu: \"500\" is out of range; a whole number from 576 to 9000 is accepted"_s});
    row("a word that is nearly right", "[log]\ntarget = jornal",
        {u"DIR/dtlsd.ini:2: [log] target: \"jornal\" is unknown (did you mean journal?); auto, journal, json or text is accepted"_s});
    row("a word that is nothing like one", "[log]\nciphertext = 1",
        {u"DIR/dtlsd.ini:2: [log] ciphertext: \"1\" is unknown; yes or no is accepted"_s});
    row("a relative path", "[control]\nsocket = run/control.sock",
        {u"DIR/dtlsd.ini:2: [control] socket: \"run/control.sock\" does not begin with /; nothing or an absolute path of up to 107 bytes is accepted"_s});
    row("a log level that would lose acknowledged datagrams", "[log]\nlevel = notice",
        {u"DIR/dtlsd.ini:2: [log] level: \"notice\" with a reply other than none and echo in [server] would acknowledge datagrams that are not in the log; level = info or debug, or reply = none or echo, is accepted"_s});
    row("a log level that would lose an identity's datagrams",
        "[server]\nreply = none\n[log]\nlevel = error\n[identity a]\nkey = hex:" +
            QByteArray(secretKey) + "\nreply = got {size}",
        {u"DIR/dtlsd.ini:4: [log] level: \"error\" with a reply other than none and echo in [identity a] would acknowledge datagrams that are not in the log; level = info or debug, or reply = none or echo, is accepted"_s});
}

void TestConfigErrors::identities_data()
{
    columns();
    const auto identity = [](const char *name, const QByteArray &key, const QStringList &expected) {
        row(name, "[identity a]\nkey = " + key, expected);
    };
    identity(
        "a key without a form", secretKey,
        {u"DIR/dtlsd.ini:2: [identity a] key: has no known form; hex:, base64:, text: or file: before the key is accepted"_s});
    identity(
        "a key in a form that does not exist", "hec:" + QByteArray(secretKey),
        {u"DIR/dtlsd.ini:2: [identity a] key: has no known form; hex:, base64:, text: or file: before the key is accepted"_s});
    identity(
        "a key that is missing", "",
        {u"DIR/dtlsd.ini:2: [identity a] key: is missing; hex:, base64:, text: or file: before the key is accepted"_s});
    identity(
        "a key with an odd number of digits", "hex:5ec2e7f",
        {u"DIR/dtlsd.ini:2: [identity a] key: is not hexadecimal: it has an odd number of digits; an even number of hexadecimal digits is accepted"_s});
    identity(
        "a key with 0x before it", "0x" + QByteArray(secretKey),
        {u"DIR/dtlsd.ini:2: [identity a] key: has no known form: it begins with 0x; hex:, base64:, text: or file: before the key is accepted"_s});
    identity(
        "a key with 0x behind hex:", "hex:0x" + QByteArray(secretKey),
        {u"DIR/dtlsd.ini:2: [identity a] key: is not hexadecimal: it begins with 0x; an even number of hexadecimal digits is accepted"_s});
    identity(
        "a key in base64 without its form", "c2VzYW1lIG9wZW4gbm93IQ==",
        {u"DIR/dtlsd.ini:2: [identity a] key: has no known form: it looks like base64; hex:, base64:, text: or file: before the key is accepted"_s});
    identity(
        "a key with a letter that is no digit", "hex:5ec2e7xx",
        {u"DIR/dtlsd.ini:2: [identity a] key: is not hexadecimal; an even number of hexadecimal digits is accepted"_s});
    identity(
        "a key that is too short", "hex:5ec2e7",
        {u"DIR/dtlsd.ini:2: [identity a] key: is 3 bytes long; 16 to 64 bytes are accepted ([tls] min_key_bytes)"_s});
    identity(
        "a key that is too long", "hex:" + QByteArray("5ec2e7").repeated(22),
        {u"DIR/dtlsd.ini:2: [identity a] key: is 66 bytes long; 16 to 64 bytes are accepted ([tls] min_key_bytes)"_s});
    identity(
        "base64 without its padding", "base64:c2VzYW1lIG9wZW4gbm93IQ",
        {u"DIR/dtlsd.ini:2: [identity a] key: is not base64; base64 with its padding is accepted after base64:"_s});
    identity(
        "base64 with a blank", "base64:c2VzYW1lIG9w ZW4gbm93IQ==",
        {u"DIR/dtlsd.ini:2: [identity a] key: is not base64; base64 with its padding is accepted after base64:"_s});
    identity(
        "a text that is too short", "text:sesame",
        {u"DIR/dtlsd.ini:2: [identity a] key: is 6 bytes long; 16 to 64 bytes are accepted ([tls] min_key_bytes)"_s});
    identity(
        "a text that wants quotes", "text:open sesame;now",
        {u"DIR/dtlsd.ini:2: [identity a] key: a ; stands inside the value; \"...\" around the value is accepted, or a blank before the ; of a comment"_s});
    identity(
        "a key file that is not there", "file:absent.key",
        {u"DIR/dtlsd.ini:2: [identity a] key: DIR/absent.key: cannot be opened: No such file or directory"_s});
    row("an identity without a key", "[identity a]\nreply = none",
        {u"DIR/dtlsd.ini:1: [identity a]: there is no key; key = hex:..., base64:..., text:... or file:... is accepted"_s});
    row("an identity that is too long",
        "[identity " + QByteArray(256, 'x') + "]\nkey = hex:" + secretKey,
        {u"DIR/dtlsd.ini:1: [identity "_s + QString(247, u'x') +
         u"…]: the identity has 256 bytes; up to 255 bytes are accepted"_s});
    const QByteArray a = "[identity a]\nkey = hex:" + QByteArray(secretKey) + '\n';
    row("a next key that is wrong", a + "next_key = 5ec2e7",
        {u"DIR/dtlsd.ini:3: [identity a] next_key: has no known form; hex:, base64:, text: or file: before the key is accepted"_s});
    row("a network with a mask", a + "allow_from = 10.0.0.0/255.0.0.0",
        {u"DIR/dtlsd.ini:3: [identity a] allow_from: \"10.0.0.0/255.0.0.0\" has no prefix length from 0 to 32; nothing or networks such as 10.0.0.0/8 and fd00::/8, with commas between, are accepted"_s});
    row("a network that is a host", a + "allow_from = fd00::/8, 10.1.2.3/8",
        {u"DIR/dtlsd.ini:3: [identity a] allow_from: \"10.1.2.3/8\" is not the first address of its network, which is 10.0.0.0/8; nothing or networks such as 10.0.0.0/8 and fd00::/8, with commas between, are accepted"_s});
    row("a network of IPv4 as IPv6 that is larger than IPv4", a + "allow_from = ::ffff:0:0/95",
        {u"DIR/dtlsd.ini:3: [identity a] allow_from: \"::ffff:0:0/95\" is IPv4 in its IPv6 form, which has a prefix length from 96 to 128; nothing or networks such as 10.0.0.0/8 and fd00::/8, with commas between, are accepted"_s});
    row("a network of IPv4 as IPv6 with the prefix length of IPv4",
        a + "allow_from = ::ffff:10.0.0.0/8",
        {u"DIR/dtlsd.ini:3: [identity a] allow_from: \"::ffff:10.0.0.0/8\" is IPv4 in its IPv6 form, which has a prefix length from 96 to 128; nothing or networks such as 10.0.0.0/8 and fd00::/8, with commas between, are accepted"_s});
    row("a network of IPv4 as IPv6 that is a host", a + "allow_from = ::ffff:10.1.2.3/104",
        {u"DIR/dtlsd.ini:3: [identity a] allow_from: \"::ffff:10.1.2.3/104\" is not the first address of its network, which is 10.0.0.0/8; nothing or networks such as 10.0.0.0/8 and fd00::/8, with commas between, are accepted"_s});
    row("a network in short", a + "allow_from = 10/8",
        {u"DIR/dtlsd.ini:3: [identity a] allow_from: \"10/8\" is not a network; nothing or networks such as 10.0.0.0/8 and fd00::/8, with commas between, are accepted"_s});
    row("an identity's reply that is wrong", a + "reply = {sequence",
        {u"DIR/dtlsd.ini:3: [identity a] reply: \"{sequence\" has a { without its }; nothing, ack, none, echo or a text with {peer}, {identity}, {size} and {sequence} is accepted"_s});
}

void TestConfigErrors::keyFile_data()
{
    columns();
    const QByteArray key = secretKey;
    row("a line without a colon", "a:" + key + "\n" + key,
        {u"DIR/psk.txt:2: there is no colon; identity:hexkey is accepted"_s});
    const auto habit = [](const char *name, const QByteArray &text, const QString &told) {
        row(name, "a:" + text,
            {u"DIR/psk.txt:1: the key is not hexadecimal%1; an even number of hexadecimal digits is accepted"_s
                 .arg(told)});
    };
    habit("a key of no known habit", "open sesame", {});
    habit("a key with a form of the INI file", "text:open sesame",
          u": it begins with a prefix, as keys in dtlsd.ini do"_s);
    habit("a key with 0x before it", "0x" + key, u": it begins with 0x"_s);
    habit("a key with 0X before it and a blank", " 0X" + key, u": it begins with 0x"_s);
    habit("a key with 0x before each byte", "0x5e, 0xc2, 0xe7", u": it begins with 0x"_s);
    habit("a key with colons between its bytes", "5e:c2:e7:5E:C2:E7",
          u": it has colons between its bytes"_s);
    habit("a key with hyphens between its bytes", "5e-c2-e7-5E-C2-E7",
          u": it has hyphens between its bytes"_s);
    habit("a key with blanks between its bytes", "5ec2e7 5ec2e7\t5ec2e7",
          u": it has blanks between its digits"_s);
    habit("a blank before the key", " " + key, u": a blank stands before it"_s);
    habit("a blank behind the key", key + " ", u": a blank stands behind it"_s);
    habit("a comment behind the key", key + " # sesame", u": a comment stands behind it"_s);
    habit("a comment behind the key without a blank", key + "#sesame",
          u": a comment stands behind it"_s);
    habit("a comment behind the key as in the INI file", key + " ; sesame",
          u": a comment stands behind it"_s);
    habit("a comment behind the key as in C", key + " // sesame",
          u": a comment stands behind it"_s);
    habit("a key in base64", "c2VzYW1lIG9wZW4gbm93IQ==", u": it looks like base64"_s);
    habit("a key in base64 without its padding", "c2VzYW1lIG9wZW4gbm93IQ",
          u": it looks like base64"_s);
    habit("a key in base64url", "c2VzYW1lIG9wZW4gb-_3IQ==", u": it looks like base64"_s);
    habit("a key in quotes", '"' + key + '"', u": it stands in quotes"_s);
    habit("a key with an odd number of digits", key + "f", u": it has an odd number of digits"_s);
    row("a key that is too short", "a:5ec2e7",
        {u"DIR/psk.txt:1: the key is 3 bytes long; 16 to 64 bytes are accepted ([tls] min_key_bytes)"_s});
    row("a key that is missing", "a:",
        {u"DIR/psk.txt:1: the key is 0 bytes long; 16 to 64 bytes are accepted ([tls] min_key_bytes)"_s});
    row("key and identity the wrong way round", key + ":sensor",
        {u"DIR/psk.txt:1: the key is not hexadecimal; an even number of hexadecimal digits is accepted"_s});
    row("a hash sign without a blank, as GnuTLS has it", "#61:" + key,
        {u"DIR/psk.txt:1: there is no blank after the #; comments that begin with # and a blank are accepted, the #hexidentity: of GnuTLS is not"_s});
    row("an identity that is missing", ":" + key,
        {u"DIR/psk.txt:1: the identity is missing; 1 to 255 bytes are accepted, and for the empty identity a section [identity \"\"] of dtlsd.ini"_s});
    row("an identity with a NUL", QByteArray("a\0b:", 4) + key,
        {u"DIR/psk.txt:1: the identity has 3 bytes and a NUL; 1 to 255 bytes without NUL are accepted"_s});
    row("an identity that is too long", QByteArray(256, 'x') + ":" + key,
        {u"DIR/psk.txt:1: the identity has 256 bytes; 1 to 255 bytes without NUL are accepted"_s});
    const auto utf16 = [&](const QByteArray &mark, int nul) {
        QByteArray text = mark;
        for (const char c : "a:" + key + '\n')
            text += nul == 0 ? QByteArray(1, '\0') + c : QByteArray(1, c) + '\0';
        return text;
    };
    const QStringList isUtf16{u"DIR/psk.txt:1: the file is UTF-16; UTF-8 is accepted"_s};
    row("UTF-16 as Windows writes it", utf16("\xff\xfe", 1), isUtf16);
    row("UTF-16 of the other byte order", utf16("\xfe\xff", 0), isUtf16);
    row("UTF-16 without a byte order mark", utf16({}, 1), isUtf16);
    row("UTF-16 of the other byte order without a mark", utf16({}, 0), isUtf16);
    row("a byte order mark, and an error in the same line", "\xef\xbb\xbf" + key,
        {u"DIR/psk.txt:1: there is no colon; identity:hexkey is accepted"_s});
    row("an identity twice", "# two\na:" + key + "\n\na:" + key,
        {u"DIR/psk.txt:4: the identity is already in line 2; each identity is accepted once"_s});
    row("an identity that has a section too", "valid:" + key,
        {u"DIR/psk.txt:1: the identity is already in DIR/dtlsd.ini:3, [identity valid]; each identity is accepted once"_s});
}

void TestConfigErrors::keyFile()
{
    QFETCH(QByteArray, text);
    QFETCH(QStringList, expected);
    m_folder.write(u"psk.txt"_s, text);
    const ConfigResult result = m_folder.load("[psk]\nfile = psk.txt\n"
                                              "[identity valid]\nkey = hex:5ec2e75ec2e75ec2e75ec2e7"
                                              "5ec2e75e\n");
    const QStringList errors = m_folder.texts(result.errors);
    QCOMPARE(errors.join(u'\n'), expected.join(u'\n'));
    verifyNoSecretIn(errors);
}

void TestConfigErrors::everyErrorIsReportedInOneRunAndInOrder()
{
    m_folder.write(u"psk.txt"_s, "nothing\n");
    const ConfigResult result = m_folder.load("[server]\nworkers = many\nreply = \"\n[sever]\n"
                                              "[identity a]\nkey = x\n[psk]\nfile = psk.txt\n");
    QStringList places;
    for (const ConfigMessage &error : result.errors)
        places += QFileInfo(error.file).fileName() + u':' + QString::number(error.line);
    QCOMPARE(places, (QStringList{u"dtlsd.ini:2"_s, u"dtlsd.ini:3"_s, u"dtlsd.ini:4"_s,
                                  u"dtlsd.ini:6"_s, u"psk.txt:1"_s}));
}

void TestConfigErrors::errorsAreBounded()
{
    m_folder.write(u"psk.txt"_s, QByteArray("nothing\n").repeated(5000));
    const ConfigResult result =
        m_folder.load("[psk]\nfile = psk.txt\n" + QByteArray("nothing\n").repeated(300));
    const QStringList errors = m_folder.texts(result.errors);
    QCOMPARE(errors.size(), 202);
    QCOMPARE(errors[100], u"DIR/dtlsd.ini: 200 more errors"_s);
    QCOMPARE(errors[201], u"DIR/psk.txt: 4900 more errors"_s);
}

void TestConfigErrors::hostileTextIsEscaped()
{
    // U+202E turns the writing direction, U+200B has no width.
    const ConfigResult result =
        m_folder.load(completed("[log]\nlevel = \xe2\x80\xae" + QByteArray(5000, 'x') +
                                "\n[a\xe2\x80\x8b"
                                "b]\n"));
    QCOMPARE(result.errors.size(), 2);
    for (const ConfigMessage &error : result.errors) {
        QVERIFY2(error.text.size() < 300, qPrintable(error.text));
        QVERIFY(!error.text.contains(QChar(0x202e)) && !error.text.contains(QChar(0x200b)));
    }
}

DTLSD_TEST(TestConfigErrors)
#include "tst_configerrors.moc"
