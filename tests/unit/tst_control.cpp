// SPDX-License-Identifier: Apache-2.0
//
// Each command of a Control, and its answer.
#include "control/Control.h"
#include "core/Json.h"
#include "support/FakeDaemon.h"
#include "support/TestProgram.h"

#include <QCoreApplication>
#include <QJsonDocument>

#include <memory>
#include <utility>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

QJsonObject objectFrom(const char *json)
{
    return QJsonDocument::fromJson(json).object();
}

} // namespace

class TestControl : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void statusTellsAllThereIs()
    {
        QJsonObject status = m_asked->ask("{\"command\":\"status\"}");
        const double uptime = status.take(QStringLiteral("uptime_s")).toDouble();
        QVERIFY(uptime >= 1.5);
        QVERIFY(uptime < 60);
        QVERIFY(!text(status, "version").isEmpty());
        status.remove(QStringLiteral("version"));
        QCOMPARE(status.take(QStringLiteral("pid")).toInteger(),
                 QCoreApplication::applicationPid());
        QCOMPARE(status, objectFrom(R"({
            "ok": true, "config_file": "/etc/dtlsd/dtlsd.ini", "listen": ["[::1]:22334"],
            "tls_backend": "dtlsd", "connection_ids": true, "keep_sessions": true,
            "keep_sessions_obstacle": "", "taken_over": 3, "steering": true, "identities": 3,
            "sessions": 2, "half_open": 4,
            "workers": [
                {"worker": 0, "sessions": 1, "half_open": 2, "datagrams_received": 5, "cpu_s": 0.12},
                {"worker": 1, "sessions": 1, "half_open": 2, "datagrams_received": 5, "cpu_s": 0.12}],
            "sessions_opened": 6, "sessions_closed": 4, "handshakes_failed": 8,
            "datagrams_received": 10, "bytes_received": 120,
            "datagrams_sent": 8, "bytes_sent": 200, "receipts_withheld": 12,
            "log": {"target": "journal", "waiting": 7, "capacity": 16384, "written": 12, "lost": 1,
                    "unverified": 3, "stalled_s": 2.5, "losing_s": 1.5, "loss_reason": "no room",
                    "obstacle": "no file"},
            "forward": {
                "services": [{"service": "127.0.0.1:5683", "reachable": true},
                             {"service": "[::1]:5684", "reachable": false}],
                "sockets": 4, "datagrams_to_service": 8, "bytes_to_service": 100,
                "datagrams_from_service": 6, "bytes_from_service": 80,
                "dropped": {"not-logged": 0, "refused": 4, "no-source": 0,
                            "answer-queue-full": 0, "error": 0}},
            "reloads": {"applied": 1, "rejected": 1, "last": "rejected"}})"));
    }

    void sessionsAreALineEach()
    {
        const QByteArray answer = m_asked->answerTo("{\"command\":\"sessions\"}");
        QVERIFY(isAnswer(answer));
        QList<QJsonObject> lines = ControlPeer::parse(answer);
        QCOMPARE(lines.takeLast(), objectFrom(R"({"ok": true, "sessions": 4})"));
        QCOMPARE(lines.size(), 4);
        QCOMPARE(lines[0], objectFrom(R"({
            "session": "0123456789abcdef", "state": "established", "identity": "sensor-17",
            "peer": "192.0.2.7:5683", "local": "192.0.2.1:22334",
            "cipher": "PSK-AES128-GCM-SHA256", "protocol": "DTLSv1.2", "age_s": 1.5, "idle_s": 0.2,
            "datagrams_received": 5, "bytes_received": 60, "datagrams_sent": 4, "bytes_sent": 100,
            "connection_id": "", "service_source": "127.1.2.3:61004", "bad_records": 2,
            "worker": 0})"));
        QCOMPARE(text(lines[1], "identity_base64"), QString::fromLatin1(rawIdentity.toBase64()));
        QVERIFY(!lines[1].contains(QStringLiteral("identity")));
        QCOMPARE(lines[2].value(QStringLiteral("worker")).toInt(), 1);
        QCOMPARE(text(lines[3], "identity").toUtf8(), rightToLeft);
    }

    void aListMayBeAskedFor_data()
    {
        QTest::addColumn<QByteArray>("members");
        QTest::addColumn<int>("limit");
        QTest::addColumn<QByteArray>("identity");
        QTest::newRow("of the last active")
            << QByteArray(R"("limit": 1000)") << 1000 << QByteArray();
        QTest::newRow("of an identity")
            << QByteArray(R"("identity": "sensor-17")") << 0 << QByteArray("sensor-17");
        QTest::newRow("of one that is no UTF-8")
            << QByteArray(R"("identity_base64": "/wB6eg==")") << 0 << rawIdentity;
        QTest::newRow("of both") << QByteArray(R"("limit": 1, "identity": "")") << 1
                                 << QByteArray("");
    }
    void aListMayBeAskedFor()
    {
        QFETCH(QByteArray, members);
        QFETCH(int, limit);
        QFETCH(QByteArray, identity);
        const QJsonObject last = m_asked->ask(R"({"command": "sessions", )" + members + '}');
        QCOMPARE(m_asked->daemon.queries.size(), 1U);
        const SessionQuery &query = m_asked->daemon.queries.front();
        QCOMPARE(query.limit, limit);
        QCOMPARE(query.identity.has_value(), !identity.isNull());
        QCOMPARE(query.identity.value_or(QByteArray()), identity);
        QCOMPARE(last.value(QStringLiteral("sessions")).toInt(), 4);
        QCOMPARE(last.value(QStringLiteral("total")).toInt(), limit > 0 ? 100 : 0);
    }

    void eachPartIsMadeWhenThereIsRoomForIt()
    {
        QByteArray answer;
        Reply::More more;
        m_asked->control.answer("{\"command\":\"sessions\"}",
                                Reply([&](const QByteArray &lines, const Reply::More &next) {
                                    answer += lines;
                                    more = next;
                                }));
        for (int told = 1; told < 4; ++told) {
            QCOMPARE(answer.count('\n'), told);
            QVERIFY(more);
            std::exchange(more, {})();
        }
        QVERIFY(!more);
        QCOMPARE(answer.count('\n'), 5);
    }

    void aHandshakeIsToldAsOne()
    {
        m_asked->daemon.open[0][0].isEstablished = false;
        m_asked->daemon.open[0][0].info.cipher = {};
        const auto lines = ControlPeer::parse(m_asked->answerTo("{\"command\":\"sessions\"}"));
        QCOMPARE(text(lines[0], "state"), QStringLiteral("handshaking"));
        QCOMPARE(lines[0].value(QStringLiteral("cipher")), QJsonValue(QString()));
    }

    void oneSessionIsClosed()
    {
        const QByteArray request = R"({"command": "close", "session": "0123456789ABCDEF"})";
        QCOMPARE(m_asked->ask(request), objectFrom(R"({"ok": true, "closed": 1})"));
        QCOMPARE(m_asked->daemon.open[0].size(), 1U);
        QCOMPARE(m_asked->daemon.open[1].size(), 2U);
        QCOMPARE(text(m_asked->ask(request), "code"), QStringLiteral("not-found"));
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
        const QJsonObject answer = m_asked->ask(jsonLine(identity).chopped(1));
        QCOMPARE(answer.value(QStringLiteral("closed")).toInt(), closed);
        QCOMPARE(text(answer, "code"), closed > 0 ? QString() : QStringLiteral("not-found"));
        QCOMPARE(m_asked->daemon.open[0].size() + m_asked->daemon.open[1].size(),
                 std::size_t{4} - static_cast<std::size_t>(closed));
    }

    void aDatagramIsSentToThoseThatAreMeant_data()
    {
        QTest::addColumn<QByteArray>("whom");
        QTest::addColumn<int>("sent");
        QTest::newRow("a session") << QByteArray(R"("session": "0123456789ABCDEF")") << 1;
        QTest::newRow("those of an identity") << QByteArray(R"("identity": "sensor-17")") << 2;
        QTest::newRow("one that is no UTF-8")
            << QByteArray(R"("identity_base64": "/wB6eg==")") << 1;
    }
    void aDatagramIsSentToThoseThatAreMeant()
    {
        QFETCH(QByteArray, whom);
        QFETCH(int, sent);
        const QByteArray begin = R"({"command": "send", )" + whom;
        for (const auto &[data, payload] :
             {std::pair<QByteArray, QByteArray>{R"("data": "gr\u00fcn\u0000")",
                                                QByteArray("gr\xc3\xbcn\0", 6)},
              {R"("data_base64": "AP8K")", QByteArray("\0\xff\n", 3)}}) {
            m_asked->daemon.sent.clear();
            const QJsonObject answer = m_asked->ask(begin + ", " + data + '}');
            QCOMPARE(answer,
                     (QJsonObject{{QStringLiteral("ok"), true}, {QStringLiteral("sent"), sent}}));
            QCOMPARE(m_asked->daemon.sent, QList<QByteArray>(sent, payload));
        }
    }

    void whatIsNotSentIsToldWithTheReason_data()
    {
        using Deliveries = QList<Delivery>;
        QTest::addColumn<QByteArray>("whom");
        QTest::addColumn<Deliveries>("deliveries");
        QTest::addColumn<QByteArray>("answer");
        const auto row = [](const char *name, const QByteArray &whom, const Deliveries &deliveries,
                            const QByteArray &answer) {
            QTest::newRow(name) << whom << deliveries << answer;
        };
        const auto refusal = [](const char *code, const char *error) {
            return QByteArray(R"({"ok": false, "code": ")") + code + R"(", "error": ")" + error +
                   "\"}";
        };
        const QByteArray session = R"("session": "0123456789abcdef")";
        const QByteArray identity = R"("identity": "sensor-17")";
        row("to a session that is not there", R"("session": "0000000000000000")", {},
            refusal("not-found", "no such session is open"));
        row("to an identity without one", R"("identity": "sensor-1")", {},
            refusal("not-found", "no session of that identity is open"));
        row("it has ended", session, {Delivery::Failed},
            refusal("not-sent", "the session has ended"));
        row("the data is too long", session, {Delivery::TooLong},
            refusal("not-sent", "the data is longer than the device takes"));
        row("the device is elsewhere", session, {Delivery::Unearned},
            refusal("not-sent", "the device has moved, and its new path is not proved"));
        row("no session takes it", identity, {Delivery::TooLong, Delivery::Failed},
            refusal("not-sent", "the data is longer than the device takes"));
        row("one of two takes it", identity, {Delivery::TooLong, Delivery::Sent},
            R"({"ok": true, "sent": 1})");
    }
    void whatIsNotSentIsToldWithTheReason()
    {
        QFETCH(QByteArray, whom);
        QFETCH(QList<Delivery>, deliveries);
        QFETCH(QByteArray, answer);
        m_asked->daemon.deliveries.assign(deliveries.begin(), deliveries.end());
        QCOMPARE(m_asked->ask(R"({"command": "send", "data": "x", )" + whom + '}'),
                 objectFrom(answer.constData()));
    }

    void aReloadSaysWhatCameOfIt()
    {
        Reloaded reloaded;
        reloaded.configFile = QStringLiteral("/etc/dtlsd/dtlsd.ini");
        reloaded.revoked = 2;
        reloaded.warnings = {{reloaded.configFile, 13, QStringLiteral("[identity *]: any device")}};
        m_asked->daemon.outcome = reloaded;
        QCOMPARE(m_asked->ask("{\"command\":\"reload\"}"), objectFrom(R"({"ok": true, "revoked": 2,
                                "message": "configuration reloaded: nothing changed; 2 sessions revoked",
                                "warnings": ["/etc/dtlsd/dtlsd.ini:13: [identity *]: any device"]})"));
        m_asked->daemon.outcome = ReloadRejected{
            {reloaded.configFile, 7, QStringLiteral("[tls] mtu: 1 is too small")}, 2};
        const QJsonObject rejected = m_asked->ask("{\"command\":\"reload\"}");
        QCOMPARE(text(rejected, "code"), QStringLiteral("rejected"));
        QCOMPARE(text(rejected, "error"),
                 QStringLiteral("configuration not reloaded: /etc/dtlsd/dtlsd.ini:7: [tls] mtu: "
                                "1 is too small; 2 further errors, see dtlsd --check"));
    }

    void aRestartSaysWhatHappensOrWhyNothingDoes()
    {
        QCOMPARE(m_asked->ask("{\"command\":\"restart\"}"),
                 objectFrom(R"({"ok": true, "message": "restarting, and keeping 4 sessions"})"));
        m_asked->daemon.restarted = Error{QStringLiteral("no service manager keeps sessions")};
        QCOMPARE(m_asked->ask("{\"command\":\"restart\"}"),
                 objectFrom(R"({"ok": false, "code": "not-kept",
                                "error": "no service manager keeps sessions"})"));
    }

    void healthSaysWhatWorksOrWhatDoesNot()
    {
        QCOMPARE(m_asked->ask("{\"command\":\"health\"}"),
                 objectFrom(R"({"ok": true, "workers": 2, "sockets": 4, "connection_ids": true,
                                "keep_sessions": true})"));
        m_asked->daemon.problem = Error{QStringLiteral("worker 1 does not answer")};
        QCOMPARE(m_asked->ask("{\"command\":\"health\"}"),
                 objectFrom(R"({"ok": false, "code": "unhealthy",
                                "error": "worker 1 does not answer"})"));
    }

    void connectionIdsThatAreNotInForceAreToldAsNone_data()
    {
        QTest::addColumn<bool>("areWanted");
        QTest::addColumn<BackendKind>("backend");
        QTest::addColumn<bool>("areInForce");
        QTest::newRow("they are wanted") << true << BackendKind::Dtlsd << true;
        QTest::newRow("they are not wanted") << false << BackendKind::Dtlsd << false;
        QTest::newRow("Qt's own backend has none") << true << BackendKind::Qt << false;
        QTest::newRow("neither") << false << BackendKind::Qt << false;
    }
    void connectionIdsThatAreNotInForceAreToldAsNone()
    {
        QFETCH(bool, areWanted);
        QFETCH(BackendKind, backend);
        QFETCH(bool, areInForce);
        m_asked->daemon.connectionIds = connectionIdUse(areWanted, backend);
        for (const char *command : {"health", "status"})
            QCOMPARE(m_asked->ask(QByteArray(R"({"command": ")") + command + "\"}")
                         .value(QStringLiteral("connection_ids")),
                     QJsonValue(areInForce));
    }

    void sessionsThatAreNotKeptAreToldWithTheReason_data()
    {
        QTest::addColumn<bool>("areWanted");
        QTest::addColumn<BackendKind>("backend");
        QTest::addColumn<QString>("storeObstacle");
        QTest::addColumn<bool>("areKept");
        QTest::addColumn<QString>("obstacle");
        const QString none;
        const QString full = QStringLiteral("the store is full");
        const QString qt = QStringLiteral("the TLS backend is Qt's own");
        QTest::newRow("they are kept") << true << BackendKind::Dtlsd << none << true << none;
        QTest::newRow("they are not wanted")
            << false << BackendKind::Dtlsd << full << false << none;
        QTest::newRow("Qt's own backend cannot") << true << BackendKind::Qt << none << false << qt;
        QTest::newRow("nothing keeps them") << true << BackendKind::Dtlsd << full << false << full;
    }
    void sessionsThatAreNotKeptAreToldWithTheReason()
    {
        QFETCH(bool, areWanted);
        QFETCH(BackendKind, backend);
        QFETCH(QString, storeObstacle);
        QFETCH(bool, areKept);
        QFETCH(QString, obstacle);
        m_asked->daemon.kept = keptSessions(areWanted, backend, storeObstacle);
        const QJsonObject status = m_asked->ask(R"({"command": "status"})");
        const QJsonObject health = m_asked->ask(R"({"command": "health"})");
        QCOMPARE(status.value(QStringLiteral("keep_sessions")), QJsonValue(areKept));
        QCOMPARE(health.value(QStringLiteral("keep_sessions")), QJsonValue(areKept));
        QCOMPARE(text(status, "keep_sessions_obstacle"), obstacle);
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
        m_asked->daemon.problem = Error{QStringLiteral("worker 1 does not answer")};
        QCOMPARE(m_asked->ask(request), objectFrom(R"({"ok": false, "code": "unavailable",
                                              "error": "worker 1 does not answer"})"));
    }

    void aCommandIsAnsweredWhenItIsDone_data();
    void aCommandIsAnsweredWhenItIsDone();

    void init() { m_asked = std::make_unique<AskedControl>(); }

private:
    std::unique_ptr<AskedControl> m_asked;
};

void TestControl::aCommandIsAnsweredWhenItIsDone_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::newRow("close") << QByteArray(R"({"command": "close", "session": "0123456789abcdef"})");
    QTest::newRow("close-identity")
        << QByteArray(R"({"command": "close-identity", "identity": "sensor-17"})");
    QTest::newRow("send") << QByteArray(
        R"({"command": "send", "identity": "sensor-17", "data": "x"})");
    QTest::newRow("reload") << QByteArray(R"({"command": "reload"})");
}

void TestControl::aCommandIsAnsweredWhenItIsDone()
{
    QFETCH(QByteArray, request);
    m_asked->daemon.isSlow = true;
    QByteArray answer;
    m_asked->control.answer(
        request, Reply([&answer](const QByteArray &lines, const auto &) { answer += lines; }));
    QCOMPARE(answer, QByteArray());
    QVERIFY(m_asked->ask(R"({"command": "status"})").value(QStringLiteral("ok")).toBool());
    QCOMPARE(m_asked->daemon.later.size(), 1U);
    m_asked->daemon.later.front()();
    QVERIFY(isAnswer(answer));
    QCOMPARE(ControlPeer::parse(answer).size(), 1);
    QVERIFY(ControlPeer::parse(answer).constFirst().value(QStringLiteral("ok")).toBool());
}

DTLSD_TEST(TestControl)
#include "tst_control.moc"
