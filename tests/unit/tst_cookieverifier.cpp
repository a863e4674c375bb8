// SPDX-License-Identifier: Apache-2.0
//
// The cookie exchange (RFC 6347 §4.2.1), and secrets that change under it. Time is an argument.
#include "dtls/DtlsConfiguration.h"
#include "dtls/handshake/CookieVerifier.h"
#include "dtls/session/DtlsSession.h"
#include "support/MemoryNetwork.h"
#include "support/TestProgram.h"

#include <QSslConfiguration>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

using Time = CookieVerifier::Clock::time_point;

const Time beginning{CookieSecrets::period * 1000};
const CookieSecrets secrets{QByteArray(32, 's')};

} // namespace

class TestCookieVerifier : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void aCookieProvesItsAddressAndPort();
    void anyWorkersCookieIsGoodForAnyWorker();
    void aHelloAnsweredByOneServerIsAcceptedByAnother();
    void aCookieOfANeighbourIsGoodForAWhile_data();
    void aCookieOfANeighbourIsGoodForAWhile();
    void everyPeriodHasItsOwnSecret();
    void aHandshakeThatSpansAChangeOfSecretsCompletes();
    void whatIsNoHelloGetsNoAnswer();

private:
    QByteArray nextFromClient();
    QByteArray helloWithCookie(CookieVerifier &verifier, Time at);
    bool accepts(CookieVerifier &verifier, const QByteArray &hello, Time at,
                 const Path &from = path());
    static Path path() { return {MemoryNetwork::clientAddress(1), MemoryNetwork::serverAddress()}; }

    std::unique_ptr<MemorySocket> m_server;
    std::unique_ptr<DtlsClient> m_client;
    MemorySocket *m_clientSocket = nullptr;
};

void TestCookieVerifier::init()
{
    m_server = std::make_unique<MemorySocket>(MemoryNetwork::serverAddress());
    m_client = std::make_unique<DtlsClient>(MemoryNetwork::defaultClient());
    auto socket = std::make_unique<MemorySocket>(MemoryNetwork::clientAddress(1));
    m_clientSocket = socket.get();
    m_client->connectTo(MemoryNetwork::serverAddress(), std::move(socket));
}

void TestCookieVerifier::cleanup()
{
    m_client.reset();
    m_server.reset();
}

QByteArray TestCookieVerifier::nextFromClient()
{
    const auto sent = m_clientSocket->takeSent();
    return sent.empty() ? QByteArray() : sent.front().bytes;
}

bool TestCookieVerifier::accepts(CookieVerifier &verifier, const QByteArray &hello, Time at,
                                 const Path &from)
{
    const bool accepted = verifier.verify(*m_server, {from, hello}, at).has_value();
    m_server->flush();
    return accepted;
}

QByteArray TestCookieVerifier::helloWithCookie(CookieVerifier &verifier, Time at)
{
    if (accepts(verifier, nextFromClient(), at))
        return {};
    m_clientSocket->arrive(MemoryNetwork::serverAddress(), m_server->takeSent().at(0).bytes);
    return nextFromClient();
}

void TestCookieVerifier::aCookieProvesItsAddressAndPort()
{
    CookieVerifier verifier(secrets);
    const QByteArray hello = helloWithCookie(verifier, beginning);
    QVERIFY(accepts(verifier, hello, beginning));
    QVERIFY(m_server->takeSent().empty());
    const SocketAddress peer = path().peer;
    QVERIFY(!accepts(verifier, hello, beginning,
                     {peer.withPort(static_cast<quint16>(peer.port() + 1)), path().local}));
    QVERIFY(!accepts(verifier, hello, beginning,
                     {MemoryNetwork::clientAddress(2).withPort(peer.port()), path().local}));
    QCOMPARE(m_server->takeSent().size(), 2U); // asked for theirs
}

void TestCookieVerifier::anyWorkersCookieIsGoodForAnyWorker()
{
    CookieVerifier one(secrets);
    CookieVerifier other(secrets);
    CookieVerifier foreign(CookieSecrets(QByteArray(32, 't')));
    const QByteArray hello = helloWithCookie(one, beginning);
    QVERIFY(accepts(other, hello, beginning));
    QVERIFY(!accepts(foreign, hello, beginning));
}

void TestCookieVerifier::aHelloAnsweredByOneServerIsAcceptedByAnother()
{
    const QByteArray secret(32, 's');
    MemoryNetwork one(MemoryNetwork::defaultSettings(), secret);
    MemoryNetwork other(MemoryNetwork::defaultSettings(), secret);
    MemoryNetwork stranger;
    MemoryNetwork::Device &device = other.add(1);

    one.arrive(device.address, MemoryNetwork::takeSent(device).at(0));
    const auto request = one.serverSocket->takeSent();
    QCOMPARE(request.size(), 1U);
    device.socket->arrive(MemoryNetwork::serverAddress(), request.front().bytes);
    const auto hello = MemoryNetwork::takeSent(device);
    QCOMPARE(hello.size(), 1U);

    stranger.arrive(device.address, hello.front());
    QCOMPARE(stranger.events<HandshakeStarted>().size(), 0U);
    other.arrive(device.address, hello.front());
    other.run();
    QCOMPARE(other.events<SessionOpened>().size(), 1U);
    QCOMPARE(one.events<HandshakeStarted>().size(), 0U);
}

void TestCookieVerifier::aCookieOfANeighbourIsGoodForAWhile_data()
{
    QTest::addColumn<std::chrono::seconds>("made");
    QTest::addColumn<std::chrono::seconds>("used");
    QTest::addColumn<bool>("good");
    const std::chrono::seconds period = CookieSecrets::period;
    QTest::newRow("made and used at once") << 0s << 0s << true;
    QTest::newRow("at the end of the same period") << 0s << period - 1s << true;
    QTest::newRow("made just before a change and used just after it")
        << period - 1s << period << true;
    QTest::newRow("used almost two minutes after the change")
        << period - 1s << period + 119s << true;
    QTest::newRow("used two minutes after the change") << period - 1s << period + 120s << false;
    QTest::newRow("made by a clock that is a little ahead") << period << period - 1s << true;
    QTest::newRow("by one that is a minute ahead") << period << period - 60s << true;
    QTest::newRow("by one that is more than a minute ahead") << period << period - 61s << false;
    QTest::newRow("by one that is a whole period ahead") << 2 * period << period - 1s << false;
    QTest::newRow("used two changes later") << period - 1s << 2 * period << false;
}

void TestCookieVerifier::aCookieOfANeighbourIsGoodForAWhile()
{
    QFETCH(std::chrono::seconds, made);
    QFETCH(std::chrono::seconds, used);
    QFETCH(bool, good);
    CookieVerifier verifier(secrets);
    const QByteArray hello = helloWithCookie(verifier, beginning + made);
    QCOMPARE(accepts(verifier, hello, beginning + used), good);
    QCOMPARE(m_server->takeSent().size(), good ? 0U : 1U);
}

void TestCookieVerifier::everyPeriodHasItsOwnSecret()
{
    QVERIFY(secrets.at(1).secret != secrets.at(2).secret);
    QCOMPARE(secrets.at(1).secret, CookieSecrets(QByteArray(32, 's')).at(1).secret);
    QVERIFY(secrets.at(1).secret != CookieSecrets(QByteArray(32, 't')).at(1).secret);
    QCOMPARE(secrets.at(1).secret.size(), 32);
}

void TestCookieVerifier::aHandshakeThatSpansAChangeOfSecretsCompletes()
{
    CookieVerifier verifier(secrets);
    const QByteArray hello = helloWithCookie(verifier, beginning - 1s);
    const auto cookie = verifier.verify(*m_server, {path(), hello}, beginning);
    QVERIFY(cookie);

    const auto settings = std::make_shared<ServerSettings>(MemoryNetwork::defaultSettings());
    KeyRotation rotation;
    const Credentials credentials(settings, rotation, QByteArray(32, 'd'));
    const QSslConfiguration configuration = serverConfiguration(*settings);
    const TimeSource time;
    SessionMemory memory(0);
    DtlsSession session({.id = SessionId{1},
                         .path = path(),
                         .socket = *m_server,
                         .credentials = credentials,
                         .configuration = configuration,
                         .mtu = settings->tls.mtu,
                         .cookie = *cookie,
                         .time = time,
                         .memory = memory});
    session.start(hello);
    m_server->flush();
    for (const OutgoingDatagram &datagram : m_server->takeSent())
        m_clientSocket->arrive(MemoryNetwork::serverAddress(), datagram.bytes);
    for (const OutgoingDatagram &datagram : m_clientSocket->takeSent()) {
        RecordReader records(datagram.bytes);
        while (const auto record = records.next())
            session.handshake(*record);
    }
    QCOMPARE(session.state(), DtlsSession::State::Established);
}

void TestCookieVerifier::whatIsNoHelloGetsNoAnswer()
{
    CookieVerifier verifier(secrets);
    for (const QByteArray &datagram :
         {QByteArray(), QByteArray("x"), QByteArray(1000, '\x16'), nextFromClient().first(40)})
        QVERIFY(!accepts(verifier, datagram, beginning));
    QVERIFY(m_server->takeSent().empty());
}

DTLSD_TEST(TestCookieVerifier)
#include "tst_cookieverifier.moc"
