// SPDX-License-Identifier: Apache-2.0
//
// What is no request gets an answer that says so, whatever it is made of.
#include "support/FakeDaemon.h"
#include "support/TestProgram.h"

#include <memory>
#include <random>
#include <string_view>

using namespace dtlsd;
using namespace dtlsd::test;

class TestControlRequests : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatIsNoRequestIsRefused_data();
    void whatIsNoRequestIsRefused();
    void theErrorSaysWhatIsAccepted();
    void whatCameIsEscapedInTheAnswer();
    void ofTwoMembersOfOneNameTheLastCounts();
    void anythingGetsAnAnswer();

    void init() { m_asked = std::make_unique<AskedControl>(); }

private:
    std::unique_ptr<AskedControl> m_asked;
};

void TestControlRequests::whatIsNoRequestIsRefused_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<QString>("code");
    const auto bad = [](const char *name, const QByteArray &request) {
        QTest::newRow(name) << request << QStringLiteral("bad-request");
    };
    bad("nothing", "");
    bad("blanks", "   ");
    bad("no JSON", "status");
    bad("JSON that does not end", R"({"command": "status")");
    bad("two objects", R"({"command": "status"}{"command": "status"})");
    bad("an array", R"([{"command": "status"}])");
    bad("a text", R"("status")");
    bad("an empty object", "{}");
    bad("a command that is a number", R"({"command": 1})");
    bad("one that is null", R"({"command": null})");
    bad("one that is an array", R"({"command": ["status"]})");
    bad("one that is an object", R"({"command": {"command": "status"}})");
    bad("a member that is not asked for", R"({"command": "status", "session": "x"})");
    bad("one of another script", "{\"command\": \"status\", \"\xd1\x81ommand\": 1}");
    bad("a NUL", QByteArray("{\"command\": \"status\"}\0", 22));
    bad("bytes that are no UTF-8", "{\"command\": \"\xff\xfe\"}");
    bad("too deep",
        QByteArray("{\"command\":") + QByteArray(2000, '[') + QByteArray(2000, ']') + '}');
    bad("a huge number", R"({"command": 1e999})");
    bad("one with many digits", R"({"command": )" + QByteArray(3000, '9') + '}');
    bad("close without a session", R"({"command": "close"})");
    bad("a session that is too short", R"({"command": "close", "session": "0123456789abcde"})");
    bad("one that is not hexadecimal", R"({"command": "close", "session": "0123456789abcdeg"})");
    bad("one that is a number", R"({"command": "close", "session": 123456789})");
    bad("close-identity without one", R"({"command": "close-identity"})");
    bad("an identity that is a number", R"({"command": "close-identity", "identity": 17})");
    bad("two identities",
        R"({"command": "close-identity", "identity": "a", "identity_base64": "YQ=="})");
    bad("a second one that is no text",
        R"({"command": "close-identity", "identity": "a", "identity_base64": 1})");
    bad("what is not base64", R"({"command": "close-identity", "identity_base64": "Y Q"})");
    bad("a limit of nothing", R"({"command": "sessions", "limit": 0})");
    bad("one that is too large", R"({"command": "sessions", "limit": 1001})");
    bad("one that is no whole number", R"({"command": "sessions", "limit": 1.5})");
    bad("one that is a text", R"({"command": "sessions", "limit": "20"})");
    bad("sessions of a number", R"({"command": "sessions", "identity": 17})");
    bad("sessions of two identities",
        R"({"command": "sessions", "identity": "a", "identity_base64": "YQ=="})");
    bad("send to nobody", R"({"command": "send", "data": "x"})");
    bad("send to a session and an identity",
        R"({"command": "send", "session": "0123456789abcdef", "identity": "a", "data": "x"})");
    bad("send to no session's number", R"({"command": "send", "session": "a", "data": "x"})");
    bad("send to two identities",
        R"({"command": "send", "identity": "a", "identity_base64": "YQ==", "data": "x"})");
    bad("send without data", R"({"command": "send", "identity": "sensor-17"})");
    bad("no byte of it", R"({"command": "send", "identity": "sensor-17", "data": ""})");
    bad("data that is a number", R"({"command": "send", "identity": "sensor-17", "data": 1})");
    bad("data twice",
        R"({"command": "send", "identity": "sensor-17", "data": "a", "data_base64": "YQ=="})");
    bad("data that is not base64",
        R"({"command": "send", "identity": "sensor-17", "data_base64": "Y Q"})");
    const auto unknown = [](const char *name, const QByteArray &request) {
        QTest::newRow(name) << request << QStringLiteral("unknown-command");
    };
    unknown("an unknown command", R"({"command": "stop"})");
    unknown("one in capitals", R"({"command": "STATUS"})");
    unknown("one with a NUL at its end", R"({"command": "status\u0000"})");
    unknown("an empty one", R"({"command": ""})");
}

void TestControlRequests::whatIsNoRequestIsRefused()
{
    QFETCH(QByteArray, request);
    QFETCH(QString, code);
    QCOMPARE(text(m_asked->ask(request), "code"), code);
    QCOMPARE(m_asked->daemon.calls, 0);
}

void TestControlRequests::theErrorSaysWhatIsAccepted()
{
    const QString commands =
        QStringLiteral("status, sessions, close, close-identity, send, reload, restart, metrics, "
                       "health");
    QCOMPARE(text(m_asked->ask(R"({"command": "stop"})"), "error"),
             QStringLiteral("command: stop is unknown; %1 are accepted").arg(commands));
    QCOMPARE(text(m_asked->ask("{}"), "error"),
             QStringLiteral("command: is missing, or no text; %1 are accepted").arg(commands));
    QVERIFY(text(m_asked->ask("status"), "error")
                .endsWith(QStringLiteral("; a JSON object on one line is accepted")));
}

void TestControlRequests::whatCameIsEscapedInTheAnswer()
{
    const QByteArray command = R"({"command": "\u001b[31m\u202e\u009b\n\ud800"})";
    QVERIFY(text(m_asked->ask(command), "error")
                .startsWith(QStringLiteral("command: \\x1b[31m\\xe2\\x80\\xae\\xc2\\x9b\\x0a")));
    const QJsonObject member = m_asked->ask(R"({"command": "status", "\u001b]0;x\u0007": 1})");
    QCOMPARE(text(member, "error"), QStringLiteral("\\x1b]0;x\\x07: is no member of this request"));
    const QByteArray longOne = R"({"command": ")" + QByteArray(4000, 'x') + "\"}";
    QVERIFY(text(m_asked->ask(longOne), "error").size() < 400);
    // What a peer calls itself is exact, and yet harmless.
    QVERIFY(m_asked->answerTo(R"({"command": "sessions"})").contains("a\\u202eZ\\u009b31m"));
}

void TestControlRequests::ofTwoMembersOfOneNameTheLastCounts()
{
    QCOMPARE(text(m_asked->ask(R"({"command": "stop", "command": "health"})"), "code"), QString());
    QCOMPARE(text(m_asked->ask(R"({"command": "health", "command": "stop"})"), "code"),
             QStringLiteral("unknown-command"));
}

void TestControlRequests::anythingGetsAnAnswer()
{
    const QList<QByteArray> seeds{
        R"({"command": "status"})",
        R"({"command": "close", "session": "0123456789abcdef"})",
        R"({"command": "close-identity", "identity_base64": "/wB6eg=="})",
        R"({"command": "close-identity", "identity": "\u00e4\ud83d\ude00"})",
        R"({"command": "send", "session": "0123456789abcdef", "data_base64": "/wB6eg=="})",
        R"({"command": [1, -2.5e3, null, true, {"a": {}}], "x": "y"})"};
    constexpr std::string_view alphabet =
        "{}[]\":,\\u0123456789abcdefE+-. \t\n\x00\x1b\x7f\xc2\xff";
    std::mt19937 random(20'260'101); // NOLINT(*-msc51-cpp): the same each time
    const auto upTo = [&random](qsizetype end) {
        return std::uniform_int_distribution<qsizetype>(0, end - 1)(random);
    };
    for (int i = 0; i < 100'000; ++i) {
        QByteArray request = seeds[upTo(seeds.size())];
        for (auto changes = upTo(6); changes > 0; --changes) {
            const auto at = upTo(request.size() + 1);
            const char byte = alphabet[static_cast<std::size_t>(upTo(std::ssize(alphabet)))];
            switch (upTo(4)) {
            case 0:
                request.insert(at, byte);
                break;
            case 1:
                request.remove(at, 1 + upTo(8));
                break;
            case 2:
                request.replace(at, 1, QByteArray(1, byte));
                break;
            default:
                request.insert(at, seeds[upTo(seeds.size())].left(upTo(40)));
            }
        }
        const QByteArray answer = m_asked->answerTo(request);
        QVERIFY2(isAnswer(answer), request.toHex() + " -> " + answer);
    }
}

DTLSD_TEST(TestControlRequests)
#include "tst_controlrequests.moc"
