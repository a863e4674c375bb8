// SPDX-License-Identifier: Apache-2.0
//
// What dtlsctl writes to a terminal, again and again, and where it cannot write.
#include "DtlsctlTest.h"
#include "core/Escape.h"
#include "support/ControlAnswers.h"
#include "support/PseudoTerminal.h"
#include "support/TestProgram.h"

#include <csignal>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;

class TestDtlsctlOutput : public DtlsctlTest
{
    Q_OBJECT

private Q_SLOTS:
    void init() { begin(); }
    void aTableFitsItsTerminal();
    void aTerminalIsShownWhatAServerSays_data();
    void aTerminalIsShownWhatAServerSays();
    void aTerminalIsToldOfThoseItDoesNotShow_data();
    void aTerminalIsToldOfThoseItDoesNotShow();
    void watchingRedrawsTheTerminal();
    void watchingPrintsOneAfterTheOther_data();
    void watchingPrintsOneAfterTheOther();
    void watchingEndsWithItsReader();
    void anOutputThatIsFullIsSaid();
    void anOutputThatIsClosedIsSaidAndGoesToNoSocket();
};

void TestDtlsctlOutput::aTableFitsItsTerminal()
{
    m_control->answer(sessions(2));
    for (const bool colours : {true, false}) {
        PseudoTerminal terminal(60, 24);
        ChildProcess process;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(u"TERM"_s, u"xterm"_s);
        environment.insert(u"NO_COLOR"_s, colours ? QString() : u"1"_s);
        process.setProcessEnvironment(environment);
        process.setStandardOutputFile(terminal.path());
        QVERIFY(process.run(
            {QStringLiteral(DTLSCTL_BINARY), {u"--socket"_s, m_control->path(), u"sessions"_s}}));
        QCOMPARE(outcomeOf(process).status, 0);
        QByteArray output = terminal.output();
        QCOMPARE(output.startsWith("\x1b[1mSESSION"), colours);
        QCOMPARE(output.contains('\x1b'), colours);
        output.replace("\x1b[1m", {}).replace("\x1b[0m", {});
        const QStringList lines = QString::fromUtf8(output).split(u"\r\n"_s);
        QCOMPARE(lines.size(), 4); // the last is empty
        for (const QString &line : lines.first(3))
            QCOMPARE(line.size(), 60);
    }
}

void TestDtlsctlOutput::aTerminalIsShownWhatAServerSays_data()
{
    QTest::addColumn<QString>("arguments");
    QTest::addColumn<QByteArray>("answer");
    const QByteArray bytes = "\x1b]0;x\x07\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81";
    QTest::newRow("a line of JSON")
        << u"status --json"_s << R"({"ok":true,"x":")" + bytes + "\"}\n";
    QTest::newRow("sessions as JSON")
        << u"sessions --json"_s
        << R"({"session":")" + bytes + "\"}\n{\"ok\":true,\"sessions\":1}\n";
    QTest::newRow("metrics")
        << u"metrics"_s
        << QByteArray(R"({"ok":true,"metrics":"a\u001b]0;x\u0007\u009b\u202e\udb40\udc01\n"})"
                      "\n");
    QTest::newRow("a refusal") << u"health"_s << refusal("unhealthy", R"(\u001b]0;x\u0007\u202e)");
}

/// Standard error is on the terminal as well.
void TestDtlsctlOutput::aTerminalIsShownWhatAServerSays()
{
    QFETCH(QString, arguments);
    QFETCH(QByteArray, answer);
    m_control->answer(answer);
    PseudoTerminal terminal(200, 24);
    ChildProcess process;
    process.setStandardOutputFile(terminal.path());
    process.setStandardErrorFile(terminal.path());
    QVERIFY(process.run({QStringLiteral(DTLSCTL_BINARY),
                         QStringList{u"--socket"_s, m_control->path()} + arguments.split(u' ')}));
    QVERIFY(process.waitForEnd());
    QByteArray output = terminal.output();
    QVERIFY2(output.contains("\\x1b]0;x\\x07"), output.constData());
    output.replace("\r\n", {});
    for (const char32_t character : QString::fromUtf8(output).toUcs4())
        QVERIFY2(isPrintable(character), output.constData());
}

void TestDtlsctlOutput::aTerminalIsToldOfThoseItDoesNotShow_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("limit");
    QTest::addColumn<QByteArray>("end");
    const QByteArray hint = "\u2026 999998 more; see --limit, --identity and --json\r\n";
    QTest::newRow("as many as a person reads") << QStringList{} << "1000"_ba << hint;
    QTest::newRow("as many as were asked for")
        << QStringList{u"--limit"_s, u"2"_s} << "2"_ba << hint;
    QTest::newRow("as many as fit") << QStringList{u"--watch"_s} << "24"_ba
                                    << "\u2026 999998 more\r\n\x1b[J"_ba;
}

void TestDtlsctlOutput::aTerminalIsToldOfThoseItDoesNotShow()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, limit);
    QFETCH(QByteArray, end);
    m_control->answer((sessionLine + '\n').repeated(2) +
                      "{\"ok\":true,\"sessions\":2,\"total\":1000000}\n");
    PseudoTerminal terminal(200, 24);
    ChildProcess process;
    process.setStandardOutputFile(terminal.path());
    QVERIFY(
        process.run({QStringLiteral(DTLSCTL_BINARY),
                     QStringList{u"--socket"_s, m_control->path(), u"sessions"_s} + arguments}));
    const auto isThere = [&] { return terminal.output().contains(end); };
    QVERIFY2(waitUntil(isThere, QDeadlineTimer(patience)), terminal.output());
    QCOMPARE(m_control->questions().constFirst(),
             R"({"command":"sessions","limit":)" + limit + "}\n");
    process.kill();
    QVERIFY(process.waitForEnd());
}

void TestDtlsctlOutput::watchingRedrawsTheTerminal()
{
    m_control->answer(statusLine + '\n');
    PseudoTerminal terminal(40, 5);
    ChildProcess process;
    process.setStandardOutputFile(terminal.path());
    const Command command = watch({u"status"_s});
    QVERIFY(process.run(command));
    const auto frames = [&terminal] { return terminal.output().count("\x1b[J"); };
    QVERIFY(waitUntil([&] { return frames() >= 2; }, QDeadlineTimer(patience)));
    process.sendSignal(SIGINT);
    QVERIFY(process.waitForEnd());
    QCOMPARE(process.exitStatus(), QProcess::CrashExit); // by the signal, as the shell wants it
    QCOMPARE(process.exitCode(), SIGINT);
    QCOMPARE(process.readAllStandardError(), QByteArray());

    // What is on the screen is one frame over the other, and no mode of the terminal has changed.
    const QByteArray output = terminal.output();
    QVERIFY(output.startsWith("\x1b[H"));
    QVERIFY(output.endsWith("\x1b[J"));
    QCOMPARE(output.count("\x1b[H"), output.count("\x1b[J"));
    QVERIFY(!output.contains("\x1b[?"));
    QCOMPARE(output.count("\x1b[0m"), output.count("\x1b[1m"));
    const QByteArray frame = output.first(output.indexOf("\x1b[J"));
    QCOMPARE(frame.count('\n'), 4);
    QVERIFY2(frame.contains("\u2026 9 more"), frame);
}

void TestDtlsctlOutput::watchingPrintsOneAfterTheOther_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("expected");
    QTest::newRow("a table") << QStringList{u"sessions"_s} << "No sessions.\n\nNo sessions.\n"_ba;
    QTest::newRow("JSON") << QStringList{u"--json"_s, u"status"_s}
                          << (statusLine + '\n').repeated(2);
}

void TestDtlsctlOutput::watchingPrintsOneAfterTheOther()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, expected);
    m_control->answer(arguments.contains(u"status"_s) ? statusLine + '\n' : sessions(0));
    ChildProcess process;
    QVERIFY(process.run(watch(arguments)));
    QByteArray output;
    const auto isThere = [&] {
        output += process.readAllStandardOutput();
        return output.size() >= expected.size();
    };
    QVERIFY(waitUntil(isThere, QDeadlineTimer(patience)));
    QVERIFY2(output.startsWith(expected), output);

    m_control->answer(refusal("unavailable", "worker 1 does not answer"));
    QCOMPARE(outcomeOf(process).status, 1); // it does not go on without dtlsd
}

void TestDtlsctlOutput::watchingEndsWithItsReader()
{
    // With SIGPIPE ignored, as services of systemd have it; else the signal ends it.
    m_control->answer(statusLine + '\n');
    ChildProcess process;
    const Command command = watch({u"--json"_s, u"status"_s});
    QVERIFY(process.run({u"sh"_s, QStringList{u"-c"_s,
                                              u"trap '' PIPE; { \"$@\"; echo $? >&2; } | "
                                              "head -n 1"_s,
                                              u"sh"_s, command.program} +
                                      command.arguments}));
    const Outcome outcome = outcomeOf(process);
    QCOMPARE(outcome.output, statusLine + '\n');
    QCOMPARE(outcome.errors, "1\n"_ba);
}

void TestDtlsctlOutput::anOutputThatIsFullIsSaid()
{
    ChildProcess process;
    process.setStandardOutputFile(u"/dev/full"_s);
    QVERIFY(process.run({QStringLiteral(DTLSCTL_BINARY), {u"key"_s, u"new"_s, u"a"_s}}));
    const Outcome outcome = outcomeOf(process);
    QCOMPARE(outcome.status, 1);
    QCOMPARE(outcome.errors,
             "dtlsctl: standard output cannot be written: No space left on device\n"_ba);
}

void TestDtlsctlOutput::anOutputThatIsClosedIsSaidAndGoesToNoSocket()
{
    m_control->answer(sessions(1));
    ChildProcess shell;
    QVERIFY(shell.run({u"/bin/sh"_s,
                       {u"-c"_s, u"exec \"$0\" \"$@\" <&- >&-"_s, QStringLiteral(DTLSCTL_BINARY),
                        u"--socket"_s, m_control->path(), u"sessions"_s, u"--json"_s}}));
    const Outcome outcome = outcomeOf(shell);
    QVERIFY2(outcome.errors.startsWith("dtlsctl: standard output cannot be written: "),
             outcome.errors.constData());
    QVERIFY(outcome.status > 0);
}

DTLSD_TEST(TestDtlsctlOutput)
#include "tst_dtlsctloutput.moc"
