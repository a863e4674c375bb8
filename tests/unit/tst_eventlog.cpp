// SPDX-License-Identifier: Apache-2.0
#include "app/EventLog.h"

#include <QFile>
#include <QRegularExpression>
#include <QTest>

#include <set>

using namespace dtlsd;
using namespace std::chrono_literals;

namespace {

SessionInfo session()
{
    SessionInfo info;
    info.id = SessionId{0x0123456789abcdef};
    info.path = {SocketAddress::parse(u"192.0.2.7:5683").value(),
                 SocketAddress::parse(u"192.0.2.1:22334").value()};
    info.peerText = "192.0.2.7:5683";
    info.identity = "sensor-17";
    info.cipher = "PSK-AES128-GCM-SHA256";
    info.protocol = "DTLSv1.2";
    return info;
}

Datagram datagram()
{
    return {session(), 3, "temperature=21.5", "\x17\xfe\xfd", {}};
}

QByteArray field(const LogRecord &record, const char *name)
{
    for (const LogField &candidate : record.fields) {
        if (qstrcmp(candidate.name, name) == 0)
            return candidate.value;
    }
    return {};
}

LogOptions options(LogLevel level, PayloadFormat payload = PayloadFormat::Text)
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
    void everyKindHasItsOwnIdAndACatalogEntry();
    void aDatagramHasItsFields();
    void aPayloadIsShownAsAsked_data();
    void aPayloadIsShownAsAsked();
    void anIdentityCannotForgeAnEntry();
    void anUnprovedIdentityIsOnlyClaimed();
    void theLevelDecidesWhatIsWanted();
    void everyEventReadsAsASentence();
};

void TestEventLog::everyKindHasItsOwnIdAndACatalogEntry()
{
    QFile file(QStringLiteral(DTLSD_SOURCE_DIR "/packaging/systemd/dtlsd.catalog"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QStringList inCatalog;
    auto match = QRegularExpression(QStringLiteral("^-- ([0-9a-f]{32})$"),
                                    QRegularExpression::MultilineOption)
                     .globalMatch(QString::fromUtf8(file.readAll()));
    while (match.hasNext())
        inCatalog += match.next().captured(1);

    QStringList inTable;
    std::set<std::string> names;
    for (const EventKind &kind : kind::all) {
        inTable += QString::fromLatin1(kind.messageId);
        names.insert(kind.name);
    }
    QCOMPARE(names.size(), kind::all.size());
    QCOMPARE(QSet<QString>(inTable.begin(), inTable.end()).size(), inTable.size());
    inCatalog.sort();
    inTable.sort();
    QCOMPARE(inCatalog, inTable);
}

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
    for (const LogField &each : record.fields) {
        const QRegularExpression valid(QStringLiteral("^DTLSD_[A-Z_]{1,58}$"));
        QVERIFY2(valid.match(QLatin1String(each.name)).hasMatch(), each.name);
    }
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
    const LogRecord record = EventLog(options(LogLevel::Info, format)).describe(event);
    QCOMPARE(record.message, message);
    QCOMPARE(field(record, "DTLSD_PAYLOAD"), kept);
    QCOMPARE(field(record, "DTLSD_PAYLOAD_SIZE"), "4");
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
    info.cipher.clear();
    const LogRecord record =
        EventLog({}).describe(HandshakeFailed{info, HandshakeFailure::WrongKeyOrLoss});
    QCOMPARE(record.priority, Priority::Warning);
    QCOMPARE(field(record, "DTLSD_CLAIMED_IDENTITY"), "sensor-17");
    QVERIFY(field(record, "DTLSD_IDENTITY").isNull());
    QVERIFY(field(record, "DTLSD_CIPHER").isNull());
    QCOMPARE(field(record, "DTLSD_REASON"), "wrong-key-or-loss");
}

void TestEventLog::theLevelDecidesWhatIsWanted()
{
    const EventLog notice(options(LogLevel::Notice));
    QVERIFY(notice.wants(kind::started));
    QVERIFY(!notice.wants(kind::datagramReceived));
    QVERIFY(!notice.record(datagram()));
    QVERIFY(notice.record(HandshakeFailed{session(), HandshakeFailure::Timeout}));
    QVERIFY(!EventLog(options(LogLevel::Info)).record(HandshakeStarted{session()}));
    QVERIFY(EventLog(options(LogLevel::Debug)).record(HandshakeStarted{session()}));
}

void TestEventLog::everyEventReadsAsASentence()
{
    const EventLog log({});
    const auto message = [&log](const auto &event) { return log.describe(event).message; };
    const SocketAddress listen = SocketAddress::parse(u"0.0.0.0:22334").value();
    QCOMPARE(message(Started{{}, {listen}, 2, 1}),
             "dtlsd " DTLSD_VERSION " listens on 0.0.0.0:22334 with 2 workers for 1 identity");
    QCOMPARE(message(Stopping{QStringLiteral("SIGTERM"), 12}),
             "stopping on SIGTERM; 12 sessions to close");
    QCOMPARE(message(SessionOpened{session(), false, 3ms}),
             "sensor-17 (192.0.2.7:5683): session opened with PSK-AES128-GCM-SHA256");
    QCOMPARE(message(SessionClosed{session(), CloseReason::Idle, 1500ms, {1, 16}, {1, 20}}),
             "sensor-17 (192.0.2.7:5683): session closed after 1.5 s, 1 datagram received: idle "
             "for too long");
    QCOMPARE(message(PeerMisbehaving{session(), 2}),
             "sensor-17 (192.0.2.7:5683): 2 records dropped: forged, repeated or incomplete");
    QCOMPARE(message(UnverifiedTraffic{10s, 3, 2, 0, 0, 0, 0}),
             "5 datagrams from unproved sources in 10 s: 3 not DTLS, 2 for a session that is not "
             "there");
    QCOMPARE(message(UnverifiedTraffic{10s, 0, 0, 0, 0, 0, 7}),
             "7 datagrams from unproved sources in 10 s: 7 dropped by the kernel, as the receive "
             "buffer was full");
    Statistics overflown;
    overflown.overflowed = 3;
    QCOMPARE(message(StatisticsTaken{Statistics{}, 5min}),
             "0 sessions open, 0 half-open; in the last 5min: 0 opened, 0 closed, 0 failed, "
             "0 datagrams received, 0 replies sent");
    QCOMPARE(message(StatisticsTaken{overflown, 5min}),
             "0 sessions open, 0 half-open; in the last 5min: 0 opened, 0 closed, 0 failed, "
             "0 datagrams received, 0 replies sent, 3 dropped by the kernel");
    QCOMPARE(message(EntriesDropped{1}),
             "1 entry was lost, as the log took none; datagrams among them got no receipt");
    QCOMPARE(message(ConfigMessage{QStringLiteral("/etc/dtlsd/dtlsd.ini"), 7,
                                   QStringLiteral("[identity *]: anybody")}),
             "/etc/dtlsd/dtlsd.ini:7: [identity *]: anybody");
}

QTEST_GUILESS_MAIN(TestEventLog)
#include "tst_eventlog.moc"
