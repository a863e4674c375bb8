// SPDX-License-Identifier: Apache-2.0
//
// dtlsctl, as people and scripts use it, against a control socket that says what it is told to.
#include "DtlsctlTest.h"
#include "support/ControlAnswers.h"
#include "support/TestProgram.h"

#include <QFile>
#include <QRegularExpression>

#include <sys/stat.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;

class TestDtlsctl : public DtlsctlTest
{
    Q_OBJECT

private Q_SLOTS:
    void init() { begin(); }
    void helpAndVersionArePrinted();
    void commandsAskAndTell_data();
    void commandsAskAndTell();
    void refusalsHaveTheirExitStatus_data();
    void refusalsHaveTheirExitStatus();
    void whatIsNoAnswerIsSaid_data();
    void whatIsNoAnswerIsSaid();
    void aSlowServerIsWaitedFor();
    void aServerNeedNotReadTheQuestion();
    void manySessionsArePrinted();
    void aSocketThatIsNotThere();
    void aSocketThatNobodyListensAt();
    void aSocketThatIsForOthers_data();
    void aSocketThatIsForOthers();
    void reloadPrintsWarnings();
};

void TestDtlsctl::helpAndVersionArePrinted()
{
    const Outcome help = run({u"--help"_s});
    QCOMPARE(help.status, 0);
    for (const char *word : {"status ",
                             "sessions ",
                             "close SESSION",
                             "close-identity NAME",
                             "send SESSION DATA",
                             "reload ",
                             "restart ",
                             "metrics ",
                             "health ",
                             "key new NAME",
                             "key import FILE",
                             "--socket PATH",
                             "--json ",
                             "--watch ",
                             "--limit N",
                             "--identity NAME",
                             "--format FORMAT",
                             "--version ",
                             "--help ",
                             "Examples:",
                             "  78  "})
        QVERIFY2(help.output.contains(word), word);
    const Outcome version = run({u"--version"_s});
    QCOMPARE(version.status, 0);
    QVERIFY(QRegularExpression(u"^dtlsctl \\d+\\.\\d+\\.\\d+\n$"_s)
                .match(QString::fromUtf8(version.output))
                .hasMatch());
    QCOMPARE(run({u"nonsense"_s}).status, 64);
}

void TestDtlsctl::commandsAskAndTell_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("question");
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<QByteArray>("output");
    const auto row = [](const char *name, const QString &arguments, const QByteArray &question,
                        const QByteArray &answer, const QByteArray &output) {
        QTest::newRow(name) << arguments.split(u' ') << question << answer + '\n' << output;
    };
    const QByteArray health =
        R"({"ok":true,"workers":2,"sockets":4,"connection_ids":true,"keep_sessions":true})";
    const QByteArray metrics = R"({"ok":true,"metrics":"# HELP x\nx{a=\"\\\"\"} 1\n"})";
    const QByteArray reload =
        R"({"ok":true,"message":"configuration reloaded: 1 key","revoked":0,"warnings":[]})";
    row("health", u"health"_s, R"({"command":"health"})", health, "healthy\n");
    row("health as JSON", u"--json health"_s, R"({"command":"health"})", health, health + '\n');
    row("metrics", u"metrics"_s, R"({"command":"metrics"})", metrics,
        "# HELP x\nx{a=\"\\\"\"} 1\n");
    row("metrics as JSON", u"metrics --json"_s, R"({"command":"metrics"})", metrics,
        metrics + '\n');
    row("reload", u"reload"_s, R"({"command":"reload"})", reload,
        "configuration reloaded: 1 key\n");
    row("restart", u"restart"_s, R"({"command":"restart"})",
        R"({"ok":true,"message":"restarting"})", "restarting\n");
    row("close", u"close 0123456789ABCDEF"_s, R"({"command":"close","session":"0123456789abcdef"})",
        R"({"ok":true,"closed":1})", "Session 0123456789abcdef is closed.\n");
    row("close an identity", u"close-identity sensor-17"_s,
        R"({"command":"close-identity","identity":"sensor-17"})", R"({"ok":true,"closed":2})",
        "2 sessions of sensor-17 closed.\n");
    row("send", u"send 0123456789ABCDEF a=1"_s,
        R"({"command":"send","data_base64":"YT0x","session":"0123456789abcdef"})",
        R"({"ok":true,"sent":1})", "Sent to session 0123456789abcdef.\n");
    row("send to an identity", u"send --identity sensor-17 a=1"_s,
        R"({"command":"send","data_base64":"YT0x","identity":"sensor-17"})",
        R"({"ok":true,"sent":2})", "Sent to 2 sessions of sensor-17.\n");
    row("send as JSON", u"--json send --identity sensor-17 a=1"_s,
        R"({"command":"send","data_base64":"YT0x","identity":"sensor-17"})",
        R"({"ok":true,"sent":2})", "{\"ok\":true,\"sent\":2}\n");
    row("no sessions", u"sessions"_s, R"({"command":"sessions"})", sessions(0).chopped(1),
        "No sessions.\n");
    row("no sessions as JSON", u"sessions --json"_s, R"({"command":"sessions"})",
        sessions(0).chopped(1), "");
    row("sessions as JSON", u"sessions --json"_s, R"({"command":"sessions"})",
        sessions(2).chopped(1), (sessionLine + '\n').repeated(2));
    row("the last active of an identity", u"sessions --limit 2 --identity sensor-17"_s,
        R"({"command":"sessions","identity":"sensor-17","limit":2})",
        R"({"ok":true,"sessions":0,"total":0})", "No sessions.\n");
    row("status as JSON", u"--json status"_s, R"({"command":"status"})", statusLine,
        statusLine + '\n');
}

void TestDtlsctl::commandsAskAndTell()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, question);
    QFETCH(QByteArray, answer);
    QFETCH(QByteArray, output);
    m_control->answer(answer);
    const Outcome outcome = ask(arguments);
    QCOMPARE(outcome.errors, QByteArray());
    QCOMPARE(outcome.output, output);
    QCOMPARE(outcome.status, 0);
    QCOMPARE(m_control->questions(), QList<QByteArray>{question + '\n'});
}

void TestDtlsctl::refusalsHaveTheirExitStatus_data()
{
    QTest::addColumn<QString>("command");
    QTest::addColumn<QByteArray>("code");
    QTest::addColumn<int>("status");
    QTest::newRow("bad-request") << u"status"_s << "bad-request"_ba << 1;
    QTest::newRow("unknown-command") << u"metrics"_s << "unknown-command"_ba << 1;
    QTest::newRow("busy") << u"sessions"_s << "busy"_ba << 1;
    QTest::newRow("timeout") << u"status"_s << "timeout"_ba << 1;
    QTest::newRow("not-found") << u"close-identity x"_s << "not-found"_ba << 1;
    QTest::newRow("no device") << u"send --identity x y"_s << "not-found"_ba << 1;
    QTest::newRow("not-sent") << u"send 0123456789abcdef x"_s << "not-sent"_ba << 1;
    QTest::newRow("not-kept") << u"restart"_s << "not-kept"_ba << 1;
    QTest::newRow("unhealthy") << u"health"_s << "unhealthy"_ba << 1;
    QTest::newRow("unavailable") << u"sessions"_s << "unavailable"_ba << 1;
    QTest::newRow("a code of a later version") << u"status"_s << "tired"_ba << 1;
    QTest::newRow("forbidden") << u"reload"_s << "forbidden"_ba << 77;
    QTest::newRow("rejected") << u"reload"_s << "rejected"_ba << 78;
}

void TestDtlsctl::refusalsHaveTheirExitStatus()
{
    QFETCH(QString, command);
    QFETCH(QByteArray, code);
    QFETCH(int, status);
    const QByteArray line = refusal(code, R"(worker 1: \u001b[31m no)");
    m_control->answer(line);
    const Outcome told = ask(command.split(u' '));
    QCOMPARE(told.status, status);
    QCOMPARE(told.output, QByteArray());
    QCOMPARE(told.errors, "dtlsctl: worker 1: \\x1b[31m no\n"_ba);

    const Outcome json = ask(QStringList{u"--json"_s} + command.split(u' '));
    QCOMPARE(json.status, status);
    QCOMPARE(json.output, command == u"sessions" ? QByteArray() : line);
    QCOMPARE(json.errors, told.errors);
}

void TestDtlsctl::whatIsNoAnswerIsSaid_data()
{
    QTest::addColumn<QString>("command");
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<QString>("problem");
    const auto row = [](const char *name, const char *command, const QByteArray &answer,
                        const char *problem) {
        QTest::newRow(name) << QString::fromLatin1(command) << answer
                            << QString::fromLatin1(problem);
    };
    row("nothing", "status", "", "it ends before its last line");
    row("half a line", "status", statusLine.first(100), "it ends before its last line");
    row("a line that does not end", "health", R"({"ok":true})", "it ends before its last line");
    row("another protocol", "status", "220 mail.example ESMTP\r\n", "a line is no JSON object");
    row("bytes", "sessions", "\0\xff\x1b\n"_ba, "a line is no JSON object");
    row("an array", "status", "[true]\n", "a line is no JSON object");
    row("an ok that is no boolean", "health",
        R"({"ok":1})"
        "\n",
        "a line says neither yes nor no");
    row("an empty object", "status", "{\"ok\":true}\n", "it lacks version");
    row("a session without fields", "sessions", "{}\n{\"ok\":true,\"sessions\":1}\n",
        "it lacks session");
    row("sessions without an end", "sessions", sessionLine + '\n', "it ends before its last line");
    row("an end without its session", "sessions", "{\"ok\":true,\"sessions\":1}\n",
        "its sessions are not as many as it says");
    row("a session behind the end", "sessions", sessions(0) + sessionLine + '\n',
        "something stands behind the last line");
    row("half a session behind the end", "sessions", sessions(0) + sessionLine,
        "it ends before its last line");
    row("a refusal without a reason", "health", "{\"ok\":false}\n", "a refusal without a reason");
    row("no metrics", "metrics", "{\"ok\":true}\n", "it lacks metrics");
    row("no number", "close-identity x", "{\"ok\":true}\n", "it lacks closed");
    row("no number of those sent to", "send 0123456789abcdef x", "{\"ok\":true}\n",
        "it lacks sent");
    row("no message", "reload", "{\"ok\":true}\n", "it lacks message");
    row("a line without end", "status", QByteArray(8 << 20, 'x'), "a line is longer than 4M");
}

void TestDtlsctl::whatIsNoAnswerIsSaid()
{
    QFETCH(QString, command);
    QFETCH(QByteArray, answer);
    QFETCH(QString, problem);
    m_control->answer(answer);
    const Outcome outcome = ask(command.split(u' '));
    QCOMPARE(outcome.errors,
             u"dtlsctl: what came from %1 is no answer of dtlsd's: %2; is it the socket of a "
             "dtlsd, and of this version?\n"_s.arg(m_control->path(), problem)
                 .toUtf8());
    QCOMPARE(outcome.output, QByteArray());
    QCOMPARE(outcome.status, 76);
}

void TestDtlsctl::aSlowServerIsWaitedFor()
{
    m_control->answer(sessions(1), FakeControl::Manner::ByteByByte);
    const Outcome outcome = ask({u"--json"_s, u"sessions"_s});
    QCOMPARE(outcome.errors, QByteArray());
    QCOMPARE(outcome.output, sessionLine + '\n');
    QCOMPARE(outcome.status, 0);
}

void TestDtlsctl::aServerNeedNotReadTheQuestion()
{
    m_control->answer(refusal("busy", "too many ask"), FakeControl::Manner::Unasked);
    for (int round = 0; round < 20; ++round) {
        const Outcome outcome = ask({u"status"_s});
        QCOMPARE(outcome.errors, "dtlsctl: too many ask\n"_ba);
        QCOMPARE(outcome.status, 1);
    }
}

void TestDtlsctl::manySessionsArePrinted()
{
    constexpr int number = 20'000; // some 7 MB
    m_control->answer(sessions(number));
    const Outcome json = ask({u"--json"_s, u"sessions"_s});
    QCOMPARE(json.status, 0);
    QCOMPARE(json.output, (sessionLine + '\n').repeated(number));
    const Outcome table = ask({u"sessions"_s});
    QCOMPARE(table.status, 0);
    QCOMPARE(table.output.count('\n'), number + 1);
}

void TestDtlsctl::aSocketThatIsNotThere()
{
    const Outcome outcome = run({u"--socket"_s, u"/nonexistent/\xe4.sock"_s, u"health"_s});
    QCOMPARE(outcome.status, 69);
    QCOMPARE(outcome.errors,
             "dtlsctl: there is no socket /nonexistent/\u00e4.sock; is dtlsd running, and is "
             "[control] socket of its configuration this one?\n"_ba);
}

void TestDtlsctl::aSocketThatNobodyListensAt()
{
    QFile file(m_control->directory() + u"/file"_s);
    QVERIFY(file.open(QIODevice::WriteOnly));
    const Outcome outcome = run({u"--socket"_s, file.fileName(), u"health"_s});
    QCOMPARE(outcome.status, 69);
    QCOMPARE(outcome.errors,
             "dtlsctl: nobody listens at " + file.fileName().toUtf8() + "; is dtlsd running?\n");
}

void TestDtlsctl::aSocketThatIsForOthers_data()
{
    QTest::addColumn<unsigned>("directoryMode");
    QTest::addColumn<unsigned>("socketMode");
    QTest::newRow("the socket") << 0711U << 0600U;
    QTest::newRow("its directory") << 0600U << 0666U;
}

void TestDtlsctl::aSocketThatIsForOthers()
{
    QFETCH(unsigned, directoryMode);
    QFETCH(unsigned, socketMode);
    const QByteArray directory = QFile::encodeName(m_control->directory());
    const QByteArray socket = QFile::encodeName(m_control->path());
    const auto group = static_cast<gid_t>(::geteuid() == 0 ? 4 : ::getegid()); // 4 is adm
    QCOMPARE(::chown(socket.constData(), static_cast<uid_t>(-1), group), 0);
    QCOMPARE(::chown(directory.constData(), static_cast<uid_t>(-1), group), 0);
    QCOMPARE(::chmod(socket.constData(), socketMode & (::geteuid() == 0 ? 0777U : 0077U)), 0);
    QCOMPARE(::chmod(directory.constData(), directoryMode & (::geteuid() == 0 ? 0777U : 0677U)), 0);

    // Nobody is refused anything as root. The program has to lie where nobody can look.
    const QTemporaryDir open;
    QCOMPARE(::chmod(QFile::encodeName(open.path()).constData(), 0755U), 0);
    const QString program = open.filePath(u"dtlsctl"_s);
    QVERIFY(QFile::copy(QStringLiteral(DTLSCTL_BINARY), program));
    QCOMPARE(::chmod(QFile::encodeName(program).constData(), 0755U), 0);
    Command command{program, {u"--socket"_s, m_control->path(), u"health"_s}};
    if (::geteuid() == 0)
        command = {u"setpriv"_s, QStringList{u"--reuid=65534"_s, u"--regid=65534"_s,
                                             u"--clear-groups"_s, program} +
                                     command.arguments};
    ChildProcess process;
    QVERIFY(process.run(command));
    const Outcome outcome = outcomeOf(process);
    ::chmod(directory.constData(), 0700);

    QCOMPARE(outcome.status, 77);
    const QByteArray expected =
        "dtlsctl: permission to use " + socket + " denied; root and members of the group ";
    QVERIFY2(outcome.errors.startsWith(expected), outcome.errors);
    if (::geteuid() == 0)
        QCOMPARE(outcome.errors, expected + "adm may\n");
}

void TestDtlsctl::reloadPrintsWarnings()
{
    m_control->answer(R"({"ok":true,"message":"configuration reloaded: nothing new","revoked":0,)"
                      R"("warnings":["dtlsd.ini:3: [identity *]: any device","b:4: \u001b"]})"
                      "\n");
    const Outcome outcome = ask({u"reload"_s});
    QCOMPARE(outcome.status, 0);
    QCOMPARE(outcome.output, "configuration reloaded: nothing new\n"_ba);
    QCOMPARE(outcome.errors, "dtlsd.ini:3: [identity *]: any device\nb:4: \\x1b\n"_ba);
}

DTLSD_TEST(TestDtlsctl)
#include "tst_dtlsctl.moc"
