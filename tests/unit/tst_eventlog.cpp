// SPDX-License-Identifier: Apache-2.0
#include "app/LogEvent.h"
#include "events/EventLog.h"
#include "support/SampleEvents.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

Datagram datagram()
{
    return {session(), 3, "temperature=21.5", "\x17\xfe\xfd", {}};
}

LogOptions options(Priority level, PayloadFormat payload = PayloadFormat::Text)
{
    LogOptions result;
    result.level = level;
    result.payload = payload;
    return result;
}

} // namespace

class TestEventLog : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aDatagramHasItsFields();
    void aClosedSessionHasItsFields();
    void aPeriodHasItsCounters();
    void aPayloadIsShownAsAsked_data();
    void aPayloadIsShownAsAsked();
    void aLargePayloadIsShownInPartAndKeptWhole_data();
    void aLargePayloadIsShownInPartAndKeptWhole();
    void anIdentityCannotForgeAnEntry();
    void anUnprovedIdentityIsOnlyClaimed();
    void anEmptyIdentityIsNamed();
    void anAlertIsNamed();
    void theLevelDecidesWhatIsWanted();
    void entriesAboutAPeerAreAccountedToIt();
    void everyEventReadsAsASentence();
};

void TestEventLog::aDatagramHasItsFields()
{
    const LogRecord record = EventLog({}).describe(datagram());
    QCOMPARE(record.message, "sensor-17 (192.0.2.7:5683): temperature=21.5");
    QCOMPARE(record.priority, Priority::Info);
    QCOMPARE(record.event, "datagram-received");
    QCOMPARE(field(record, "DTLSD_SESSION"), "0123456789abcdef");
    QCOMPARE(field(record, "DTLSD_IDENTITY"), "sensor-17");
    QCOMPARE(field(record, "DTLSD_PEER_ADDRESS"), "192.0.2.7");
    QCOMPARE(field(record, "DTLSD_PEER_PORT"), "5683");
    QCOMPARE(field(record, "DTLSD_LOCAL_ADDRESS"), "192.0.2.1:22334");
    QCOMPARE(field(record, "DTLSD_CIPHER"), "PSK-AES128-GCM-SHA256");
    QCOMPARE(field(record, "DTLSD_PROTOCOL"), "DTLSv1.2");
    QCOMPARE(field(record, "DTLSD_SEQUENCE"), "3");
    QCOMPARE(field(record, "DTLSD_PAYLOAD"), "temperature=21.5");
    QCOMPARE(field(record, "DTLSD_PAYLOAD_SIZE"), "16");
    QCOMPARE(field(record, "DTLSD_CIPHERTEXT"), "17fefd");
    QCOMPARE(record.fields.capacity(), LogRecord().fields.capacity()); // nothing was allocated
    for (const LogField &each : record.fields) {
        const QRegularExpression valid(QStringLiteral("^DTLSD_[A-Z_]{1,58}$"));
        QVERIFY2(valid.match(QLatin1String(each.name)).hasMatch(), each.name);
    }
}

void TestEventLog::aClosedSessionHasItsFields()
{
    const LogRecord record = EventLog({}).describe(
        SessionClosed{session(), CloseReason::Idle, 1500ms, {2, 16}, {1, 20}});
    QCOMPARE(field(record, "DTLSD_REASON"), "idle");
    QCOMPARE(field(record, "DTLSD_DURATION_USEC"), "1500000");
    QCOMPARE(field(record, "DTLSD_COUNT"), "2");
    QCOMPARE(field(record, "DTLSD_RECEIVED_DATAGRAMS"), "2");
    QCOMPARE(field(record, "DTLSD_RECEIVED_BYTES"), "16");
    QCOMPARE(field(record, "DTLSD_SENT_DATAGRAMS"), "1");
    QCOMPARE(field(record, "DTLSD_SENT_BYTES"), "20");
}

void TestEventLog::aPeriodHasItsCounters()
{
    const LogRecord record =
        EventLog({}).describe(StatisticsTaken{{.sessionsOpened = 1,
                                               .sessionsClosed = {{2}},
                                               .handshakesFailed = {{3}},
                                               .received = {4, 5},
                                               .sent = {6, 7},
                                               .badRecords = 8,
                                               .unverified = {.malformed = 1, .overflowed = 9},
                                               .sessions = 11,
                                               .halfOpen = 12},
                                              5min});
    const std::pair<const char *, QByteArray> expected[]{{"DTLSD_DURATION_USEC", "300000000"},
                                                         {"DTLSD_SESSIONS_OPENED", "1"},
                                                         {"DTLSD_SESSIONS_CLOSED", "2"},
                                                         {"DTLSD_HANDSHAKES_FAILED", "3"},
                                                         {"DTLSD_COUNT", "4"},
                                                         {"DTLSD_RECEIVED_DATAGRAMS", "4"},
                                                         {"DTLSD_RECEIVED_BYTES", "5"},
                                                         {"DTLSD_SENT_DATAGRAMS", "6"},
                                                         {"DTLSD_SENT_BYTES", "7"},
                                                         {"DTLSD_BAD_RECORDS", "8"},
                                                         {"DTLSD_KERNEL_DROPS", "9"},
                                                         {"DTLSD_UNVERIFIED", "10"},
                                                         {"DTLSD_SESSIONS", "11"},
                                                         {"DTLSD_HALF_OPEN", "12"}};
    for (const auto &[name, value] : expected)
        QCOMPARE(field(record, name), value);
    QCOMPARE(record.fields.size(), static_cast<qsizetype>(std::size(expected)));
}

void TestEventLog::aPayloadIsShownAsAsked_data()
{
    QTest::addColumn<PayloadFormat>("format");
    QTest::addColumn<QByteArray>("message");
    QTest::addColumn<QByteArray>("kept");
    const QByteArray who = "sensor-17 (192.0.2.7:5683): ";
    QTest::newRow("text") << PayloadFormat::Text << who + "a\\x0ab\\xff" << QByteArray("a\nb\xff");
    QTest::newRow("hex") << PayloadFormat::Hex << who + "610a62ff" << QByteArray("a\nb\xff");
    QTest::newRow("none") << PayloadFormat::None << who + "4 bytes" << QByteArray();
}

void TestEventLog::aPayloadIsShownAsAsked()
{
    QFETCH(PayloadFormat, format);
    QFETCH(QByteArray, message);
    QFETCH(QByteArray, kept);
    Datagram event = datagram();
    event.payload = "a\nb\xff";
    const LogRecord record = EventLog(options(Priority::Info, format)).describe(event);
    QCOMPARE(record.message, message);
    QCOMPARE(field(record, "DTLSD_PAYLOAD"), kept);
    QCOMPARE(field(record, "DTLSD_PAYLOAD_SIZE"), "4");
}

void TestEventLog::aLargePayloadIsShownInPartAndKeptWhole_data()
{
    QTest::addColumn<PayloadFormat>("format");
    QTest::addColumn<qsizetype>("size");
    QTest::addColumn<QString>("shown");
    QTest::newRow("all text of 256 characters")
        << PayloadFormat::Text << qsizetype{256} << QString(256, u'k');
    QTest::newRow("256 characters of the largest text")
        << PayloadFormat::Text << qsizetype{16'384} << QString(256, u'k') + u'…';
    QTest::newRow("all digits of 128 bytes")
        << PayloadFormat::Hex << qsizetype{128} << QStringLiteral("6b").repeated(128);
    QTest::newRow("256 digits of the largest payload")
        << PayloadFormat::Hex << qsizetype{16'384} << QStringLiteral("6b").repeated(128) + u'…';
}

void TestEventLog::aLargePayloadIsShownInPartAndKeptWhole()
{
    QFETCH(PayloadFormat, format);
    QFETCH(qsizetype, size);
    QFETCH(QString, shown);
    Datagram event = datagram();
    event.payload = QByteArray(size, 'k');
    const LogRecord record = EventLog(options(Priority::Info, format)).describe(event);
    QCOMPARE(QString::fromUtf8(record.message),
             QStringLiteral("sensor-17 (192.0.2.7:5683): ") + shown);
    QCOMPARE(field(record, "DTLSD_PAYLOAD"), event.payload);
}

void TestEventLog::anIdentityCannotForgeAnEntry()
{
    Datagram event = datagram();
    event.session.identity = "eve\nMESSAGE=forged\x1b[31m";
    const LogRecord record = EventLog({}).describe(event);
    QCOMPARE(record.message, "eve\\x0aMESSAGE=forged\\x1b[31m (192.0.2.7:5683): temperature=21.5");
    QCOMPARE(field(record, "DTLSD_IDENTITY"), event.session.identity);
}

void TestEventLog::anUnprovedIdentityIsOnlyClaimed()
{
    SessionInfo info = session();
    info.cipher = {};
    const LogRecord record =
        EventLog({}).describe(HandshakeFailed{info, HandshakeFailure::WrongKeyOrLoss});
    QCOMPARE(record.priority, Priority::Warning);
    QCOMPARE(field(record, "DTLSD_CLAIMED_IDENTITY"), "sensor-17");
    QVERIFY(field(record, "DTLSD_IDENTITY").isNull());
    QVERIFY(field(record, "DTLSD_CIPHER").isNull());
    QCOMPARE(field(record, "DTLSD_REASON"), "wrong-key-or-loss");
}

void TestEventLog::anEmptyIdentityIsNamed()
{
    SessionInfo info = session();
    info.identity = QByteArray("");
    const LogRecord failed =
        EventLog({}).describe(HandshakeFailed{info, HandshakeFailure::UnknownIdentity});
    QVERIFY(failed.message.startsWith("192.0.2.7:5683, claiming to be \"\": handshake failed: "));
    QVERIFY(hasField(failed, "DTLSD_CLAIMED_IDENTITY"));
    QCOMPARE(field(failed, "DTLSD_CLAIMED_IDENTITY"), "");
    const LogRecord opened = EventLog({}).describe(SessionOpened{info, false, {}});
    QVERIFY(opened.message.startsWith("\"\" (192.0.2.7:5683): "));
    QVERIFY(hasField(opened, "DTLSD_IDENTITY"));

    info.identity = QByteArray(); // it has said none
    const LogRecord silent =
        EventLog({}).describe(HandshakeFailed{info, HandshakeFailure::Timeout});
    QVERIFY(silent.message.startsWith("192.0.2.7:5683: handshake failed: "));
    QVERIFY(!hasField(silent, "DTLSD_CLAIMED_IDENTITY"));
}

void TestEventLog::anAlertIsNamed()
{
    const Alert alert{Alert::Level::Fatal, AlertDescription{47}};
    const LogRecord closed =
        EventLog({}).describe(SessionClosed{session(), CloseReason::Alert, 1500ms, {}, {}, alert});
    QCOMPARE(field(closed, "DTLSD_REASON"), "alert");
    QCOMPARE(field(closed, "DTLSD_ALERT"), "illegal_parameter (47)");
    QVERIFY(closed.message.endsWith("the device ended it with an alert: illegal_parameter (47)"));
    const LogRecord failed =
        EventLog({}).describe(HandshakeFailed{session(), HandshakeFailure::Alert, alert});
    QCOMPARE(field(failed, "DTLSD_REASON"), "alert");
    QCOMPARE(field(failed, "DTLSD_ALERT"), "illegal_parameter (47)");
    QVERIFY(failed.message.endsWith("in clear and proves nothing: illegal_parameter (47)"));
    QVERIFY(!hasField(EventLog({}).describe(HandshakeFailed{session(), {}}), "DTLSD_ALERT"));
}

void TestEventLog::theLevelDecidesWhatIsWanted()
{
    const EventLog notice(options(Priority::Notice));
    QVERIFY(notice.record(Started{}));
    QVERIFY(!notice.wantsDatagrams());
    QVERIFY(!notice.record(datagram()));
    QVERIFY(notice.record(HandshakeFailed{session(), HandshakeFailure::Timeout}));
    QVERIFY(!EventLog(options(Priority::Info)).record(HandshakeStarted{session()}));
    QVERIFY(EventLog(options(Priority::Debug)).record(HandshakeStarted{session()}));
    QVERIFY(!notice.record(ServerEvent(SessionOpened{session()})));
    QVERIFY(notice.record(ServerEvent(HandshakeFailed{session(), HandshakeFailure::Timeout})));
}

void TestEventLog::entriesAboutAPeerAreAccountedToIt()
{
    SessionInfo info = session();
    info.source = 17;
    QCOMPARE(sourceOf(SessionOpened{info}), 17U);
    for (const ServerEvent &event :
         {ServerEvent(HandshakeStarted{info}), ServerEvent(HandshakeFailed{info}),
          ServerEvent(SessionOpened{info}),
          ServerEvent(SessionClosed{info, CloseReason::Idle, {}, {}, {}}),
          ServerEvent(PeerMisbehaving{info})})
        QCOMPARE(sourceOf(event), 17U);
    QVERIFY(sourceOf(IdentityLimited{"sensor-17"}) != 0U);
    QCOMPARE(sourceOf(ServerEvent(UnverifiedTraffic{})), 0U);
    QCOMPARE(sourceOf(Losses{}), 0U);
}

void TestEventLog::everyEventReadsAsASentence()
{
    const EventLog log({});
    const auto message = [&log](const auto &event) { return log.describe(event).message; };
    const SocketAddress listen = SocketAddress::parse(u"0.0.0.0:22334").value();
    QCOMPARE(message(Started{{}, {listen}, 2, 1}),
             "dtlsd " DTLSD_VERSION " listens on 0.0.0.0:22334 with 2 workers for 1 identity; "
             "TLS backend: qt");
    QCOMPARE(message(Started{{}, {listen}, 2, 1, false, BackendKind::Qt, ConnectionIdUse::Inert}),
             "dtlsd " DTLSD_VERSION " listens on 0.0.0.0:22334 with 2 workers for 1 identity; "
             "TLS backend: qt, so [tls] connection_ids has no effect");
    QCOMPARE(
        message(Started{{}, {listen}, 1, 2, true, BackendKind::Dtlsd, ConnectionIdUse::InForce}),
        "dtlsd " DTLSD_VERSION
        " listens on 0.0.0.0:22334 (passed by systemd) with 1 worker for 2 identities; "
        "TLS backend: dtlsd");
    QCOMPARE(message(Started{{},
                             {listen},
                             2,
                             1,
                             false,
                             BackendKind::Qt,
                             ConnectionIdUse::Inert,
                             {KeepSessionsUse::Inert}}),
             "dtlsd " DTLSD_VERSION " listens on 0.0.0.0:22334 with 2 workers for 1 identity; "
             "TLS backend: qt, so [tls] connection_ids and [server] keep_sessions have no effect");
    const Started takingOver{{},
                             {listen},
                             2,
                             1,
                             false,
                             BackendKind::Dtlsd,
                             ConnectionIdUse::InForce,
                             {KeepSessionsUse::InForce, {}, 1200}};
    QCOMPARE(message(takingOver),
             "dtlsd " DTLSD_VERSION " listens on 0.0.0.0:22334 with 2 workers for 1 identity; "
             "TLS backend: dtlsd; 1200 sessions taken over");
    QCOMPARE(field(log.describe(takingOver), "DTLSD_KEPT_SESSIONS"), "yes");
    QCOMPARE(field(log.describe(takingOver), "DTLSD_TAKEN_OVER"), "1200");
    QCOMPARE(field(log.describe(Started{}), "DTLSD_KEPT_SESSIONS"), "no");
    QCOMPARE(field(log.describe(Started{}), "DTLSD_TLS_BACKEND"), "qt");
    QCOMPARE(message(SessionsLost{2, QStringLiteral("a slot fails its check")}),
             "2 sessions of the process before not taken over: a slot fails its check; their "
             "devices open new ones");
    QCOMPARE(message(Stopping{QStringLiteral("SIGTERM"), 12}),
             "stopping on SIGTERM; 12 sessions to close");
    QCOMPARE(message(Stopping{QStringLiteral("SIGTERM"), 1, true}),
             "stopping on SIGTERM; 1 session kept for the next process");
    ConfigChange change;
    change.removedIdentities = {"a", "b"};
    change.keys = {QStringLiteral("[log] level")};
    QCOMPARE(message(Reloaded{{}, change, 1, {}}),
             "configuration reloaded: 2 identities removed (a, b); [log] level changed; 1 session "
             "revoked");
    QCOMPARE(message(Reloaded{}), "configuration reloaded: nothing changed");
    const ConfigMessage wrong{QStringLiteral("/etc/dtlsd/dtlsd.ini"), 7, QStringLiteral("[x]: y")};
    QCOMPARE(message(ReloadRejected{wrong, 2}),
             "configuration not reloaded: /etc/dtlsd/dtlsd.ini:7: [x]: y; 2 further errors, see "
             "dtlsd --check");
    QCOMPARE(message(ReloadRejected{wrong, 0}),
             "configuration not reloaded: /etc/dtlsd/dtlsd.ini:7: [x]: y");
    QCOMPARE(message(SessionOpened{session(), false, 2400us}),
             "sensor-17 (192.0.2.7:5683): session opened with PSK-AES128-GCM-SHA256 in 2.4 ms");
    QCOMPARE(message(SessionOpened{session(), true, 1s}),
             "sensor-17 (192.0.2.7:5683): session opened with PSK-AES128-GCM-SHA256 and next_key "
             "in 1.0 s");
    QCOMPARE(message(SessionClosed{session(), CloseReason::Idle, 1500ms, {1, 16}, {2, 1}}),
             "sensor-17 (192.0.2.7:5683): session closed after 1.5 s, 1 datagram (16 bytes) "
             "received, 2 datagrams (1 byte) sent: idle for too long");
    QCOMPARE(message(HandshakeFailed{session(), HandshakeFailure::WrongKeyOrLoss}),
             "192.0.2.7:5683, claiming to be sensor-17: handshake failed: the key on the device is "
             "not ours, or datagrams were lost; compare the device's key with dtlsd --show-config");
    QCOMPARE(message(PeerMisbehaving{session(), 2}),
             "sensor-17 (192.0.2.7:5683): 2 records dropped: forged, repeated or incomplete; "
             "if there are many, look at the path to the device");
    QCOMPARE(message(IdentityLimited{"sensor-17", 10, 14}),
             "sensor-17: 14 datagrams dropped, over datagrams_per_second = 10; they are neither "
             "logged nor acknowledged");
    QCOMPARE(message(IdentityLimited{PskStore::wildcardAccount(), 10, 1}),
             "[identity *]: 1 datagram dropped, over datagrams_per_second = 10; they are neither "
             "logged nor acknowledged");
    QCOMPARE(message(ReplyDropped{session(), 2, 600, 512}),
             "sensor-17 (192.0.2.7:5683): 2 replies not sent: of 600 bytes, and the device takes "
             "512 at most (max_fragment_length); make its reply, or its service's answer, shorter");
    QCOMPARE(message(UnverifiedTraffic{{.malformed = 3, .withoutSession = 2}, 10s}),
             "5 datagrams from unproved sources in 10.0 s: 3 not DTLS, 2 for a session that is not "
             "there");
    QCOMPARE(message(UnverifiedTraffic{{.tooLong = 1}, 10s}),
             "1 datagram from unproved sources in 10.0 s: 1 hellos longer than 4096 bytes");
    QCOMPARE(message(UnverifiedTraffic{{.overflowed = 7}, 10s}),
             "7 datagrams from unproved sources in 10.0 s: 7 dropped by the kernel, as the receive "
             "buffer was full; raise [server] receive_buffer");
    Statistics overflown;
    overflown.unverified.overflowed = 3;
    QCOMPARE(message(StatisticsTaken{Statistics{}, 5min}),
             "0 sessions open, 0 half-open; in the last 5min: 0 opened, 0 closed, 0 failed, "
             "0 datagrams received, 0 replies sent");
    QCOMPARE(message(StatisticsTaken{overflown, 5min}),
             "0 sessions open, 0 half-open; in the last 5min: 0 opened, 0 closed, 0 failed, "
             "0 datagrams received, 0 replies sent, 3 dropped by the kernel");
    QCOMPARE(message(Losses{.refused = 1}),
             "1 entry was lost (1 not kept by the log); datagrams among them got no receipt; "
             "check journald, or what reads our output, and its disk");
    QCOMPARE(message(Losses{.crowdedOut = 2, .refused = 3}),
             "5 entries were lost (2 for want of room in [log] queue, 3 not kept by the log); "
             "datagrams among them got no receipt; check journald, or what reads our output, and "
             "its disk");
    QCOMPARE(message(Verifiability{"sd_journal_open: Too many open files", {}, 0}),
             "entries cannot be read back from the journal, so datagrams get no receipt: "
             "sd_journal_open: Too many open files");
    QCOMPARE(message(Verifiability{{}, 2500ms, 3}),
             "entries can be read back from the journal again, after 2.5 s; 3 entries meanwhile "
             "could not be acknowledged");
    QCOMPARE(message(ConfigMessage{QStringLiteral("/etc/dtlsd/dtlsd.ini"), 7,
                                   QStringLiteral("[identity *]: anybody")}),
             "/etc/dtlsd/dtlsd.ini:7: [identity *]: anybody");
}

DTLSD_TEST(TestEventLog)
#include "tst_eventlog.moc"
