// SPDX-License-Identifier: Apache-2.0
//
// The parts of src/dtls that are plain values: records, filters, limits, keys, replies, ciphers.
#include "dtls/CipherPolicy.h"
#include "dtls/Credentials.h"
#include "dtls/Events.h"
#include "dtls/HandshakeFilter.h"
#include "dtls/KeyUsage.h"
#include "dtls/Psk.h"
#include "dtls/RateLimit.h"
#include "dtls/ReplyTemplate.h"
#include "dtls/ServerOptions.h"
#include "dtls/UnverifiedWatch.h"
#include "wire/Record.h"

#include <QDebug>
#include <QTest>

#include <array>
#include <bit>
#include <utility>

using namespace dtlsd;
using namespace std::chrono_literals;

class TestDtlsValues : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aDatagramIsTakenApartRecordByRecord();
    void aHalfOpenHandshakeSeesOnlyWhatAClientSends();
    void aForgedSequenceNumberCannotMoveTheReplayWindow();
    void aRateLimitIsATokenBucket();
    void aReplyHasItsPlaceholdersFilled_data();
    void aReplyHasItsPlaceholdersFilled();
    void aReplyThatCannotBeFilledIsRefused_data();
    void aReplyThatCannotBeFilledIsRefused();
    void onlyPskSuitesWithAeadAreOffered_data();
    void onlyPskSuitesWithAeadAreOffered();
    void aKeyIsNeverPrinted();
    void anIdentityIsComparedAsBytes();
    void aStrangerGetsAKeyThatNobodyHolds();
    void unprovedSourcesMakeASummary();
    void countsAreKeptByReason();
    void everyCounterIsAddedAndSubtracted();
    void keysAreUsedUpByWhatTheyProtectAndRefuse();
    void theShorterTheTagTheFewerForgeriesAreBorne();

private:
    static QByteArray record(int type, int epoch, int sequence, const QByteArray &fragment);
    static QByteArray keyExchange(int messageSequence = 2);
    static Record first(const QByteArray &datagram) { return *RecordReader(datagram).next(); }
};

QByteArray TestDtlsValues::record(int type, int epoch, int sequence, const QByteArray &fragment)
{
    QByteArray bytes = QByteArray::number(type, 16).rightJustified(2, '0') + "fefd" +
                       QByteArray::number(epoch, 16).rightJustified(4, '0') +
                       QByteArray::number(sequence, 16).rightJustified(12, '0') +
                       QByteArray::number(fragment.size(), 16).rightJustified(4, '0');
    return QByteArray::fromHex(bytes) + fragment;
}

QByteArray TestDtlsValues::keyExchange(int messageSequence)
{
    QByteArray message = QByteArray::fromHex("10000003000000000000000300017800").chopped(1);
    message[5] = static_cast<char>(messageSequence);
    return message;
}

void TestDtlsValues::aDatagramIsTakenApartRecordByRecord()
{
    const QByteArray one = record(23, 1, 7, "one");
    const QByteArray two = record(21, 0, 8, QByteArray::fromHex("0246"));
    const QByteArray both = one + two;
    RecordReader records{QByteArrayView(both)};
    const auto a = records.next();
    QVERIFY(a);
    QCOMPARE(a->type, ContentType::ApplicationData);
    QCOMPARE(a->epoch, 1);
    QCOMPARE(a->sequence, 7U);
    QCOMPARE(a->fragment(), QByteArrayView("one"));
    const auto b = records.next();
    QVERIFY(b);
    QCOMPARE(b->clearAlert(), (Alert{Alert::Level::Fatal, AlertDescription::ProtocolVersion}));
    QVERIFY(!records.next());
    QVERIFY(records.rest().isEmpty());

    for (const QByteArray &broken :
         {one.chopped(1), one.first(12), QByteArray("\x19") + one.sliced(1), QByteArray("x"),
          one.first(1) + "\x03\x03" + one.sliced(3)}) {
        RecordReader rest{QByteArrayView(broken)};
        QVERIFY(!rest.next());
        QCOMPARE(rest.rest(), QByteArrayView(broken));
    }
}

void TestDtlsValues::aHalfOpenHandshakeSeesOnlyWhatAClientSends()
{
    HandshakeFilter filter;
    const QByteArray changeCipherSpec = record(20, 0, 3, QByteArray(1, '\1'));
    QVERIFY(!filter.admits(first(changeCipherSpec))); // nothing to change to yet
    QVERIFY(!filter.admits(first(record(21, 0, 2, QByteArray::fromHex("0228")))));
    QVERIFY(!filter.admits(first(record(22, 0, 2, keyExchange(7)))));
    QVERIFY(!filter.admits(first(record(22, 0, 2, keyExchange().chopped(1)))));
    QVERIFY(!filter.admits(first(record(22, 0, 2, "short"))));
    QVERIFY(!filter.admits(first(record(23, 0, 2, "data"))));
    for (int i = 0; i < 8; ++i)
        QVERIFY(filter.admits(first(record(22, 1, i, QByteArray(40, 'x')))));
    QVERIFY(!filter.admits(first(record(22, 1, 8, QByteArray(40, 'x'))))); // too many early ones
    QVERIFY(filter.admits(first(record(22, 0, 2, keyExchange()))));
    QVERIFY(filter.admits(first(changeCipherSpec)));
    QVERIFY(filter.sawChangeCipherSpec());
    QVERIFY(filter.admits(first(record(22, 1, 0, QByteArray(40, 'x')))));
    QVERIFY(filter.admits(first(record(22, 1, 0, QByteArray(48, 'x')))));
    for (const qsizetype size : {0, 16, 39, 41, 47, 49, 16'000}) // of no Finished
        QVERIFY(!filter.admits(first(record(22, 1, 0, QByteArray(size, 'x')))));
    QVERIFY(!filter.admits(first(record(23, 1, 1, QByteArray(40, 'x')))));
    QVERIFY(!filter.admits(first(record(22, 2, 0, QByteArray(40, 'x')))));
}

void TestDtlsValues::aForgedSequenceNumberCannotMoveTheReplayWindow()
{
    HandshakeFilter filter;
    QVERIFY(!filter.admits(first(record(22, 0, 66, keyExchange()))));
    QVERIFY(filter.admits(first(record(22, 0, 2, keyExchange()))));
    QVERIFY(filter.admits(first(record(22, 0, 34, keyExchange()))));
    QVERIFY(filter.admits(first(record(22, 0, 3, keyExchange()))));

    HandshakeFilter late; // of a client that has repeated its hello for a while
    late.begin(first(record(22, 0, 100, keyExchange())));
    QVERIFY(late.admits(first(record(22, 0, 101, keyExchange()))));
    QVERIFY(!late.admits(first(record(22, 0, 134, keyExchange()))));
}

void TestDtlsValues::aRateLimitIsATokenBucket()
{
    RateLimit limit(10, 3);
    RateLimit::Clock::time_point now{1h};
    for (int i = 0; i < 3; ++i)
        QVERIFY(limit.admit(now));
    QVERIFY(!limit.admit(now));
    QVERIFY(!limit.admit(now + 99ms));
    QVERIFY(limit.admit(now + 100ms));
    QVERIFY(!limit.admit(now + 100ms));
    now += 1h;
    for (int i = 0; i < 3; ++i)
        QVERIFY(limit.admit(now));
    QVERIFY(!limit.admit(now));

    RateLimit none(0, 0);
    for (int i = 0; i < 1000; ++i)
        QVERIFY(none.admit(now));
    // Of another worker, whose turn began earlier.
    QVERIFY(none.admit(now - 1ms));
}

void TestDtlsValues::aReplyHasItsPlaceholdersFilled_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QByteArray>("reply");
    QTest::newRow("ack") << QStringLiteral("ack") << QByteArray("to 192.0.2.7:5683: ACK");
    QTest::newRow("none") << QStringLiteral("none") << QByteArray();
    QTest::newRow("echo") << QStringLiteral("echo") << QByteArray("21.5");
    QTest::newRow("a text") << QStringLiteral("ok") << QByteArray("ok");
    QTest::newRow("all of them") << QStringLiteral("{identity}@{peer} #{sequence}: {size} {size}")
                                 << QByteArray("sensor-17@192.0.2.7:5683 #3: 4 4");
}

void TestDtlsValues::aReplyHasItsPlaceholdersFilled()
{
    QFETCH(QString, text);
    QFETCH(QByteArray, reply);
    const auto parsed = ReplyTemplate::parse(text);
    QVERIFY(parsed);
    QCOMPARE(parsed.value().render({"192.0.2.7:5683", "sensor-17", "21.5", 3}), reply);
    QCOMPARE(parsed.value().text(), text);
}

void TestDtlsValues::aReplyThatCannotBeFilledIsRefused_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("problem");
    QTest::newRow("empty") << QString() << QStringLiteral("is empty");
    QTest::newRow("unknown") << QStringLiteral("{who}")
                             << QStringLiteral("has an unknown placeholder {who}");
    QTest::newRow("unclosed") << QStringLiteral("a {peer")
                              << QStringLiteral("has a { without its }");
    QTest::newRow("too long") << QStringLiteral("{identity}").repeated(65)
                              << QStringLiteral(
                                     "can become longer than the 16384 bytes of a record");
    QTest::newRow("unopened") << QStringLiteral("peer} {size}")
                              << QStringLiteral("has a } without its {");
}

void TestDtlsValues::aReplyThatCannotBeFilledIsRefused()
{
    QFETCH(QString, text);
    QFETCH(QString, problem);
    const auto parsed = ReplyTemplate::parse(text);
    QVERIFY(!parsed);
    QCOMPARE(parsed.error().message, problem);
}

void TestDtlsValues::onlyPskSuitesWithAeadAreOffered_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("problem"); // empty: accepted
    QTest::newRow("strict") << QStringLiteral("strict") << QString();
    QTest::newRow("modern") << QStringLiteral("modern") << QString();
    QTest::newRow("iot") << QStringLiteral("iot") << QString();
    QTest::newRow("one suite") << QStringLiteral("PSK-AES128-CCM8:@SECLEVEL=0") << QString();
    QTest::newRow("a suite that the security level allows")
        << QStringLiteral("ECDHE-PSK-CHACHA20-POLY1305:@SECLEVEL=4") << QString();
    QTest::newRow("suites that the security level leaves out")
        << QStringLiteral("ECDHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256:"
                          "PSK-AES256-GCM-SHA384:@SECLEVEL=3")
        << QStringLiteral("names PSK-AES128-GCM-SHA256, PSK-AES256-GCM-SHA384, which OpenSSL "
                          "leaves out at security level 3, and offers with :@SECLEVEL=2 at the "
                          "end");
    QTest::newRow("nonsense") << QStringLiteral("NONSENSE")
                              << QStringLiteral("names no cipher suite that OpenSSL knows");
    QTest::newRow("nonsense beside a suite")
        << QStringLiteral("PSK-AES256-GCM-SHA384:PSK-AES128-CCM-8")
        << QStringLiteral("names PSK-AES128-CCM-8, which OpenSSL does not know");
    QTest::newRow("CBC") << QStringLiteral("PSK-AES128-GCM-SHA256:PSK-AES128-CBC-SHA256")
                         << QStringLiteral("offers PSK-AES128-CBC-SHA256, not PSK with AEAD");
    QTest::newRow("certificates") << QStringLiteral("ECDHE-RSA-AES128-GCM-SHA256")
                                  << QStringLiteral(
                                         "offers ECDHE-RSA-AES128-GCM-SHA256, not PSK with AEAD");
}

void TestDtlsValues::onlyPskSuitesWithAeadAreOffered()
{
    QFETCH(QString, text);
    QFETCH(QString, problem);
    const auto policy = CipherPolicy::parse(text);
    QCOMPARE(policy.ok(), problem.isEmpty());
    if (!policy)
        QCOMPARE(policy.error().message, problem);
    else
        QVERIFY(CipherPolicy::parse(QString::fromLatin1(policy.value().cipherString())).ok());
}

void TestDtlsValues::aKeyIsNeverPrinted()
{
    const PskKey key(QByteArray::fromHex("00112233445566778899aabbccddeeff"));
    QString printed;
    QDebug(&printed) << key;
    QVERIFY(printed.startsWith(QStringLiteral("sha256:")));
    QCOMPARE(printed.trimmed().size(), 15);
    QVERIFY(key.fingerprint() != PskKey(QByteArray(16, 'x')).fingerprint());
    QCOMPARE(key.fingerprint(), PskKey(key).fingerprint());
}

void TestDtlsValues::anIdentityIsComparedAsBytes()
{
    const auto entry = [](char byte) {
        return PskIdentity{PskKey(QByteArray(16, byte)), {}, {}, {}};
    };
    PskStore store;
    QVERIFY(store.add("sensor-17", entry('a')));
    QVERIFY(!store.add("sensor-17", entry('b')));
    QCOMPARE(store.find("sensor-17")->key.bytes(), QByteArray(16, 'a'));
    const QByteArray longest(255, 'n');
    QVERIFY(store.add(longest, entry('c')));
    QVERIFY(store.add("\xff\n\x1b", entry('d')));
    QVERIFY(store.find(longest));
    QVERIFY(store.find("\xff\n\x1b"));
    for (const QByteArray &other : {QByteArray("Sensor-17"), QByteArray("sensor-17 "), QByteArray(),
                                    QByteArray("sensor-17\0", 10), longest + 'n'})
        QVERIFY(!store.find(other));

    store.setWildcard(entry('w'));
    QCOMPARE(store.find("anybody")->key.bytes(), QByteArray(16, 'w'));
    QCOMPARE(store.find("sensor-17")->key.bytes(), QByteArray(16, 'a'));
    for (const QByteArray &invalid : {QByteArray("a\0b", 3), QByteArray("\0", 1), longest + 'n'})
        QVERIFY(!store.find(invalid));
    QCOMPARE(store.find({})->key.bytes(), QByteArray(16, 'w'));
    QVERIFY(store.add({}, entry('e')));
    QCOMPARE(store.find({})->key.bytes(), QByteArray(16, 'e'));
}

void TestDtlsValues::aStrangerGetsAKeyThatNobodyHolds()
{
    auto identities = std::make_shared<PskStore>();
    const QList<Subnet> home{QHostAddress::parseSubnet(QStringLiteral("10.0.0.0/8"))};
    identities->add("at-home", {PskKey(QByteArray(16, 'h')), {}, home, {}});
    auto settings = std::make_shared<ServerSettings>();
    settings->identities = identities;
    KeyRotation rotation;
    const QByteArray secret(32, 's');
    const SocketAddress inside = SocketAddress::parse(u"10.1.2.3:4").value();
    const SocketAddress outside = SocketAddress::parse(u"192.0.2.7:4").value();

    const Credentials hiding(settings, rotation, secret);
    QCOMPARE(hiding.find("at-home", inside).key.bytes(), QByteArray(16, 'h'));
    const Credential away = hiding.find("at-home", outside);
    QCOMPARE(away.verdict, Credential::Verdict::AddressNotAllowed);
    const Credential stranger = hiding.find("nobody", outside);
    QCOMPARE(stranger.verdict, Credential::Verdict::UnknownIdentity);
    QCOMPARE(stranger.key.size(), 32);
    QVERIFY(stranger.key != away.key);
    QCOMPARE(hiding.find("nobody", inside).key, stranger.key); // the same for ever

    settings->tls.unknownIdentity = TlsOptions::UnknownIdentity::Alert;
    QVERIFY(Credentials(settings, rotation, secret).find("nobody", outside).key.isEmpty());
}

void TestDtlsValues::unprovedSourcesMakeASummary()
{
    UnverifiedWatch watch;
    const UnverifiedWatch::Clock::time_point start{1h};
    QCOMPARE(watch.due(), UnverifiedWatch::Clock::time_point::max());
    for (int i = 0; i < 50; ++i) { // an honest fleet
        watch.noteHello(start);
        watch.noteVerified();
    }
    QCOMPARE(watch.due(), start + 10s);
    QVERIFY(!watch.report(start + 10s));
    QCOMPARE(watch.due(), UnverifiedWatch::Clock::time_point::max());

    for (int i = 0; i < 1000; ++i)
        watch.noteHello(start);
    watch.note(UnverifiedWatch::Kind::Malformed, start);
    watch.note(UnverifiedWatch::Kind::WithoutSession, start);
    const auto traffic = watch.report(start + 10s);
    QVERIFY(traffic);
    QCOMPARE(traffic->unanswered, 1000U);
    QCOMPARE(traffic->total(), 1002U);
    QCOMPARE(traffic->period, 10s);
    QCOMPARE(watch.counts().total(), 1002U);
    QVERIFY(!watch.report(start + 20s));
}

void TestDtlsValues::countsAreKeptByReason()
{
    CountBy<CloseReason> closed;
    QCOMPARE(closed.total(), 0U);
    ++closed[CloseReason::CloseNotify];
    closed[CloseReason::Error] += 2;
    QCOMPARE(std::as_const(closed)[CloseReason::CloseNotify], 1U);
    QCOMPARE(std::as_const(closed)[CloseReason::Error], 2U);
    QCOMPARE(std::as_const(closed)[CloseReason::Idle], 0U);
    QCOMPARE(closed.total(), 3U);
}

/// As words, so that a counter that is added later is not forgotten here.
void TestDtlsValues::everyCounterIsAddedAndSubtracted()
{
    constexpr std::size_t gauges = 2; // at the end
    using Words = std::array<std::uint64_t, sizeof(Statistics) / sizeof(std::uint64_t)>;
    Words one{};
    for (std::size_t i = 0; i < one.size(); ++i)
        one[i] = i + 1;
    Statistics sum = std::bit_cast<Statistics>(one);
    sum += sum;
    const auto twice = std::bit_cast<Words>(sum);
    const auto rest = std::bit_cast<Words>(sum.since(std::bit_cast<Statistics>(one)));
    for (std::size_t i = 0; i < one.size(); ++i) {
        QCOMPARE(twice[i], 2 * one[i]);
        QCOMPARE(rest[i], i < one.size() - gauges ? one[i] : twice[i]);
    }

    const UnverifiedCounts before{1, 2, 3, 4, 5, 6, 7};
    const UnverifiedCounts now{11, 22, 33, 44, 55, 66, 77};
    QCOMPARE(now.since(before).malformed, 10U);
    QCOMPARE(now.since(before).overflowed, 70U);
    QCOMPARE(now.since(before).total(), 280U);
}

void TestDtlsValues::keysAreUsedUpByWhatTheyProtectAndRefuse()
{
    const SuiteLimits limits{.records = 3, .forgeries = 2, .expansion = 24};
    const auto isOverAfter = [&limits](int times, void (KeyUsage::*note)()) {
        KeyUsage usage(limits);
        for (int i = 0; i < times; ++i)
            (usage.*note)();
        return usage.isOver();
    };
    for (const auto note : {&KeyUsage::noteSent, &KeyUsage::noteReceived}) {
        QVERIFY(!isOverAfter(2, note));
        QVERIFY(isOverAfter(3, note));
    }
    QVERIFY(!isOverAfter(1, &KeyUsage::noteRefused));
    QVERIFY(isOverAfter(2, &KeyUsage::noteRefused));
    QVERIFY(!limits.fits(QByteArray(23, 'x')));
    QVERIFY(limits.fits(QByteArray(24, 'x')));
    // A message of 16384 bytes always fits.
    QVERIFY(limits.fits(QByteArray(16'384 + 24, 'x')));
    QVERIFY(!limits.fits(QByteArray(16'384 + 25, 'x')));
}

void TestDtlsValues::theShorterTheTagTheFewerForgeriesAreBorne()
{
    const auto limits = [](const char *cipher) { return SuiteLimits::of(cipher); };
    QCOMPARE(limits("PSK-AES128-GCM-SHA256").records, 23'726'566U); // 2^24.5
    QCOMPARE(limits("PSK-AES256-GCM-SHA384").forgeries, 1ULL << 36);
    QCOMPARE(limits("ECDHE-PSK-CHACHA20-POLY1305").records, 1ULL << 48);
    QCOMPARE(limits("PSK-AES128-CCM").forgeries, 11'863'283U); // 2^23.5
    QCOMPARE(limits("PSK-AES256-CCM").records, 1U << 23);
    QCOMPARE(limits("PSK-AES128-CCM8").forgeries, 1U << 14);
    QCOMPARE(limits("PSK-AES256-CCM8").records, 1U << 23);
    QCOMPARE(limits("a suite of the future").forgeries, 1U << 14);
    // RFC 5288 §3, RFC 7905 §2, RFC 6655 §3
    QCOMPARE(limits("PSK-AES128-GCM-SHA256").expansion, 24);
    QCOMPARE(limits("PSK-CHACHA20-POLY1305").expansion, 16);
    QCOMPARE(limits("PSK-AES128-CCM8").expansion, 16);
}

QTEST_GUILESS_MAIN(TestDtlsValues)
#include "tst_dtlsvalues.moc"
