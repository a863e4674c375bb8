// SPDX-License-Identifier: Apache-2.0
//
// The sessions of one worker, told slice by slice while they come, go and are heard of.
#include "dtls/session/SessionListing.h"
#include "support/MemoryNetwork.h"
#include "support/TestProgram.h"
#include "support/TestSettings.h"

#include <algorithm>
#include <chrono>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

using Addresses = QList<SocketAddress>;

SocketAddress address(int number)
{
    return MemoryNetwork::clientAddress(number);
}

Addresses peersOf(const std::vector<SessionReport> &reports)
{
    Addresses peers;
    for (const SessionReport &report : reports)
        peers += report.info.path.peer;
    return peers;
}

/// The rest of @p listing, one report a slice.
Addresses restOf(SessionListing &listing)
{
    Addresses peers;
    for (bool isLast = false; !isLast;) {
        const SessionListing::Slice slice = listing.next(1);
        peers += peersOf(slice.reports);
        isLast = slice.isLast;
    }
    return peers;
}

} // namespace

class TestSessionListing : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void allAreToldOnceTheLastOpenedFirst();
    void whoIsHeardOfOrGoesMeanwhileDisturbsNothing();
    void whoComesMeanwhileIsNotTold();
    void aHandshakeThatEndsIsSteppedOver();
    void aLimitTellsTheLastActive();
    void anIdentityIsExact();
    void theLastActiveOfAnIdentityAreFoundAmongAll();
};

void TestSessionListing::allAreToldOnceTheLastOpenedFirst()
{
    MemoryNetwork network;
    SessionListing none = network.server->list({});
    QVERIFY(none.next(10).isLast);
    for (int i = 0; i < 5; ++i) {
        network.add(i);
        network.run();
    }
    network.addHalfOpen(address(8));
    network.addHalfOpen(address(9));
    SessionListing listing = network.server->list({});
    const SessionListing::Slice slice = listing.next(3);
    QCOMPARE(peersOf(slice.reports), (Addresses{address(4), address(3), address(2)}));
    QVERIFY(!slice.isLast);
    QCOMPARE(restOf(listing), (Addresses{address(1), address(0), address(9), address(8)}));
    QVERIFY(listing.next(1).isLast);
    QCOMPARE(listing.next(1).total, 7);
}

void TestSessionListing::whoIsHeardOfOrGoesMeanwhileDisturbsNothing()
{
    MemoryNetwork network;
    QList<MemoryNetwork::Device *> devices;
    for (int i = 0; i < 6; ++i) {
        devices += &network.add(i);
        network.run();
    }
    SessionListing listing = network.server->list({});
    QCOMPARE(peersOf(listing.next(2).reports), (Addresses{address(5), address(4)}));
    devices[1]->client->send("hello");
    for (const int gone : {3, 2, 5, 0}) // the next two, one that was told, and the last
        devices[gone]->client->close();
    network.run();
    QCOMPARE(restOf(listing), Addresses{address(1)});
}

void TestSessionListing::whoComesMeanwhileIsNotTold()
{
    MemoryNetwork network;
    for (int i = 0; i < 3; ++i) {
        network.add(i);
        network.run();
    }
    SessionListing listing = network.server->list({});
    QCOMPARE(peersOf(listing.next(1).reports), Addresses{address(2)});
    for (int i = 3; i < 40; ++i) // the table grows
        network.add(i);
    network.run();
    QCOMPARE(restOf(listing), (Addresses{address(1), address(0)}));
}

void TestSessionListing::aHandshakeThatEndsIsSteppedOver()
{
    MemoryNetwork network;
    network.addHalfOpen(address(1));
    network.addHalfOpen(address(2));
    network.addHalfOpen(address(3));
    SessionListing listing = network.server->list({});
    QCOMPARE(peersOf(listing.next(1).reports), Addresses{address(3)});
    network.stopClock();
    network.advance(1min); // beyond handshake_timeout
    QCOMPARE(network.server->statistics().halfOpen, 0);
    QCOMPARE(restOf(listing), Addresses());
}

void TestSessionListing::aLimitTellsTheLastActive()
{
    MemoryNetwork network;
    auto &first = network.add(0);
    network.run();
    for (int i = 1; i < 5; ++i) {
        network.add(i);
        network.run();
    }
    network.addHalfOpen(address(9));
    first.client->send("hello");
    network.run();
    SessionListing listing = network.server->list({.limit = 3});
    const SessionListing::Slice slice = listing.next(1);
    QVERIFY(slice.isLast);
    QCOMPARE(slice.total, 6);
    QCOMPARE(peersOf(slice.reports), (Addresses{address(0), address(4), address(3)}));
    SessionListing all = network.server->list({.limit = 10});
    const auto reports = all.next(1).reports;
    QCOMPARE(reports.size(), 6U);
    QVERIFY(std::ranges::is_sorted(reports, comesFirst));
    QCOMPARE(reports.back().info.path.peer, address(9));
}

void TestSessionListing::anIdentityIsExact()
{
    MemoryNetwork network(settingsWith({"a", "A", "ab", ""}));
    int number = 0;
    for (const QByteArray name : {"a", "A", "ab", "", "a"}) {
        network.add(number++, device(name));
        network.run();
    }
    network.addHalfOpen(address(9)); // has not said its identity
    const auto peersWith = [&](const QByteArray &identity) {
        SessionListing listing = network.server->list({.identity = identity});
        return restOf(listing);
    };
    QCOMPARE(peersWith("a"), (Addresses{address(4), address(0)}));
    QCOMPARE(peersWith("A"), Addresses{address(1)});
    QCOMPARE(peersWith(""), Addresses{address(3)});
    QCOMPARE(peersWith("b"), Addresses());
}

void TestSessionListing::theLastActiveOfAnIdentityAreFoundAmongAll()
{
    MemoryNetwork network(settingsWith({"a", "b"}));
    QList<MemoryNetwork::Device *> devices;
    for (int i = 0; i < 12; ++i) {
        devices += &network.add(i, device(i % 2 == 0 ? "a" : "b"));
        network.run();
    }
    for (const int speaker : {4, 5, 2}) {
        devices[speaker]->client->send("hello");
        network.run();
    }
    SessionListing listing = network.server->list({.identity = "a", .limit = 3});
    const SessionListing::Slice slice = listing.next(1);
    QVERIFY(slice.isLast); // of few sessions
    QCOMPARE(slice.total, 6);
    QCOMPARE(peersOf(slice.reports), (Addresses{address(2), address(4), address(10)}));
    QVERIFY(slice.reports[0].idle > 0us);
    QVERIFY(listing.next(1).reports.empty());
}

DTLSD_TEST(TestSessionListing)
#include "tst_sessionlisting.moc"
