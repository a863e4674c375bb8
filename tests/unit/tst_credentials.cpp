// SPDX-License-Identifier: Apache-2.0
//
// Which key opens a session: the identity's own, its next one, or that of the wildcard.
#include "support/MemoryNetwork.h"

#include <QCryptographicHash>
#include <QMessageAuthenticationCode>
#include <QTest>

using namespace dtlsd;
using namespace dtlsd::test;

class TestCredentials : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void eitherKeyIsAcceptedWhileRotating();
    void theWildcardIsForEveryOtherIdentity();
    void aDecoyIsTheSameEachTimeAndAnotherForEachIdentity();
};

void TestCredentials::eitherKeyIsAcceptedWhileRotating()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    auto identities = std::make_shared<PskStore>();
    const PskKey next(QByteArray(16, 'n'));
    identities->add("sensor-17",
                    {.key = MemoryNetwork::key(), .nextKey = next, .allowFrom = {}, .reply = {}});
    settings.identities = identities;
    MemoryNetwork network(settings);

    auto options = MemoryNetwork::defaultClient();
    options.key = next;
    auto &refused = network.add(1, options); // `key` is tried first
    network.run();
    QVERIFY(!refused.client->isConnected());
    network.crash(refused);
    auto &withNext = network.add(1, options);
    network.run();
    QVERIFY(withNext.client->isConnected());
    QVERIFY(network.events<SessionOpened>().back().withNextKey);
    network.crash(withNext);
    auto &again = network.add(1, options); // and what was right last is tried first
    network.run();
    QVERIFY(again.client->isConnected());
}

void TestCredentials::theWildcardIsForEveryOtherIdentity()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    auto identities = std::make_shared<PskStore>(*settings.identities);
    const PskKey shared(QByteArray(16, 'w'));
    identities->setWildcard({.key = shared, .nextKey = {}, .allowFrom = {}, .reply = {}});
    settings.identities = identities;
    MemoryNetwork network(settings);
    auto &stranger = network.add(1, {.identity = "any name", .key = shared, .ciphers = {}});
    auto &listed = network.add(2);
    auto &pretender = network.add(3, {.identity = "sensor-17", .key = shared, .ciphers = {}});
    network.run();
    QVERIFY(stranger.client->isConnected());
    QCOMPARE(network.events<SessionOpened>().at(0).session.identity, "any name");
    QVERIFY(listed.client->isConnected());
    QVERIFY(!pretender.client->isConnected());
}

void TestCredentials::aDecoyIsTheSameEachTimeAndAnotherForEachIdentity()
{
    const QByteArray secret(32, 's');
    const HmacSha256 decoys(secret);
    const QByteArray longest(PskStore::maximumIdentitySize, 'i');
    for (int round = 0; round < 2; ++round) {
        for (const QByteArray &identity : {QByteArray("a"), QByteArray("b"), longest})
            QCOMPARE(decoys.of(identity), QMessageAuthenticationCode::hash(
                                              identity, secret, QCryptographicHash::Sha256));
    }
    QVERIFY(HmacSha256(QByteArray(32, 't')).of("a") != decoys.of("a"));
}

QTEST_GUILESS_MAIN(TestCredentials)
#include "tst_credentials.moc"
