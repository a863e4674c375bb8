// SPDX-License-Identifier: Apache-2.0
//
// The TLS backend that this build takes by default, under QDtls itself: what DtlsServer guards
// against when it is Qt's own must be right here.
#include "dtls/DtlsConfiguration.h"
#include "support/DtlsPair.h"
#include "wire/AssociationState.h"
#include "wire/Record.h"

#include <QScopeGuard>
#include <QSignalSpy>
#include <QSslCipher>
#include <QTest>

#include <private/qtlsbackend_p.h>

#include <deque>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <openssl/err.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

using Verifier = std::unique_ptr<QTlsPrivate::DtlsCookieVerifier>;

Verifier verifierOf(const QString &backend)
{
    Verifier verifier(QTlsBackend::findBackend(backend)->createDtlsCookieVerifier());
    verifier->setConfiguration(QSslConfiguration::defaultDtlsConfiguration());
    verifier->setCookieGeneratorParameters(DtlsPair::cookie);
    return verifier;
}

/// The sequence number and the fragment of each record.
std::vector<std::pair<std::uint64_t, QByteArray>> recordsOf(const std::deque<QByteArray> &datagrams)
{
    std::vector<std::pair<std::uint64_t, QByteArray>> result;
    for (const QByteArray &datagram : datagrams) {
        RecordReader reader(datagram);
        while (const auto record = reader.next())
            result.emplace_back(record->sequence, record->fragment().toByteArray());
    }
    return result;
}

struct Verdict
{
    bool isVerified = false;
    QByteArray answer;

    friend bool operator==(const Verdict &, const Verdict &) = default;
};

Verdict judge(QTlsPrivate::DtlsCookieVerifier &verifier, const QByteArray &datagram,
              const QHostAddress &from, quint16 port)
{
    const auto clean = qScopeGuard([] { ERR_clear_error(); }); // which Qt's leaves full
    DatagramQueue output;
    const bool isVerified = verifier.verifyClient(&output, datagram, from, port);
    return {isVerified, output.take()};
}

/// @p datagram with @p count of its bytes changed.
QByteArray mutated(QByteArray datagram, int count, std::mt19937 &random)
{
    for (int i = 0; i < count; ++i)
        datagram[static_cast<qsizetype>(random() % static_cast<unsigned>(datagram.size()))] =
            static_cast<char>(random());
    return datagram;
}

} // namespace

class TestTlsBackend : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void itIsInForce();
    void cookiesAreThoseOfQt_data();
    void cookiesAreThoseOfQt();
    void whatItTakesForAHelloQtTakesForOne();
    void cookiesOfOtherHashesAreRefused();
    void aHelloWithAnotherPeersCookieBeginsNothing();
    void theSessionIsDescribed();
    void everyRecordOfADatagramIsDelivered();
    void whatComesWithTheLastRecordOfTheHandshakeIsDelivered();
    void aMessageLongerThanARecordIsRefusedAndTheSessionLives();
    void aForgedRecordLeavesNothingBehind();
    void closeNotifyIsAnswered();
    void aStateOutsideOfItIsUsedAndItsKeysAreWiped();
    void noTimeoutFollowsTheHandshake();
    void aTimeoutRepeatsTheFlight();
    void everyHandshakeHasItsOwnTimeouts();
    void nothingCrashesOutOfTurn();
    void aWrongKeyIsMetBySilence();
    void sessionsGiveTheirBuffersBackAndGoOn();
    void aSessionOutlivesTheSettingsItBeganWith();
};

void TestTlsBackend::itIsInForce()
{
    QCOMPARE(QSslSocket::activeBackend(), QStringLiteral("dtlsd"));
}

void TestTlsBackend::cookiesAreThoseOfQt_data()
{
    QTest::addColumn<QHostAddress>("address");
    QTest::newRow("an IPv4 address") << QHostAddress(QStringLiteral("10.1.2.3"));
    QTest::newRow("an IPv6 address") << QHostAddress(QStringLiteral("fd00::1:17"));
    QTest::newRow("a link-local one") << QHostAddress(QStringLiteral("fe80::1%3"));
    QTest::newRow("a mapped one") << QHostAddress(QStringLiteral("::ffff:10.1.2.3"));
}

void TestTlsBackend::cookiesAreThoseOfQt()
{
    QFETCH(QHostAddress, address);
    DtlsPair pair;
    pair.client.doHandshake(&pair.toServer);
    const QByteArray hello = pair.toServer.take();
    const Verifier ours = verifierOf(QStringLiteral("dtlsd"));
    const Verifier qts = verifierOf(QStringLiteral("openssl"));
    const Verdict verdict = judge(*ours, hello, address, 4711);
    QCOMPARE(verdict.answer, judge(*qts, hello, address, 4711).answer);
    QCOMPARE(verdict.answer.size(), 60);

    pair.client.doHandshake(&pair.toServer, verdict.answer);
    const QByteArray second = pair.toServer.take();
    QVERIFY(judge(*ours, second, address, 4711).isVerified);
    QVERIFY(judge(*qts, second, address, 4711).isVerified);
    QVERIFY(!judge(*ours, second, address, 4712).isVerified);
}

void TestTlsBackend::whatItTakesForAHelloQtTakesForOne()
{
    DtlsPair pair;
    const QByteArray hello = pair.helloWithCookie();
    QVERIFY(!hello.isEmpty());
    const Verifier ours = verifierOf(QStringLiteral("dtlsd"));
    const Verifier qts = verifierOf(QStringLiteral("openssl"));
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp): the same each time
    const auto lengths = static_cast<std::size_t>(hello.size() - 12);
    int accepted = 0;
    int answered = 0;
    for (int i = 0; i < 20'000; ++i) {
        const QByteArray datagram =
            mutated(hello.first(13 + static_cast<qsizetype>(random() % lengths)),
                    static_cast<int>(random() % 4), random);
        const Verdict verdict = judge(*ours, datagram, DtlsPair::clientAddress, 40'000);
        if (verdict != judge(*qts, datagram, DtlsPair::clientAddress, 40'000))
            QFAIL("they differ on " + datagram.toHex());
        accepted += verdict.isVerified ? 1 : 0;
        answered += verdict.answer.isEmpty() ? 0 : 1;
    }
    QVERIFY2(accepted > 10 && answered > 10, qPrintable(QString::number(accepted)));
}

void TestTlsBackend::cookiesOfOtherHashesAreRefused()
{
    const Verifier ours = verifierOf(QStringLiteral("dtlsd"));
    QVERIFY(!ours->setCookieGeneratorParameters({QCryptographicHash::Sha1, "secret"}));
    QCOMPARE(ours->error(), QDtlsError::InvalidInputParameters);
    QVERIFY(!ours->setCookieGeneratorParameters({QCryptographicHash::Sha256, {}}));
    QVERIFY(ours->setCookieGeneratorParameters(DtlsPair::cookie));
    QCOMPARE(ours->error(), QDtlsError::NoError);
}

void TestTlsBackend::aHelloWithAnotherPeersCookieBeginsNothing()
{
    DtlsPair pair;
    const QByteArray hello = pair.helloWithCookie();
    pair.server.setPeer(DtlsPair::clientAddress, DtlsPair::clientPort + 1);
    QVERIFY(!pair.server.doHandshake(&pair.toClient, hello));
    QCOMPARE(pair.server.dtlsError(), QDtlsError::TlsFatalError);
    QCOMPARE(pair.server.handshakeState(), QDtls::HandshakeNotStarted);
    QVERIFY(pair.toClient.datagrams.empty());
}

void TestTlsBackend::theSessionIsDescribed()
{
    DtlsPair pair;
    QVERIFY(pair.handshake());
    QCOMPARE(pair.server.sessionCipher().name(), QStringLiteral("ECDHE-PSK-CHACHA20-POLY1305"));
    QCOMPARE(pair.server.sessionProtocol(), QSsl::DtlsV1_2);
}

void TestTlsBackend::everyRecordOfADatagramIsDelivered()
{
    DtlsPair pair;
    QVERIFY(pair.handshake());
    QByteArray datagram;
    for (const char *text : {"one,", "two,", "three"}) {
        pair.client.writeDatagramEncrypted(&pair.toServer, text);
        datagram += pair.toServer.take();
    }
    QByteArray forged = datagram.first(13 + 30);
    forged[12] = 30; // its length; what is in it is nobody's
    QCOMPARE(pair.arrive(forged + datagram), QByteArray("one,two,three"));
    QCOMPARE(pair.server.dtlsError(), QDtlsError::NoError);
}

void TestTlsBackend::whatComesWithTheLastRecordOfTheHandshakeIsDelivered()
{
    DtlsPair pair;
    pair.arrive(pair.helloWithCookie());
    while (!pair.toClient.datagrams.empty())
        pair.answer(pair.toClient.take());
    QByteArray datagram;
    while (!pair.toServer.datagrams.empty())
        datagram += pair.toServer.take();
    const QByteArray stranger = QByteArray::fromHex("17fefd000100000000000900040a0b0c0d");
    pair.arrive(datagram + stranger);
    QVERIFY(pair.server.isConnectionEncrypted());
    while (!pair.toClient.datagrams.empty())
        pair.answer(pair.toClient.take());
    QVERIFY(pair.client.isConnectionEncrypted());
    pair.client.writeDatagramEncrypted(&pair.toServer, "first");
    QCOMPARE(pair.arrive(pair.toServer.take()), QByteArray("first"));
    QCOMPARE(pair.server.dtlsError(), QDtlsError::NoError);
}

void TestTlsBackend::aMessageLongerThanARecordIsRefusedAndTheSessionLives()
{
    DtlsPair pair;
    QVERIFY(pair.handshake());
    QCOMPARE(pair.server.writeDatagramEncrypted(&pair.toClient, QByteArray(16'385, 'x')), -1);
    QCOMPARE(pair.server.dtlsError(), QDtlsError::TlsNonFatalError);
    QVERIFY(pair.toClient.datagrams.empty());
    QCOMPARE(pair.server.writeDatagramEncrypted(&pair.toClient, QByteArray(16'384, 'x')), 16'384);
    QCOMPARE(pair.answer(pair.toClient.take()), QByteArray(16'384, 'x'));
    pair.client.writeDatagramEncrypted(&pair.toServer, QByteArray(16'384, 'y'));
    QCOMPARE(pair.arrive(pair.toServer.take()), QByteArray(16'384, 'y'));
}

void TestTlsBackend::aForgedRecordLeavesNothingBehind()
{
    DtlsPair pair;
    QVERIFY(pair.handshake());
    std::mt19937 random(2); // NOLINT(cert-msc51-cpp): the same each time
    for (int i = 0; i < 2'000; ++i) {
        pair.client.writeDatagramEncrypted(&pair.toServer, "message");
        const QByteArray genuine = pair.toServer.take();
        pair.server.decryptDatagram(&pair.toClient, mutated(genuine, 1 + i % 8, random));
        QCOMPARE(pair.server.dtlsError(), QDtlsError::NoError);
        QCOMPARE(ERR_peek_error(), 0UL);
    }
    pair.client.writeDatagramEncrypted(&pair.toServer, "still here");
    QCOMPARE(pair.arrive(pair.toServer.take()), QByteArray("still here"));
}

void TestTlsBackend::closeNotifyIsAnswered()
{
    DtlsPair pair;
    QVERIFY(pair.handshake());
    pair.client.shutdown(&pair.toServer);
    QCOMPARE(pair.arrive(pair.toServer.take()), QByteArray());
    QCOMPARE(pair.server.dtlsError(), QDtlsError::RemoteClosedConnectionError);
    QCOMPARE(pair.toClient.datagrams.size(), 1U); // RFC 5246 §7.2.1
    QVERIFY(!pair.server.isConnectionEncrypted());
}

void TestTlsBackend::aStateOutsideOfItIsUsedAndItsKeysAreWiped()
{
    AssociationState state;
    DtlsPair pair;
    QSslConfiguration configuration = pair.server.dtlsConfiguration();
    configuration.setBackendConfigurationOption(AssociationState::option,
                                                QVariant::fromValue(static_cast<void *>(&state)));
    pair.server.setDtlsConfiguration(configuration);
    QVERIFY(pair.handshake());
    QCOMPARE(state.phase, AssociationState::Phase::Open);
    QCOMPARE(state.nextSequence, 1U); // behind the Finished
    QVERIFY(state.read.key != AssociationState::Key().key);
    QVERIFY(state.write.key != state.read.key);

    pair.server.shutdown(&pair.toClient);
    QCOMPARE(state.phase, AssociationState::Phase::Closed);
    for (const AssociationState::Key &key : {state.read, state.write}) {
        QVERIFY(key.key == AssociationState::Key().key);
        QVERIFY(key.iv == AssociationState::Key().iv);
    }
}

void TestTlsBackend::noTimeoutFollowsTheHandshake()
{
    DtlsPair pair;
    QSignalSpy timeouts(&pair.server, &QDtls::handshakeTimeout);
    QVERIFY(pair.handshake());
    QTest::qWait(1'300); // the first would come after a second
    QCOMPARE(timeouts.size(), 0);
    QVERIFY(!pair.server.handleTimeout(&pair.toClient));
    QTest::qWait(1'300); // nor does one that this has begun
    QCOMPARE(timeouts.size(), 0);
}

void TestTlsBackend::aTimeoutRepeatsTheFlight()
{
    DtlsPair pair;
    QSignalSpy timeouts(&pair.server, &QDtls::handshakeTimeout);
    pair.arrive(pair.helloWithCookie());
    const auto lost = std::exchange(pair.toClient.datagrams, {});
    QVERIFY(!lost.empty());
    QVERIFY(timeouts.wait(3'000));
    QVERIFY(pair.server.handleTimeout(&pair.toClient));
    // The same records under new numbers: a client that had some of them takes the rest.
    const auto first = recordsOf(lost);
    const auto second = recordsOf(pair.toClient.datagrams);
    QCOMPARE(second.size(), first.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
        QVERIFY(first[i].second == second[i].second);
        QCOMPARE(second[i].first, first[i].first + first.size());
    }
    while (!pair.toClient.datagrams.empty())
        pair.answer(pair.toClient.take());
    while (!pair.toServer.datagrams.empty())
        pair.arrive(pair.toServer.take());
    QVERIFY(pair.server.isConnectionEncrypted());
}

void TestTlsBackend::everyHandshakeHasItsOwnTimeouts()
{
    std::vector<std::unique_ptr<DtlsPair>> pairs;
    std::vector<std::unique_ptr<QSignalSpy>> timeouts;
    for (int i = 0; i < 9; ++i) {
        DtlsPair &pair = *pairs.emplace_back(std::make_unique<DtlsPair>());
        QSignalSpy &spy = *timeouts.emplace_back(
            std::make_unique<QSignalSpy>(&pair.server, &QDtls::handshakeTimeout));
        connect(&pair.server, &QDtls::handshakeTimeout, &pair.server, [&, i] {
            if (i % 3 == 0)
                pair.server.handleTimeout(&pair.toClient);
            else if (i % 3 == 1)
                pairs[static_cast<std::size_t>(i) + 1].reset(); // another, whose turn is next
        });
        pair.arrive(pair.helloWithCookie());
        QVERIFY(spy.isValid());
    }
    QTRY_COMPARE_WITH_TIMEOUT(timeouts[6]->size(), 2, 5'000); // after one second, and two more
    for (std::size_t i = 0; i < timeouts.size(); ++i)
        QCOMPARE(timeouts[i]->size(), i % 3 == 0 ? 2 : i % 3 == 1 ? 1 : 0);
}

void TestTlsBackend::nothingCrashesOutOfTurn()
{
    DtlsPair pair;
    QVERIFY(!pair.server.handleTimeout(&pair.toClient));
    pair.server.abortHandshake(&pair.toClient);
    QCOMPARE(pair.server.decryptDatagram(&pair.toClient, "?"), QByteArray());
    QCOMPARE(pair.server.writeDatagramEncrypted(&pair.toClient, "?"), -1);
    pair.arrive(pair.helloWithCookie());
    QVERIFY(pair.server.abortHandshake(&pair.toClient));
    QVERIFY(!pair.server.handleTimeout(&pair.toClient));
    QVERIFY(!pair.server.resumeHandshake(&pair.toClient));
    pair.server.shutdown(&pair.toClient);
    QCOMPARE(pair.server.handshakeState(), QDtls::HandshakeNotStarted);

    DtlsPair another;
    QVERIFY(another.handshake());
    QVERIFY(another.server.shutdown(&another.toClient));
    QVERIFY(!another.server.shutdown(&another.toClient));
    QCOMPARE(another.toClient.datagrams.size(), 1U);
}

void TestTlsBackend::aWrongKeyIsMetBySilence()
{
    DtlsPair pair("another key, that is", DtlsPair::key);
    QVERIFY(!pair.handshake());
    QCOMPARE(pair.server.handshakeState(), QDtls::HandshakeInProgress);
    QCOMPARE(pair.server.dtlsError(), QDtlsError::NoError);
    QVERIFY(pair.toClient.datagrams.empty());
}

void TestTlsBackend::sessionsGiveTheirBuffersBackAndGoOn()
{
    std::vector<std::unique_ptr<DtlsPair>> pairs;
    for (int i = 0; i < 200; ++i) { // more than keep them
        pairs.push_back(std::make_unique<DtlsPair>());
        QVERIFY(pairs.back()->handshake());
    }
    for (int round = 0; round < 3; ++round) {
        for (const auto &pair : pairs) { // whoever has heard nothing since may write, too
            QCOMPARE(pair->server.writeDatagramEncrypted(&pair->toClient, "news"), 4);
            QCOMPARE(pair->answer(pair->toClient.take()), QByteArray("news"));
        }
        for (const auto &pair : pairs) {
            pair->client.writeDatagramEncrypted(&pair->toServer, "ping");
            QCOMPARE(pair->arrive(pair->toServer.take()), QByteArray("ping"));
            pair->server.writeDatagramEncrypted(&pair->toClient, "pong");
            QCOMPARE(pair->answer(pair->toClient.take()), QByteArray("pong"));
        }
        pairs.erase(pairs.begin() + 10, pairs.begin() + 50);
    }
    for (const auto &pair : pairs) {
        QVERIFY(pair->server.shutdown(&pair->toClient));
        QCOMPARE(pair->toClient.datagrams.size(), 1U);
    }
}

void TestTlsBackend::aSessionOutlivesTheSettingsItBeganWith()
{
    DtlsPair pair;
    QVERIFY(pair.handshake());
    for (char i = '0'; i <= '9'; ++i) { // more than are kept
        DtlsPair newer;
        ServerSettings settings;
        settings.reply.identityHint = QByteArray(1, i);
        newer.server.setDtlsConfiguration(serverConfiguration(settings));
        QVERIFY(newer.handshake());
    }
    pair.client.writeDatagramEncrypted(&pair.toServer, "still here");
    QCOMPARE(pair.arrive(pair.toServer.take()), QByteArray("still here"));
    pair.client.shutdown(&pair.toServer);
    pair.arrive(pair.toServer.take());
    QCOMPARE(pair.server.dtlsError(), QDtlsError::RemoteClosedConnectionError);
}

QTEST_GUILESS_MAIN(TestTlsBackend)
#include "tst_tlsbackend.moc"
