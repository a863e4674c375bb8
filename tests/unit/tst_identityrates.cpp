// SPDX-License-Identifier: Apache-2.0
#include "dtls/limits/IdentityRates.h"
#include "support/TestProgram.h"
#include "support/TestSettings.h"

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

class TestIdentityRates : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatIsOverAnIdentitysRateIsCountedAndNothingElse();
    void aRateIsOfTheIdentityAndNotOfItsSession();
    void aRateIsForgottenWithItsIdentity();
};

void TestIdentityRates::whatIsOverAnIdentitysRateIsCountedAndNothingElse()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.limits.datagramsPerSecond = 10;
    MemoryNetwork network(settings);
    network.stopClock();
    auto &device = network.add(1);
    network.run();
    const auto talk = [&](int messages) {
        for (int i = 0; i < messages; ++i)
            QVERIFY(device.client->send("message"));
        network.run();
    };
    talk(25);
    QCOMPARE(network.datagrams.size(), 10U);
    QCOMPARE(device.received.size(), 10U);
    QCOMPARE(network.server->statistics().overRate, 15U);
    // The first at once, the others a minute later.
    const auto limited = [&] { return network.events<IdentityLimited>(); };
    QCOMPARE(limited().size(), 1U);
    QCOMPARE(limited()[0].account, "sensor-17");
    QCOMPARE(limited()[0].perSecond, 10);
    QCOMPARE(limited()[0].datagrams, 1U);
    network.advance(59s);
    QCOMPARE(limited().size(), 1U);
    network.advance(1s);
    QCOMPARE(limited().size(), 2U);
    QCOMPARE(limited()[1].datagrams, 14U);
    talk(1);
    QCOMPARE(network.datagrams.size(), 11U);
    network.advance(2min);
    QCOMPARE(limited().size(), 2U);
}

void TestIdentityRates::aRateIsOfTheIdentityAndNotOfItsSession()
{
    ServerSettings settings = settingsWith({"a", "b"});
    settings.limits.datagramsPerSecond = 3;
    MemoryNetwork network(settings);
    network.stopClock();
    for (int i = 0; i < 5; ++i) {
        auto &one = network.add(i, device("a"));
        network.run();
        QVERIFY(one.client->send("x"));
        network.run();
        one.client->close();
        network.run();
    }
    QCOMPARE(network.datagrams.size(), 3U);
    auto &other = network.add(10, device("b"));
    network.run();
    QVERIFY(other.client->send("x"));
    network.run();
    QCOMPARE(network.datagrams.size(), 4U);
}

void TestIdentityRates::aRateIsForgottenWithItsIdentity()
{
    IdentityRates rates;
    const RateLimit::Clock::time_point now{1h};
    QVERIFY(rates.of("gone", 1)->admit(now));
    QVERIFY(!rates.of("gone", 1)->admit(now));
    QVERIFY(rates.of("stays", 1)->admit(now));
    QVERIFY(rates.of(PskStore::wildcardAccount(), 1)->admit(now));
    rates.keepOnly(*settingsWith({"stays"}).identities);
    QVERIFY(rates.of("gone", 1)->admit(now));
    QVERIFY(!rates.of("stays", 1)->admit(now));
    QVERIFY(!rates.of(PskStore::wildcardAccount(), 1)->admit(now));
}

DTLSD_TEST(TestIdentityRates)
#include "tst_identityrates.moc"
