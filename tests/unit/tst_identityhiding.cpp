// SPDX-License-Identifier: Apache-2.0
//
// RFC 4279 §2: what the server sends tells nobody which identities there are. The whole life of a
// handshake is compared, datagram by datagram: with a wrong key, with an unknown identity, and
// with an identity that may not come from there.
#include "support/MemoryNetwork.h"
#include "support/TestProgram.h"

#include <QtEndian>

#include <algorithm>
#include <array>
#include <optional>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

constexpr auto handshakeTimeout = 5500ms; // between the repetitions after 3 s and 7 s

/// The handshake messages whose content is random in part (RFC 5246 §7.4, RFC 6347 §4.2.1).
enum class Message : std::uint8_t {
    ServerHello = 2,
    HelloVerifyRequest = 3,
    ServerKeyExchange = 12
};

QByteArray blanked(const QByteArray &bytes, qsizetype from, qsizetype size)
{
    return bytes.first(from) + QByteArray(size, '*') + bytes.sliced(from + size);
}

/// A handshake message, header and all, without what must differ each time.
QByteArray withoutRandoms(QByteArray message)
{
    constexpr qsizetype body = 12;
    constexpr qsizetype randomSize = 32;
    const auto sizeAt = [&](qsizetype at) { return static_cast<uchar>(message[at]); };
    switch (static_cast<Message>(message[0])) {
    case Message::HelloVerifyRequest: // version, cookie
        return blanked(message, body + 3, sizeAt(body + 2));
    case Message::ServerHello: // version, random, session_id
        message = blanked(message, body + 2, randomSize);
        return blanked(message, body + 3 + randomSize, sizeAt(body + 2 + randomSize));
    case Message::ServerKeyExchange: { // hint; with an ephemeral key: curve type and name, point
        const qsizetype hint = qFromBigEndian<quint16>(message.constData() + body);
        const qsizetype point = body + 2 + hint + 3;
        return point < message.size() ? blanked(message, point + 1, sizeAt(point)) : message;
    }
    }
    return message;
}

/// All that a datagram shows to somebody on the way, in hex; for epoch 1 all but the ciphertext.
QByteArray visible(const QByteArray &datagram)
{
    QByteArray text;
    RecordReader reader(datagram);
    while (const auto record = reader.next()) {
        const QByteArray fragment = record->fragment().toByteArray();
        const bool isClearHandshake = record->epoch == 0 && record->type == ContentType::Handshake;
        text += record->bytes.first(Record::headerSize).toByteArray().toHex() + ' ';
        text += record->epoch != 0 ? QByteArray::number(fragment.size())
                : isClearHandshake ? withoutRandoms(fragment).toHex()
                                   : fragment.toHex();
        text += '\n';
    }
    return text + reader.rest().toByteArray().toHex();
}

/// A client's flight with @p identity in its ClientKeyExchange; nothing if it has none. QDtls cuts
/// identities at 255 bytes and at a NUL.
std::optional<QByteArray> withIdentity(QByteArrayView datagram, const QByteArray &identity)
{
    constexpr char clientKeyExchange = 16;
    const auto number = [](qsizetype value, qsizetype bytes) {
        return QByteArray::number(value, 16).rightJustified(2 * bytes, '0');
    };
    QByteArray changed;
    bool isChanged = false;
    RecordReader reader(datagram);
    while (const auto record = reader.next()) {
        const QByteArrayView fragment = record->fragment();
        if (record->epoch != 0 || record->type != ContentType::Handshake ||
            fragment[0] != clientKeyExchange) {
            changed.append(record->bytes);
            continue;
        }
        isChanged = true;
        const QByteArray size = number(identity.size() + 2, 3);
        changed.append(record->bytes.first(Record::headerSize - 2)) +=
            QByteArray::fromHex(number(identity.size() + 14, 2) + "10" + size + "0002" + "000000" +
                                size + number(identity.size(), 2)) +
            identity;
    }
    return isChanged ? std::optional(changed) : std::nullopt;
}

/// One server and one client whose handshake fails, and what an observer sees of it.
class Attempt
{
public:
    Attempt(const QByteArray &identity, const QByteArray &key, const CipherPolicy &ciphers,
            TlsOptions::UnknownIdentity unknown)
        : m_network(settings(unknown))
        , m_device(m_network.add(1, {.identity = identity, .key = PskKey(key), .ciphers = ciphers}))
    {
    }

    /// The flights until the client's Finished, which is repeated, and then the silence of a
    /// client that waits.
    void begin()
    {
        for (int round = 0; round < 3; ++round) {
            m_lastFlight = MemoryNetwork::takeSent(m_device);
            for (const QByteArray &datagram : m_lastFlight)
                m_network.arrive(m_device.address, datagram);
            for (const QByteArray &answer : observe())
                m_device.socket->arrive(MemoryNetwork::serverAddress(), answer);
        }
        repeatLastFlight();
    }
    void repeatLastFlight()
    {
        for (const QByteArray &datagram : m_lastFlight)
            m_network.arrive(m_device.address, datagram);
        observe();
    }
    /// What the server has sent since, and gives it back.
    QList<QByteArray> observe()
    {
        QList<QByteArray> datagrams;
        for (const OutgoingDatagram &datagram : m_network.serverSocket->takeSent()) {
            datagrams << datagram.bytes;
            m_seen << visible(datagram.bytes);
        }
        return datagrams;
    }
    /// In the order in which it was sent.
    [[nodiscard]] const QList<QByteArray> &seen() const { return m_seen; }
    [[nodiscard]] std::vector<HandshakeFailed> failures() const
    {
        return m_network.events<HandshakeFailed>();
    }

private:
    static ServerSettings settings(TlsOptions::UnknownIdentity unknown)
    {
        ServerSettings settings = MemoryNetwork::defaultSettings();
        auto identities = std::make_shared<PskStore>(*settings.identities);
        identities->add("elsewhere",
                        {.key = MemoryNetwork::key(),
                         .nextKey = {},
                         .allowFrom = {QHostAddress::parseSubnet(QStringLiteral("10.0.0.0/8"))},
                         .reply = {}});
        settings.identities = identities;
        settings.limits.handshakeTimeout = handshakeTimeout;
        settings.tls.unknownIdentity = unknown;
        return settings;
    }

    MemoryNetwork m_network;
    MemoryNetwork::Device &m_device;
    std::vector<QByteArray> m_lastFlight;
    QList<QByteArray> m_seen;
};

const QByteArray wrongKey(16, 'x');

} // namespace

class TestIdentityHiding : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theServerSendsTheSameWhateverIsWrong_data();
    void theServerSendsTheSameWhateverIsWrong();
    void anAlertTellsThemApartIfTheOperatorWantsIt();
    void identitiesAreComparedAsBytes_data();
    void identitiesAreComparedAsBytes();
    void whatNoClientSendsIsNoIdentity_data();
    void whatNoClientSendsIsNoIdentity();
};

void TestIdentityHiding::theServerSendsTheSameWhateverIsWrong_data()
{
    QTest::addColumn<QString>("ciphers");
    QTest::newRow("without a ServerKeyExchange") << QStringLiteral("PSK-AES128-GCM-SHA256");
    QTest::newRow("with an ephemeral key") << QStringLiteral("ECDHE-PSK-CHACHA20-POLY1305");
}

void TestIdentityHiding::theServerSendsTheSameWhateverIsWrong()
{
    QFETCH(QString, ciphers);
    const CipherPolicy policy = CipherPolicy::parse(ciphers).value();
    const auto hide = TlsOptions::UnknownIdentity::Hide;
    const QByteArray right = MemoryNetwork::key().bytes();
    Attempt wrong("sensor-17", wrongKey, policy, hide);
    Attempt unknown("sensor-99", right, policy, hide);
    Attempt foreign("elsewhere", right, policy, hide);
    const std::array attempts{&wrong, &unknown, &foreign};
    for (Attempt *attempt : attempts)
        attempt->begin();
    const qsizetype atOnce = wrong.seen().size();
    QVERIFY(atOnce >= 2); // HelloVerifyRequest, and a flight

    const auto allFailed = [&] {
        return std::all_of(attempts.begin(), attempts.end(), [](Attempt *attempt) {
            attempt->observe();
            return !attempt->failures().empty();
        });
    };
    QTRY_VERIFY_WITH_TIMEOUT(allFailed(), 30'000);
    for (Attempt *attempt : attempts)
        attempt->repeatLastFlight(); // after the end as well

    // Both repetitions of the flight that the client has not answered properly.
    QVERIFY(wrong.seen().size() >= atOnce + 2);
    QCOMPARE(unknown.seen(), wrong.seen());
    QCOMPARE(foreign.seen(), wrong.seen());
    qsizetype alerts = 0;
    for (const QByteArray &datagram : wrong.seen())
        alerts += datagram.startsWith("15") ? 1 : 0;
    QCOMPARE(alerts, 0);

    // Only the log knows.
    QCOMPARE(wrong.failures()[0].reason, HandshakeFailure::WrongKeyOrLoss);
    QCOMPARE(unknown.failures()[0].reason, HandshakeFailure::UnknownIdentity);
    QCOMPARE(foreign.failures()[0].reason, HandshakeFailure::AddressNotAllowed);
}

void TestIdentityHiding::anAlertTellsThemApartIfTheOperatorWantsIt()
{
    const auto alert = TlsOptions::UnknownIdentity::Alert;
    Attempt wrong("sensor-17", wrongKey, {}, alert);
    Attempt unknown("sensor-99", MemoryNetwork::key().bytes(), {}, alert);
    Attempt foreign("elsewhere", MemoryNetwork::key().bytes(), {}, alert);
    for (Attempt *attempt : {&wrong, &unknown, &foreign})
        attempt->begin();
    QVERIFY(!wrong.seen().constLast().startsWith("15"));
    for (Attempt *attempt : {&unknown, &foreign}) {
        QVERIFY(attempt->seen().constLast().startsWith("15"));
        QVERIFY(attempt->seen().constLast().endsWith("0273\n")); // fatal(2), 115
        QCOMPARE(attempt->failures().size(), 1U);                // at once
    }
    QVERIFY(wrong.failures().empty());
}

void TestIdentityHiding::identitiesAreComparedAsBytes_data()
{
    QTest::addColumn<QByteArray>("configured");
    QTest::addColumn<QByteArray>("claimed");
    QTest::addColumn<bool>("accepted");
    const QByteArray longest(255, 'i');
    const QByteArray plain = "sensor-17";
    const QByteArray composed = "caf\xc3\xa9";
    const QByteArray decomposed = "cafe\xcc\x81";
    const QByteArray control = "eve\n2026-01-01 INFO \x1b[31mfake\r\x7f";
    const QByteArray notText = "\xff\xfe\x80 \xc3";
    QTest::newRow("one byte") << QByteArray("s") << QByteArray("s") << true;
    QTest::newRow("255 bytes") << longest << longest << true;
    QTest::newRow("no UTF-8") << notText << notText << true;
    QTest::newRow("control characters") << control << control << true;
    QTest::newRow("spaces only") << QByteArray("  ") << QByteArray("  ") << true;
    QTest::newRow("composed letters") << composed << composed << true;
    QTest::newRow("no normal form is made") << composed << decomposed << false;
    QTest::newRow("another case") << plain << QByteArray("Sensor-17") << false;
    QTest::newRow("one byte less") << plain << QByteArray("sensor-1") << false;
    QTest::newRow("one byte more") << plain << QByteArray("sensor-170") << false;
    QTest::newRow("a space behind it") << plain << QByteArray("sensor-17 ") << false;
    QTest::newRow("a newline behind it") << plain << QByteArray("sensor-17\n") << false;
    QTest::newRow("no UTF-8, and another byte") << notText << notText + '\xff' << false;
    QTest::newRow("254 of 255 bytes") << longest << longest.first(254) << false;
    QTest::newRow("none at all") << plain << QByteArray() << false;
}

void TestIdentityHiding::identitiesAreComparedAsBytes()
{
    QFETCH(QByteArray, configured);
    QFETCH(QByteArray, claimed);
    QFETCH(bool, accepted);
    auto identities = std::make_shared<PskStore>();
    QVERIFY(identities->add(
        configured, {.key = MemoryNetwork::key(), .nextKey = {}, .allowFrom = {}, .reply = {}}));
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.identities = identities;
    settings.limits.handshakeTimeout = 50ms;
    MemoryNetwork network(settings);
    auto options = MemoryNetwork::defaultClient();
    options.identity = claimed;
    auto &device = network.add(1, options);
    network.run();
    QCOMPARE(device.client->isConnected(), accepted);
    if (accepted) {
        QCOMPARE(network.events<SessionOpened>().at(0).session.identity, claimed);
        return;
    }
    QTRY_COMPARE(network.events<HandshakeFailed>().size(), 1U);
    const HandshakeFailed failed = network.events<HandshakeFailed>().at(0);
    QCOMPARE(failed.session.identity, claimed);
    QVERIFY(network.events<SessionOpened>().empty());
}

void TestIdentityHiding::whatNoClientSendsIsNoIdentity_data()
{
    QTest::addColumn<QByteArray>("claimed");
    QTest::addColumn<HandshakeFailure>("reason");
    const auto unknown = HandshakeFailure::UnknownIdentity;
    const QByteArray longest(255, 'i');
    // OpenSSL hands over what stands before the NUL; it is looked at as it came.
    QTest::newRow("a known one before a NUL") << QByteArray("sensor-17\0evil", 14) << unknown;
    QTest::newRow("a NUL behind a known one") << QByteArray("sensor-17\0", 10) << unknown;
    QTest::newRow("an unknown one before a NUL") << QByteArray("evil\0sensor-17", 14) << unknown;
    QTest::newRow("nothing before a NUL") << QByteArray("\0sensor-17", 10) << unknown;
    QTest::newRow("nothing") << QByteArray("") << unknown;
    QTest::newRow("256 bytes that begin like 255") << longest + 'i' << unknown;
    // Refused by OpenSSL.
    QTest::newRow("257 bytes") << longest + "ii" << HandshakeFailure::Error;
    QTest::newRow("1000 bytes") << QByteArray(1000, 'i') << HandshakeFailure::Error;
}

void TestIdentityHiding::whatNoClientSendsIsNoIdentity()
{
    QFETCH(QByteArray, claimed);
    QFETCH(HandshakeFailure, reason);
    ServerSettings settings = MemoryNetwork::defaultSettings();
    auto identities = std::make_shared<PskStore>(*settings.identities);
    QVERIFY(identities->add(
        QByteArray(255, 'i'),
        {.key = MemoryNetwork::key(), .nextKey = {}, .allowFrom = {}, .reply = {}}));
    settings.identities = identities;
    settings.limits.handshakeTimeout = 50ms;
    MemoryNetwork network(settings);
    auto options = MemoryNetwork::defaultClient(); // with nothing but the identity in that message
    options.ciphers = CipherPolicy::parse(QStringLiteral("PSK-AES128-GCM-SHA256")).value();
    auto &device = network.add(1, options);
    bool changed = false;
    network.run([&](const OutgoingDatagram &datagram) {
        const auto other = withIdentity(datagram.bytes, claimed);
        changed |= other.has_value();
        if (other)
            network.arrive(device.address, *other);
        return other.has_value();
    });
    QVERIFY(changed);
    QVERIFY(!device.client->isConnected());
    QTRY_COMPARE(network.events<HandshakeFailed>().size(), 1U);
    const HandshakeFailed failed = network.events<HandshakeFailed>().at(0);
    QCOMPARE(failed.reason, reason);
    if (reason == HandshakeFailure::UnknownIdentity)
        QCOMPARE(failed.session.identity, claimed);
    QVERIFY(network.events<SessionOpened>().empty());
}

DTLSD_TEST(TestIdentityHiding)
#include "tst_identityhiding.moc"
