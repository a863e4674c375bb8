// SPDX-License-Identifier: Apache-2.0
#include "control/Control.h"

#include "core/Json.h"
#include "support/ControlClient.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

#include <algorithm>
#include <functional>
#include <optional>
#include <random>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t firstId = 0x0123456789abcdef;

/// Bytes that are no UTF-8, and a text that would turn a terminal's writing direction.
const QByteArray rawIdentity("\xff\x00zz", 4);
const QByteArray rightToLeft("\xef\xbb\xbf"
                             "a\xe2\x80\xaeZ\xc2\x9b"
                             "31m");

SessionReport session(std::uint64_t id, const QByteArray &identity)
{
    SessionInfo info(SessionId{id}, Path{*SocketAddress::parse(QStringLiteral("192.0.2.7:5683")),
                                         *SocketAddress::parse(QStringLiteral("192.0.2.1:22334"))});
    info.identity = identity;
    info.cipher = "PSK-AES128-GCM-SHA256";
    info.protocol = "DTLSv1.2";
    SessionReport report;
    report.info = info;
    report.isEstablished = true;
    report.age = 1500ms;
    report.idle = 200ms;
    report.received = {5, 60};
    report.sent = {4, 100};
    report.badRecords = 2;
    return report;
}

/// Two workers with four sessions; `problem` is what each question about them says instead, if it
/// is set. While `isSlow`, commands that change something are answered by a call of `later`.
class FakeDaemon : public Controllable
{
public:
    std::optional<Error> problem;
    ReloadOutcome outcome = Reloaded{};
    std::vector<std::vector<SessionReport>> open{
        {session(firstId, "sensor-17"), session(firstId + 1, rawIdentity)},
        {session(firstId + 2, "sensor-17"), session(firstId + 3, rightToLeft)}};
    int calls = 0;
    bool isSlow = false;
    std::vector<std::function<void()>> later;

    void state(Then<Result<DaemonState>> then) override
    {
        ++calls;
        if (problem)
            return then(*problem);
        DaemonState state;
        state.started = QDateTime::currentDateTimeUtc().addMSecs(-1500);
        state.configFile = QStringLiteral("/etc/dtlsd/dtlsd.ini");
        state.addresses = {*SocketAddress::parse(QStringLiteral("[::1]:22334"))};
        state.identities = 3;
        state.sink = LogTarget::Journal;
        state.logCapacity = 16'384;
        state.log = {.waiting = 7,
                     .kept = 12,
                     .lost = 1,
                     .unverified = 3,
                     .stalled = 2500ms,
                     .losing = 1500ms,
                     .lossReason = "no room",
                     .obstacle = "no file"};
        state.reloads.count(ReloadCounts::Outcome::Applied);
        state.reloads.count(ReloadCounts::Outcome::Rejected);
        WorkerState worker;
        worker.statistics.sessions = 1;
        worker.statistics.halfOpen = 2;
        worker.statistics.sessionsOpened = 3;
        worker.statistics.sessionsClosed[CloseReason::Idle] = 1;
        worker.statistics.sessionsClosed[CloseReason::Error] = 1;
        worker.statistics.handshakesFailed[HandshakeFailure::Timeout] = 4;
        worker.statistics.received = {5, 60};
        worker.statistics.sent = {4, 100};
        worker.withheldReceipts = 6;
        worker.cpuTime = 120ms;
        state.workers = {worker, worker};
        then(std::move(state));
    }

    void sessions(Then<Result<std::vector<std::vector<SessionReport>>>> then) override
    {
        ++calls;
        if (problem)
            return then(*problem);
        then(open);
    }

    void closeSessions(const SessionPicker &isMeant, Then<std::int64_t> then) override
    {
        ++calls;
        std::int64_t closed = 0;
        for (auto &sessions : open)
            closed += std::erase_if(
                sessions, [&](const SessionReport &report) { return isMeant(report.info); });
        const auto answer = [then = std::move(then), closed] { then(closed); };
        isSlow ? later.push_back(answer) : answer();
    }

    void reload(Reloader::Hear then) override
    {
        ++calls;
        const auto answer = [this, then = std::move(then)] { then(outcome); };
        isSlow ? later.push_back(answer) : answer();
    }

    void health(Then<Result<Health>> then) override
    {
        ++calls;
        if (problem)
            return then(*problem);
        then(Health{2, 4});
    }
};

QJsonObject objectFrom(const char *json)
{
    return QJsonDocument::fromJson(json).object();
}

QString text(const QJsonObject &object, const char *name)
{
    return object.value(QLatin1String(name)).toString();
}

/// Whether a terminal shows @p line and obeys nothing in it.
bool isVisible(const QByteArray &line)
{
    const QString shown = QString::fromUtf8(line);
    return std::none_of(shown.begin(), shown.end(), [](QChar character) {
        return character.category() == QChar::Other_Control ||
               character.category() == QChar::Other_Format;
    });
}

/// Whether @p answer is what every answer must be: lines of objects, of which the last has `ok`,
/// and a reason where that is false.
bool isAnswer(const QByteArray &answer)
{
    const QList<QJsonObject> objects = ControlClient::parse(answer);
    if (objects.isEmpty() || !objects.constLast().value(QStringLiteral("ok")).isBool())
        return false;
    const QJsonObject &last = objects.constLast();
    const bool isDone = last.value(QStringLiteral("ok")).toBool();
    const QList<QByteArray> lines = answer.chopped(1).split('\n');
    return std::all_of(lines.begin(), lines.end(), isVisible) &&
           (isDone || (!text(last, "code").isEmpty() && !text(last, "error").isEmpty()));
}

} // namespace

class TestControl : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void statusTellsAllThereIs()
    {
        QJsonObject status = ask("{\"command\":\"status\"}");
        const double uptime = status.take(QStringLiteral("uptime_s")).toDouble();
        QVERIFY(uptime >= 1.5);
        QVERIFY(uptime < 60);
        QVERIFY(!text(status, "version").isEmpty());
        status.remove(QStringLiteral("version"));
        QCOMPARE(status.take(QStringLiteral("pid")).toInteger(),
                 QCoreApplication::applicationPid());
        QCOMPARE(status, objectFrom(R"({
            "ok": true, "config_file": "/etc/dtlsd/dtlsd.ini", "listen": ["[::1]:22334"],
            "identities": 3, "sessions": 2, "half_open": 4,
            "workers": [
                {"worker": 0, "sessions": 1, "half_open": 2, "datagrams_received": 5, "cpu_s": 0.12},
                {"worker": 1, "sessions": 1, "half_open": 2, "datagrams_received": 5, "cpu_s": 0.12}],
            "sessions_opened": 6, "sessions_closed": 4, "handshakes_failed": 8,
            "datagrams_received": 10, "bytes_received": 120,
            "datagrams_sent": 8, "bytes_sent": 200, "receipts_withheld": 12,
            "log": {"target": "journal", "waiting": 7, "capacity": 16384, "written": 12, "lost": 1,
                    "unverified": 3, "stalled_s": 2.5, "losing_s": 1.5, "loss_reason": "no room",
                    "obstacle": "no file"},
            "reloads": {"applied": 1, "rejected": 1, "last": "rejected"}})"));
    }

    void sessionsAreALineEach()
    {
        const QByteArray answer = answerTo("{\"command\":\"sessions\"}");
        QVERIFY(isAnswer(answer));
        QList<QJsonObject> lines = ControlClient::parse(answer);
        QCOMPARE(lines.takeLast(), objectFrom(R"({"ok": true, "sessions": 4})"));
        QCOMPARE(lines.size(), 4);
        QCOMPARE(lines[0], objectFrom(R"({
            "session": "0123456789abcdef", "state": "established", "identity": "sensor-17",
            "peer": "192.0.2.7:5683", "local": "192.0.2.1:22334",
            "cipher": "PSK-AES128-GCM-SHA256", "protocol": "DTLSv1.2", "age_s": 1.5, "idle_s": 0.2,
            "datagrams_received": 5, "bytes_received": 60, "datagrams_sent": 4, "bytes_sent": 100,
            "bad_records": 2, "worker": 0})"));
        QCOMPARE(text(lines[1], "identity_base64"), QString::fromLatin1(rawIdentity.toBase64()));
        QVERIFY(!lines[1].contains(QStringLiteral("identity")));
        QCOMPARE(lines[2].value(QStringLiteral("worker")).toInt(), 1);
        QCOMPARE(text(lines[3], "identity").toUtf8(), rightToLeft);
    }

    void aHandshakeIsToldAsOne()
    {
        m_daemon.open[0][0].isEstablished = false;
        m_daemon.open[0][0].info.cipher.clear();
        const auto lines = ControlClient::parse(answerTo("{\"command\":\"sessions\"}"));
        QCOMPARE(text(lines[0], "state"), QStringLiteral("handshaking"));
        QCOMPARE(lines[0].value(QStringLiteral("cipher")), QJsonValue(QString()));
    }

    void oneSessionIsClosed()
    {
        const QByteArray request = R"({"command": "close", "session": "0123456789ABCDEF"})";
        QCOMPARE(ask(request), objectFrom(R"({"ok": true, "closed": 1})"));
        QCOMPARE(m_daemon.open[0].size(), 1U);
        QCOMPARE(m_daemon.open[1].size(), 2U);
        QCOMPARE(text(ask(request), "code"), QStringLiteral("not-found"));
    }

    void thoseOfAnIdentityAreClosed_data()
    {
        QTest::addColumn<QJsonObject>("identity");
        QTest::addColumn<int>("closed");
        const auto base64 = [](const QByteArray &bytes) {
            return QJsonObject{
                {QStringLiteral("identity_base64"), QString::fromLatin1(bytes.toBase64())}};
        };
        QTest::newRow("by text") << QJsonObject{{QStringLiteral("identity"),
                                                 QStringLiteral("sensor-17")}}
                                 << 2;
        QTest::newRow("by base64") << base64("sensor-17") << 2;
        QTest::newRow("one that is no UTF-8") << base64(rawIdentity) << 1;
        QTest::newRow("one with marks for a terminal")
            << QJsonObject{{QStringLiteral("identity"), QStringLiteral("\ufeffa\u202eZ\u009b31m")}}
            << 1;
        QTest::newRow("one that has no session")
            << QJsonObject{{QStringLiteral("identity"), QStringLiteral("sensor-1")}} << 0;
        QTest::newRow("one that cannot be")
            << QJsonObject{{QStringLiteral("identity"), QString(QChar(u'\0'))}} << 0;
    }
    void thoseOfAnIdentityAreClosed()
    {
        QFETCH(QJsonObject, identity);
        QFETCH(int, closed);
        identity.insert(QStringLiteral("command"), QStringLiteral("close-identity"));
        const QJsonObject answer = ask(jsonLine(identity).chopped(1));
        QCOMPARE(answer.value(QStringLiteral("closed")).toInt(), closed);
        QCOMPARE(text(answer, "code"), closed > 0 ? QString() : QStringLiteral("not-found"));
        QCOMPARE(m_daemon.open[0].size() + m_daemon.open[1].size(),
                 std::size_t{4} - static_cast<std::size_t>(closed));
    }

    void aReloadSaysWhatCameOfIt()
    {
        Reloaded reloaded;
        reloaded.configFile = QStringLiteral("/etc/dtlsd/dtlsd.ini");
        reloaded.revoked = 2;
        reloaded.warnings = {{reloaded.configFile, 13, QStringLiteral("[identity *]: any device")}};
        m_daemon.outcome = reloaded;
        QCOMPARE(ask("{\"command\":\"reload\"}"), objectFrom(R"({"ok": true, "revoked": 2,
                                "message": "configuration reloaded: nothing changed; 2 sessions revoked",
                                "warnings": ["/etc/dtlsd/dtlsd.ini:13: [identity *]: any device"]})"));
        m_daemon.outcome = ReloadRejected{
            {reloaded.configFile, 7, QStringLiteral("[tls] mtu: 1 is too small")}, 2};
        const QJsonObject rejected = ask("{\"command\":\"reload\"}");
        QCOMPARE(text(rejected, "code"), QStringLiteral("rejected"));
        QCOMPARE(text(rejected, "error"),
                 QStringLiteral("configuration not reloaded: /etc/dtlsd/dtlsd.ini:7: [tls] mtu: "
                                "1 is too small; 2 further errors, see dtlsd --check"));
    }

    void healthSaysWhatWorksOrWhatDoesNot()
    {
        QCOMPARE(ask("{\"command\":\"health\"}"),
                 objectFrom(R"({"ok": true, "workers": 2, "sockets": 4})"));
        m_daemon.problem = Error{QStringLiteral("worker 1 does not answer")};
        QCOMPARE(ask("{\"command\":\"health\"}"), objectFrom(R"({"ok": false, "code": "unhealthy",
                                "error": "worker 1 does not answer"})"));
    }

    void aWorkerThatHangsMakesItUnavailable_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::newRow("status") << QByteArray(R"({"command": "status"})");
        QTest::newRow("sessions") << QByteArray(R"({"command": "sessions"})");
        QTest::newRow("metrics") << QByteArray(R"({"command": "metrics"})");
    }
    void aWorkerThatHangsMakesItUnavailable()
    {
        QFETCH(QByteArray, request);
        m_daemon.problem = Error{QStringLiteral("worker 1 does not answer")};
        QCOMPARE(ask(request), objectFrom(R"({"ok": false, "code": "unavailable",
                                              "error": "worker 1 does not answer"})"));
    }

    void aCommandIsAnsweredWhenItIsDone_data();
    void aCommandIsAnsweredWhenItIsDone();
    void whatIsNoRequestIsRefused_data();
    void whatIsNoRequestIsRefused();
    void theErrorSaysWhatIsAccepted();
    void whatCameIsEscapedInTheAnswer();
    void ofTwoMembersOfOneNameTheLastCounts();
    void anythingGetsAnAnswer();

    void init()
    {
        m_daemon.problem.reset();
        m_daemon.outcome = Reloaded{};
        m_daemon.open = FakeDaemon().open;
        m_daemon.calls = 0;
        m_daemon.isSlow = false;
        m_daemon.later.clear();
    }

private:
    /// Empty: there is none yet.
    QByteArray answerTo(const QByteArray &request)
    {
        QByteArray answer;
        m_control.answer(request, [&answer](const QByteArray &lines) { answer = lines; });
        return answer;
    }
    /// The last object of the answer to @p request, which must be one.
    QJsonObject ask(const QByteArray &request)
    {
        const QByteArray answer = answerTo(request);
        return isAnswer(answer) ? ControlClient::parse(answer).constLast() : QJsonObject();
    }

    FakeDaemon m_daemon;
    Control m_control{m_daemon};
};

void TestControl::aCommandIsAnsweredWhenItIsDone_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::newRow("close") << QByteArray(R"({"command": "close", "session": "0123456789abcdef"})");
    QTest::newRow("close-identity")
        << QByteArray(R"({"command": "close-identity", "identity": "sensor-17"})");
    QTest::newRow("reload") << QByteArray(R"({"command": "reload"})");
}

void TestControl::aCommandIsAnsweredWhenItIsDone()
{
    QFETCH(QByteArray, request);
    m_daemon.isSlow = true;
    QByteArray answer;
    m_control.answer(request, [&answer](const QByteArray &lines) { answer += lines; });
    QCOMPARE(answer, QByteArray());
    QVERIFY(ask(R"({"command": "status"})").value(QStringLiteral("ok")).toBool());
    QCOMPARE(m_daemon.later.size(), 1U);
    m_daemon.later.front()();
    QVERIFY(isAnswer(answer));
    QCOMPARE(ControlClient::parse(answer).size(), 1);
    QVERIFY(ControlClient::parse(answer).constFirst().value(QStringLiteral("ok")).toBool());
}

void TestControl::whatIsNoRequestIsRefused_data()
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
    const auto unknown = [](const char *name, const QByteArray &request) {
        QTest::newRow(name) << request << QStringLiteral("unknown-command");
    };
    unknown("an unknown command", R"({"command": "stop"})");
    unknown("one in capitals", R"({"command": "STATUS"})");
    unknown("one with a NUL at its end", R"({"command": "status\u0000"})");
    unknown("an empty one", R"({"command": ""})");
}

void TestControl::whatIsNoRequestIsRefused()
{
    QFETCH(QByteArray, request);
    QFETCH(QString, code);
    QCOMPARE(text(ask(request), "code"), code);
    QCOMPARE(m_daemon.calls, 0);
}

void TestControl::theErrorSaysWhatIsAccepted()
{
    const QString commands =
        QStringLiteral("status, sessions, close, close-identity, reload, metrics, health");
    QCOMPARE(text(ask(R"({"command": "stop"})"), "error"),
             QStringLiteral("command: stop is unknown; %1 are accepted").arg(commands));
    QCOMPARE(text(ask("{}"), "error"),
             QStringLiteral("command: is missing, or no text; %1 are accepted").arg(commands));
    QVERIFY(text(ask("status"), "error")
                .endsWith(QStringLiteral("; a JSON object on one line is accepted")));
}

void TestControl::whatCameIsEscapedInTheAnswer()
{
    const QByteArray command = R"({"command": "\u001b[31m\u202e\u009b\n\ud800"})";
    QVERIFY(text(ask(command), "error")
                .startsWith(QStringLiteral("command: \\x1b[31m\\xe2\\x80\\xae\\xc2\\x9b\\x0a")));
    const QJsonObject member = ask(R"({"command": "status", "\u001b]0;x\u0007": 1})");
    QCOMPARE(text(member, "error"), QStringLiteral("\\x1b]0;x\\x07: is no member of this request"));
    const QByteArray longOne = R"({"command": ")" + QByteArray(4000, 'x') + "\"}";
    QVERIFY(text(ask(longOne), "error").size() < 400);
    // What a peer calls itself is exact, and yet harmless.
    QVERIFY(answerTo(R"({"command": "sessions"})").contains("a\\u202eZ\\u009b31m"));
}

void TestControl::ofTwoMembersOfOneNameTheLastCounts()
{
    QCOMPARE(text(ask(R"({"command": "stop", "command": "health"})"), "code"), QString());
    QCOMPARE(text(ask(R"({"command": "health", "command": "stop"})"), "code"),
             QStringLiteral("unknown-command"));
}

void TestControl::anythingGetsAnAnswer()
{
    const QList<QByteArray> seeds{
        R"({"command": "status"})", R"({"command": "close", "session": "0123456789abcdef"})",
        R"({"command": "close-identity", "identity_base64": "/wB6eg=="})",
        R"({"command": "close-identity", "identity": "\u00e4\ud83d\ude00"})",
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
        const QByteArray answer = answerTo(request);
        QVERIFY2(isAnswer(answer), request.toHex() + " -> " + answer);
    }
}

QTEST_GUILESS_MAIN(TestControl)
#include "tst_control.moc"
