// SPDX-License-Identifier: Apache-2.0
//
// dtls-send, as scripts use it.
#include "support/ChildProcess.h"
#include "support/DaemonProcess.h"
#include "support/PseudoTerminal.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace dtlsd::test;

class TestDtlsSend : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void itsExitStatusTellsWhatHappened_data();
    void itsExitStatusTellsWhatHappened();
    void linesOfStandardInputAreDatagrams();
    void aKeyComesFromTheEnvironment();
    void aReplyIsExactInAPipeAndShownOnATerminal();
    void anErrorIsShownWithoutControls();
    void anOutputThatIsNotThereIsSaid_data();
    void anOutputThatIsNotThereIsSaid();

private:
    struct Outcome
    {
        int status = -1;
        QByteArray output;
        QByteArray errors;
    };
    Outcome send(const QStringList &arguments, const QByteArray &input = {},
                 const QString &environment = {});
    [[nodiscard]] QString server() { return m_daemon->addresses().constFirst().toString(); }

    std::unique_ptr<DaemonProcess> m_daemon;
};

void TestDtlsSend::initTestCase()
{
    m_daemon = std::make_unique<DaemonProcess>(
        "[server]\nlisten = 127.0.0.1:0\nreply = {sequence}\n[psk]\nfile = psk.txt\n"
        "[identity parrot]\nreply = echo\nkey = hex:00112233445566778899aabbccddeeff\n"
        "[identity \"\"]\nreply = to nobody\nkey = hex:0f0e0d0c0b0a09080706050403020100\n"
        "[identity silent]\nreply = none\nkey = hex:00112233445566778899aabbccddeeff\n");
    m_daemon->write(QStringLiteral("psk.txt"), "sensor-17:000102030405060708090a0b0c0d0e0f\n");
    m_daemon->write(QStringLiteral("wrong.txt"), "sensor-17:ffffffffffffffffffffffffffffffff\n");
    m_daemon->write(QStringLiteral("two.txt"), "a:000102030405060708090a0b0c0d0e0f\n"
                                               "b:000102030405060708090a0b0c0d0e0f\n");
    m_daemon->write(QStringLiteral("silent.txt"), "silent:00112233445566778899aabbccddeeff\n");
    m_daemon->write(QStringLiteral("parrot.txt"), "parrot:00112233445566778899aabbccddeeff\n");
    m_daemon->write(QStringLiteral("broken.txt"), "sensor-17:xyz\n");
    QVERIFY2(m_daemon->start(), qPrintable(m_daemon->errorText()));
}

void TestDtlsSend::cleanupTestCase()
{
    QCOMPARE(m_daemon->stop(), 0);
}

TestDtlsSend::Outcome TestDtlsSend::send(const QStringList &arguments, const QByteArray &input,
                                         const QString &environment)
{
    ChildProcess process;
    process.setWorkingDirectory(m_daemon->directory());
    QProcessEnvironment variables = QProcessEnvironment::systemEnvironment();
    if (!environment.isEmpty())
        variables.insert(QStringLiteral("DEVICE_KEY"), environment);
    process.setProcessEnvironment(variables);
    Outcome outcome;
    if (!process.run({QStringLiteral(DTLS_SEND_BINARY), arguments}))
        return outcome;
    process.write(input);
    process.closeWriteChannel();
    if (process.waitForEnd())
        outcome.status = process.exitCode();
    outcome.output = process.readAllStandardOutput();
    outcome.errors = process.readAllStandardError();
    return outcome;
}

void TestDtlsSend::itsExitStatusTellsWhatHappened_data()
{
    QTest::addColumn<QString>("arguments");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("output");
    QTest::addColumn<QString>("problem");
    const auto row = [](const char *name, const char *arguments, int status,
                        const QByteArray &output, const char *problem = "") {
        QTest::newRow(name) << QString::fromLatin1(arguments) << status << output
                            << QString::fromLatin1(problem);
    };
    row("two datagrams", "--psk-file psk.txt SERVER one two", 0, "1\n2\n");
    row("an identity by name", "--psk-file psk.txt --psk-identity sensor-17 SERVER one", 0, "1\n");
    row("no reply", "--psk-file silent.txt --timeout 3s SERVER one", 1, "",
        "no reply within 3000 ms"); // in which its handshake is over
    row("no reply wanted", "--psk-file silent.txt --no-reply SERVER one", 0, "");
    row("a wrong key", "--psk-file wrong.txt --timeout 500ms SERVER one", 2, "",
        "no handshake within 500 ms");
    row("nobody there", "--psk-file psk.txt --timeout 500ms 127.0.0.1:9 one", 2, "",
        "no session with 127.0.0.1:9");
    row("no common cipher suite", "--psk-file psk.txt --ciphers PSK-AES128-CCM SERVER one", 2, "",
        "no session with");
    row("no server", "--psk-file psk.txt", 64, "", "HOST:PORT is missing");
    row("no port", "--psk-file psk.txt 127.0.0.1 one", 64, "", "127.0.0.1 is no server");
    row("no key", "SERVER one", 64, "", "one of --psk-file and --psk-env is needed");
    row("a bad timeout", "--psk-file psk.txt --timeout 5 SERVER one", 64, "",
        "--timeout 5 is no duration");
    row("a CBC suite", "--psk-file psk.txt --ciphers PSK-AES128-CBC-SHA256 SERVER one", 64, "",
        "not PSK with AEAD");
    row("an unknown option", "--nonsense", 64, "", "nonsense");
    row("no such file", "--psk-file none.txt SERVER one", 78, "", "none.txt");
    row("a broken file", "--psk-file broken.txt SERVER one", 78, "", "broken.txt:1");
    row("no such identity", "--psk-file psk.txt --psk-identity x SERVER one", 78, "",
        "psk.txt holds no identity \"x\"");
    row("too many identities", "--psk-file two.txt SERVER one", 78, "",
        "two.txt holds 2 identities");
    row("the empty identity, which no key file has",
        "--psk-file psk.txt --psk-identity= SERVER one", 78, "", "psk.txt holds no identity \"\"");
    row("the empty identity, which is one", "--psk-env NO_SUCH --psk-identity= SERVER one", 78, "",
        "NO_SUCH");
    row("no identity", "--psk-env NO_SUCH SERVER one", 64, "", "--psk-env needs --psk-identity");
    row("no such variable", "--psk-env NO_SUCH --psk-identity x SERVER one", 78, "",
        "no variable NO_SUCH");
}

void TestDtlsSend::itsExitStatusTellsWhatHappened()
{
    QFETCH(QString, arguments);
    QFETCH(int, status);
    QFETCH(QByteArray, output);
    QFETCH(QString, problem);
    const Outcome outcome =
        send(arguments.replace(QStringLiteral("SERVER"), server()).split(u' ', Qt::SkipEmptyParts));
    QVERIFY2(QString::fromUtf8(outcome.errors).contains(problem), outcome.errors);
    QCOMPARE(outcome.status, status);
    QCOMPARE(outcome.output, output);
    QCOMPARE(outcome.errors.isEmpty(), status == 0);
    QVERIFY(!outcome.errors.contains("0001020304"));
}

void TestDtlsSend::linesOfStandardInputAreDatagrams()
{
    QByteArray lines;
    QByteArray replies;
    for (int i = 1; i <= 200; ++i) {
        lines += "line " + QByteArray::number(i) + '\n';
        replies += QByteArray::number(i) + '\n';
    }
    lines.chop(1); // the last one may have no end
    const Outcome outcome =
        send({QStringLiteral("--psk-file"), QStringLiteral("psk.txt"), server()}, lines);
    QCOMPARE(outcome.status, 0);
    QCOMPARE(outcome.output, replies);
    const auto last =
        m_daemon->waitForEvent(QStringLiteral("datagram-received"), [](const QJsonObject &event) {
            return event.value(QStringLiteral("payload")) == QStringLiteral("line 200");
        });
    QVERIFY(last);
}

void TestDtlsSend::aKeyComesFromTheEnvironment()
{
    const QStringList arguments{QStringLiteral("--psk-env"),
                                QStringLiteral("DEVICE_KEY"),
                                QStringLiteral("--psk-identity"),
                                QStringLiteral("sensor-17"),
                                server(),
                                QStringLiteral("hello")};
    for (const char *key :
         {"000102030405060708090a0b0c0d0e0f", "hex:000102030405060708090A0B0C0D0E0F",
          "base64:AAECAwQFBgcICQoLDA0ODw=="}) {
        const Outcome outcome = send(arguments, {}, QString::fromLatin1(key));
        QCOMPARE(outcome.errors, QByteArray());
        QCOMPARE(outcome.status, 0);
    }
    QStringList nameless = arguments;
    nameless.replace(3, QString());
    const Outcome empty = send(nameless, {}, QStringLiteral("0f0e0d0c0b0a09080706050403020100"));
    QCOMPARE(empty.errors, QByteArray());
    QCOMPARE(empty.output, QByteArray("to nobody\n"));
    const Outcome bad = send(arguments, {}, QStringLiteral("secret"));
    QCOMPARE(bad.status, 78);
    QVERIFY(!bad.errors.contains("secret"));
}

void TestDtlsSend::aReplyIsExactInAPipeAndShownOnATerminal()
{
    const QStringList arguments{QStringLiteral("--psk-file"), QStringLiteral("parrot.txt"),
                                server()};
    const QByteArray message = "\x1b[2J\\ \xc2\xb0\xff\r\xe2\x80\xae";
    const Outcome exact = send(arguments, message + '\n');
    QCOMPARE(exact.status, 0);
    QCOMPARE(exact.output, message + '\n');

    PseudoTerminal terminal(80, 24);
    ChildProcess process;
    process.setWorkingDirectory(m_daemon->directory());
    process.setStandardOutputFile(terminal.path());
    QVERIFY(process.run({QStringLiteral(DTLS_SEND_BINARY), arguments}));
    process.write(message + '\n');
    process.closeWriteChannel();
    QVERIFY(process.waitForEnd());
    QCOMPARE(process.exitCode(), 0);
    QCOMPARE(terminal.output(), QByteArray("\\x1b[2J\\\\ \xc2\xb0\\xff\\x0d\\xe2\\x80\\xae\r\n"));
}

void TestDtlsSend::anErrorIsShownWithoutControls()
{
    const Outcome outcome =
        send({QStringLiteral("--psk-file"), QStringLiteral("psk.txt"),
              QStringLiteral("--psk-identity"), QString::fromUtf8("\x1b[2J\u202e"), server()});
    QCOMPARE(outcome.status, 78);
    QCOMPARE(outcome.errors, QByteArray("dtls-send: psk.txt holds no identity "
                                        "\"\\x1b[2J\\xe2\\x80\\xae\"\n"));
}

void TestDtlsSend::anOutputThatIsNotThereIsSaid_data()
{
    QTest::addColumn<QString>("redirection");
    QTest::newRow("closed, so that a socket might get its number") << QStringLiteral(">&-");
    QTest::newRow("full") << QStringLiteral(">/dev/full");
}

void TestDtlsSend::anOutputThatIsNotThereIsSaid()
{
    QFETCH(QString, redirection);
    ChildProcess shell;
    shell.setWorkingDirectory(m_daemon->directory());
    QVERIFY(shell.run({QStringLiteral("/bin/sh"),
                       {QStringLiteral("-c"), QStringLiteral("exec \"$0\" \"$@\" ") + redirection,
                        QStringLiteral(DTLS_SEND_BINARY), QStringLiteral("--psk-file"),
                        QStringLiteral("psk.txt"), server(), QStringLiteral("one")}}));
    QVERIFY(shell.waitForEnd());
    const QByteArray errors = shell.readAllStandardError();
    QVERIFY2(errors.startsWith("dtls-send: standard output cannot be written: "),
             errors.constData());
    QCOMPARE(shell.exitCode(), 74);
}

DTLSD_TEST(TestDtlsSend)
#include "tst_dtlssend.moc"
