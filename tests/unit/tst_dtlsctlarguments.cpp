// SPDX-License-Identifier: Apache-2.0
//
// The command line of dtlsctl, and a server that says nothing, without the program.
#include "support/TestProgram.h"
#include "tools/dtlsctl/Arguments.h"
#include "tools/dtlsctl/ControlClient.h"

#include <QLocalServer>
#include <QTemporaryDir>

#include <array>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

using namespace dtlsd;
using namespace Qt::StringLiterals;

namespace {

std::variant<Arguments, Arguments::Stop> parse(const QList<QByteArray> &arguments)
{
    return Arguments::parse(QList<QByteArray>{"dtlsctl"} + arguments);
}

} // namespace

class TestDtlsctlArguments : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void namesAreBytes();
    void optionsMayStandAnywhere();
    void sessionsMayBeChosen();
    void dataAreBytes();
    void theSocketOfAUnitIsItsOwn();
    void wrongUsageIsRefused_data();
    void wrongUsageIsRefused();
    void aSilentServerIsNotWaitedForForEver();
    void aQuestionMayBeLargerThanASocketTakesAtOnce();
};

void TestDtlsctlArguments::init()
{
    qunsetenv("RUNTIME_DIRECTORY");
}

void TestDtlsctlArguments::namesAreBytes()
{
    for (const QByteArray &name : {"\xff\xfe"_ba, "\u00e4"_ba, "a b\n"_ba, "-x"_ba, ""_ba}) {
        const auto arguments = parse({"close-identity", "--", name});
        QVERIFY(std::holds_alternative<Arguments>(arguments));
        QCOMPARE(std::get<Arguments>(arguments).name, name);
    }
    const auto session = parse({"close", "0123456789ABCDEF"});
    QCOMPARE(std::get<Arguments>(session).name, "0123456789abcdef"_ba);
}

void TestDtlsctlArguments::optionsMayStandAnywhere()
{
    const auto parsed = parse({"--socket", "/tmp/\u00e4.sock", "sessions", "--watch", "--json"});
    const auto &arguments = std::get<Arguments>(parsed);
    QVERIFY(arguments.command == Arguments::Command::Sessions);
    QCOMPARE(arguments.socket, u"/tmp/\u00e4.sock"_s);
    QVERIFY(arguments.watch);
    QVERIFY(arguments.json);
    const auto import = parse({"key", "--format=stunnel", "import", "-"});
    QVERIFY(std::get<Arguments>(import).format == KeyFormat::Stunnel);
    QCOMPARE(std::get<Arguments>(import).name, "-"_ba);
}

void TestDtlsctlArguments::sessionsMayBeChosen()
{
    const auto all = parse({"sessions"});
    QCOMPARE(std::get<Arguments>(all).limit, 0);
    QVERIFY(!std::get<Arguments>(all).identity);
    for (const QByteArray &identity : {"sensor-17"_ba, "\xff\x1b"_ba, "-x"_ba, ""_ba}) {
        const auto chosen = parse({"sessions", "--limit", "1000", "--identity=" + identity});
        QCOMPARE(std::get<Arguments>(chosen).limit, 1000);
        QCOMPARE(std::get<Arguments>(chosen).identity, identity);
    }
}

void TestDtlsctlArguments::dataAreBytes()
{
    for (const QByteArray &data :
         {"\xff\xfe"_ba, "a b\n"_ba, "-x"_ba, "-"_ba, QByteArray(16'384, '\xff')}) {
        const auto session = parse({"send", "--", "0123456789ABCDEF", data});
        QVERIFY(std::holds_alternative<Arguments>(session));
        QVERIFY(std::get<Arguments>(session).command == Arguments::Command::Send);
        QCOMPARE(std::get<Arguments>(session).name, "0123456789abcdef"_ba);
        QVERIFY(!std::get<Arguments>(session).identity);
        QCOMPARE(std::get<Arguments>(session).data, data);
        const auto identity = parse({"send", "--identity", "\xff", "--", data});
        QVERIFY(std::holds_alternative<Arguments>(identity));
        QCOMPARE(std::get<Arguments>(identity).identity, "\xff"_ba);
        QCOMPARE(std::get<Arguments>(identity).data, data);
    }
}

void TestDtlsctlArguments::theSocketOfAUnitIsItsOwn()
{
    const auto outside = parse({"health"});
    QCOMPARE(std::get<Arguments>(outside).socket, u"/run/dtlsd/control.sock"_s);
    qputenv("RUNTIME_DIRECTORY", "/run/dtlsd-two:/run/other");
    const auto inside = parse({"health"});
    QCOMPARE(std::get<Arguments>(inside).socket, u"/run/dtlsd-two/control.sock"_s);
    const auto told = parse({"health", "--socket=/x"});
    QCOMPARE(std::get<Arguments>(told).socket, u"/x"_s);
}

void TestDtlsctlArguments::wrongUsageIsRefused_data()
{
    QTest::addColumn<QList<QByteArray>>("arguments");
    QTest::addColumn<QString>("problem");
    const auto row = [](const char *name, const QList<QByteArray> &arguments,
                        const QString &problem) { QTest::newRow(name) << arguments << problem; };
    row("no command", {}, u"a command is missing; status, sessions, close"_s);
    row("an unknown one", {"session"}, u"there is no command session (did you mean sessions?)"_s);
    row("half a command", {"key"}, u"there is no command key;"_s);
    row("an unknown key command", {"key", "nwe"}, u"no command key nwe (did you mean key new?)"_s);
    row("a command that is no text", {"\xff"}, u"there is no command \\xff"_s);
    row("an unknown option", {"status", "--\xff"}, u"Unknown option '\\xff'; see"_s);
    row("no operand", {"close"}, u"SESSION is missing; close SESSION is accepted"_s);
    row("two operands", {"key", "new", "a", "b\n"}, u"unexpected argument b\\x0a"_s);
    row("an operand too many", {"health", "now"}, u"unexpected argument now"_s);
    row("no session's number", {"close", "0123456789abcdeg"}, u"16 hexadecimal digits"_s);
    row("a long identity", {"key", "new", QByteArray(256, 'x')}, u"the identity has 256 bytes"_s);
    row("an empty file", {"key", "import", "--format=gnutls", ""}, u"the file is empty"_s);
    row("an empty socket", {"--socket=", "health"}, u"--socket is empty"_s);
    row("a value that is missing", {"health", "--socket"}, u"Missing value after '--socket'"_s);
    row("watching a reload", {"reload", "--watch"}, u"--watch does not go with reload"_s);
    row("a format for nothing", {"health", "--format=gnutls"}, u"does not go with health"_s);
    row("no format", {"key", "import", "x"}, u"--format is missing; mosquitto, stunnel or"_s);
    row("an unknown format", {"key", "import", "x", "--format=pem"}, u"--format pem is unknown"_s);
    row("a limit of nothing", {"sessions", "--limit=0"},
        u"--limit 0: a whole number from 1 to 1000 is accepted"_s);
    row("a limit that is too large", {"sessions", "--limit", "1001"}, u"--limit 1001: a whole"_s);
    row("a limit that is no number", {"sessions", "--limit", "\xff"}, u"--limit \\xff: a whole"_s);
    row("a limit for nothing", {"status", "--limit", "1"}, u"--limit does not go with status"_s);
    row("an identity for nothing", {"close-identity", "a", "--identity", "a"},
        u"--identity does not go with close-identity; it goes with sessions and send"_s);
    row("sessions of a long identity", {"sessions", "--identity", QByteArray(256, 'x')},
        u"the identity has 256 bytes"_s);
    row("nobody to send to", {"send"}, u"SESSION is missing; send SESSION DATA is accepted"_s);
    row("nothing to send", {"send", "0123456789abcdef"},
        u"DATA is missing; send SESSION DATA is accepted"_s);
    row("nothing to send to an identity", {"send", "--identity=a"},
        u"DATA is missing; send --identity NAME DATA is accepted"_s);
    row("a session and an identity", {"send", "--identity=a", "0123456789abcdef", "x"},
        u"unexpected argument x"_s);
    row("two datagrams", {"send", "0123456789abcdef", "x", "y\n"}, u"unexpected argument y\\x0a"_s);
    row("an identity in place of a session", {"send", "sensor-17", "x"},
        u"sensor-17 is no session; 16 hexadecimal digits"_s);
    row("an empty datagram", {"send", "0123456789abcdef", ""},
        u"DATA has 0 bytes; 1 to 16384 bytes are accepted"_s);
    row("a datagram too long for a record", {"send", "--identity=a", QByteArray(16'385, 'x')},
        u"DATA has 16385 bytes; 1 to 16384 bytes are accepted"_s);
    row("a datagram to a long identity", {"send", "--identity", QByteArray(256, 'x'), "x"},
        u"the identity has 256 bytes"_s);
    row("watching what is sent", {"send", "0123456789abcdef", "x", "--watch"},
        u"--watch does not go with send"_s);
    row("a limit of what is sent", {"send", "--identity=a", "x", "--limit=1"},
        u"--limit does not go with send"_s);
    row("a key as JSON", {"--json", "key", "new", "a"}, u"do not go with key new"_s);
    row("a key through a socket", {"--socket=/x", "key", "new", "a"}, u"do not go with key new"_s);
}

void TestDtlsctlArguments::wrongUsageIsRefused()
{
    QFETCH(QList<QByteArray>, arguments);
    QFETCH(QString, problem);
    const auto result = parse(arguments);
    QVERIFY(std::holds_alternative<Arguments::Stop>(result));
    const auto &stop = std::get<Arguments::Stop>(result);
    QCOMPARE(stop.status, 64);
    QVERIFY2(stop.message.contains(problem), qPrintable(stop.message));
    QVERIFY(stop.message.endsWith(u"; see dtlsctl --help\n"));
    QCOMPARE(stop.message.count(u'\n'), 1);
}

void TestDtlsctlArguments::aSilentServerIsNotWaitedForForEver()
{
    const QTemporaryDir directory;
    QLocalServer server; // accepts nobody: the kernel lets them connect all the same
    QVERIFY(server.listen(directory.filePath(u"control.sock"_s)));
    const ControlClient client(server.fullServerName(), std::chrono::milliseconds(50));
    const auto answer = client.ask({{u"command"_s, u"health"_s}},
                                   [](const auto &) { return std::optional<Failure>(); });
    QVERIFY(std::holds_alternative<Failure>(answer));
    const auto &failure = std::get<Failure>(answer);
    QCOMPARE(failure.status, 1);
    QVERIFY2(failure.message.startsWith(u"dtlsd has said nothing for 50ms"),
             qPrintable(failure.message));
}

void TestDtlsctlArguments::aQuestionMayBeLargerThanASocketTakesAtOnce()
{
    const QTemporaryDir directory;
    const QString path = directory.filePath(u"control.sock"_s);
    QLocalServer server;
    QVERIFY(server.listen(path));
    const QString data(4'000'000,
                       u'x'); // sockets take 208 KiB, unless the machine is told otherwise
    QByteArray question;
    std::thread reader([descriptor = server.socketDescriptor(), &question] {
        const int client = ::accept(static_cast<int>(descriptor), nullptr, nullptr);
        std::array<char, 65'536> room{};
        while (!question.endsWith('\n')) {
            const ssize_t size = ::recv(client, room.data(), room.size(), 0);
            if (size <= 0)
                break;
            question.append(room.data(), size);
        }
        static_cast<void>(::send(client, "{\"ok\":true}\n", 12, MSG_NOSIGNAL));
        ::close(client);
    });
    const auto answer = ControlClient(path).ask(
        {{u"data"_s, data}}, [](const auto &) { return std::optional<Failure>(); });
    reader.join();
    QVERIFY(std::holds_alternative<ControlClient::Line>(answer));
    QCOMPARE(question, "{\"data\":\"" + data.toUtf8() + "\"}\n");
}

DTLSD_TEST(TestDtlsctlArguments)
#include "tst_dtlsctlarguments.moc"
