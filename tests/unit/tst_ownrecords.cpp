// SPDX-License-Identifier: Apache-2.0
//
// An open session of our own backend beside OpenSSL's client: each opens what the other has sealed,
// whatever the suite; nothing of OpenSSL's leaves that was sealed with its own nonces.
#include "support/KeyedDevice.h"
#include "support/RecordBytes.h"
#include "support/TestProgram.h"
#include "support/TestSettings.h"
#include "wire/AssociationState.h"
#include "wire/SuiteLimits.h"

#include <QTest>
#include <QtEndian>

#include <set>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

ServerSettings echoing()
{
    return everySuiteReplying(QStringLiteral("echo"));
}

/// What a device sends last in its handshake, by record.
struct LastFlight
{
    QByteArrayList clear; // ClientKeyExchange, ChangeCipherSpec
    QByteArray finished;
};

/// Lets both talk until @p device sends its last flight, which does not arrive.
LastFlight lastFlightOf(KeyedDevice &device)
{
    LastFlight last;
    for (const QByteArray &datagram : device.connectUpToLastFlight()) {
        RecordReader reader(datagram);
        while (const auto record = reader.next())
            (record->epoch == 0 ? last.clear.emplaceBack() : last.finished) =
                record->bytes.toByteArray();
    }
    return last;
}

/// Records under the session's keys, as they left the server.
class SealedRecords
{
public:
    void note(const QByteArray &datagram)
    {
        RecordReader reader(datagram);
        while (const auto record = reader.next()) {
            if (record->epoch == 0)
                continue;
            ++count;
            const QByteArray sequence = record->bytes.sliced(3, 8).toByteArray();
            nonces.insert(sequence);
            if (isExplicit && record->fragment().first(8).toByteArray() != sequence)
                ++strange;
        }
    }

    bool isExplicit = true;
    std::size_t count = 0;
    std::size_t strange = 0; // explicit nonces that are not the sequence number
    std::set<QByteArray> nonces;
};

} // namespace

class TestOwnRecords : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void eachOpensWhatTheOtherSeals_data() { rows(); }
    void eachOpensWhatTheOtherSeals();
    void noNonceLeavesTwice_data();
    void noNonceLeavesTwice();
    void aFinishedThatFailsLeavesNothingSealed_data() { rows(); }
    void aFinishedThatFailsLeavesNothingSealed();
    void aFinishedThatComesEarlyCompletesTheHandshake_data() { rows(); }
    void aFinishedThatComesEarlyCompletesTheHandshake();
    void forgedFinishedCountAsForgeries();
    void aHandshakeBesideItSilencesNothingOfASession();
    void whatRepeatsNoLastFlightIsCounted();
    void aRepeatedFlightNeverLeavesItsEpoch();
    void repeatedRecordsAreNoForgeries();
    void aSessionEndsWithItsSequenceNumbers();

private:
    static void rows()
    {
        QTest::addColumn<QByteArray>("suite");
        for (const char *suite : suiteNames)
            QTest::newRow(suite) << QByteArray(suite);
    }
};

void TestOwnRecords::eachOpensWhatTheOtherSeals()
{
    QFETCH(QByteArray, suite);
    for (const bool extendsMasterSecret : {true, false}) {
        MemoryNetwork network(echoing());
        KeyedDevice device(network, MemoryNetwork::clientAddress(1),
                           {.ciphers = suite, .extendsMasterSecret = extendsMasterSecret});
        QVERIFY(device.connect());
        for (const qsizetype size : {1, 64, 1000, 16'384}) {
            const QByteArray message(size, 'm');
            device.send(device.sealByOpenSsl(message));
            QCOMPARE(network.datagrams.back().payload, message);
            QCOMPARE(device.received.back(), message);
        }
        QCOMPARE(network.datagrams.size(), 4U);
        QCOMPARE(device.received.size(), 4U);
        QCOMPARE(network.server->statistics().badRecords, 0U);
    }
}

void TestOwnRecords::noNonceLeavesTwice_data()
{
    QTest::addColumn<QByteArray>("suite");
    QTest::addColumn<bool>("hasId");
    for (const char *suite : suiteNames) {
        for (const bool hasId : {false, true})
            QTest::addRow("%s%s", suite, hasId ? ", with IDs" : "") << QByteArray(suite) << hasId;
    }
}

void TestOwnRecords::noNonceLeavesTwice()
{
    QFETCH(QByteArray, suite);
    QFETCH(bool, hasId);
    MemoryNetwork network(echoing());
    KeyedClient::Options options{.ciphers = suite};
    if (hasId)
        options.connectionId =
            QByteArray(ConnectionId::size, 'c'); // as long as ours: both can read
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), options);
    SealedRecords sealed;
    sealed.isExplicit = !suite.contains("CHACHA20");
    const auto carry = [&](bool isLost) {
        for (const OutgoingDatagram &datagram : network.serverSocket->takeSent()) {
            sealed.note(datagram.bytes);
            if (!isLost)
                device.take(datagram.bytes);
        }
    };
    for (int flight = 0; flight < 3; ++flight) {
        for (const QByteArray &datagram : device.takeSent())
            network.arrive(device.address(), datagram);
        carry(flight == 2);
    }
    QVERIFY(!device.isConnected());
    QCOMPARE(sealed.count, 1U);
    // The device repeats its Finished, in a new record each time.
    const QByteArray finished = device.ownFinished();
    for (int i = 1; i <= 3; ++i) {
        network.arrive(device.address(), device.seal(ContentType::Handshake, finished));
        carry(i < 3);
    }
    QVERIFY(device.isConnected());
    QCOMPARE(sealed.count, 4U);
    for (int i = 0; i < 100; ++i) {
        network.arrive(device.address(), device.seal("message"));
        carry(false);
    }
    network.arrive(device.address(), device.seal(ContentType::Alert, QByteArray("\1\0", 2)));
    carry(false);
    QCOMPARE(network.events<SessionClosed>().size(), 1U);
    QCOMPARE(sealed.count, 105U); // close_notify is answered
    QCOMPARE(sealed.nonces.size(), sealed.count);
    QCOMPARE(sealed.strange, 0U);
}

void TestOwnRecords::aFinishedThatFailsLeavesNothingSealed()
{
    QFETCH(QByteArray, suite);
    MemoryNetwork network(echoing());
    network.stopClock();
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {.ciphers = suite});
    SealedRecords sealed;
    sealed.isExplicit = !suite.contains("CHACHA20");
    for (const QByteArray &record : lastFlightOf(device).clear)
        network.arrive(device.address(), record);
    QByteArray finished = device.ownFinished();
    finished.back() = static_cast<char>(finished.back() ^ 1);
    network.arrive(device.address(), device.seal(ContentType::Handshake, finished, 1, 0));
    network.advance(std::chrono::milliseconds(5000));
    for (const OutgoingDatagram &datagram : network.serverSocket->takeSent())
        sealed.note(datagram.bytes);
    QCOMPARE(sealed.count, 0U);
    QVERIFY(network.events<SessionOpened>().empty());
    QCOMPARE(network.events<HandshakeFailed>().size(), 1U);
}

void TestOwnRecords::aFinishedThatComesEarlyCompletesTheHandshake()
{
    QFETCH(QByteArray, suite);
    MemoryNetwork network(echoing());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {.ciphers = suite});
    const auto [clear, finished] = lastFlightOf(device);
    QCOMPARE(clear.size(), 2);
    network.arrive(device.address(), withFlippedTag(finished)); // one of a stranger's
    network.arrive(device.address(), finished);
    for (const QByteArray &record : clear)
        network.arrive(device.address(), record);
    device.listen();
    QVERIFY(device.isConnected());
    device.send(device.seal("message"));
    QCOMPARE(device.received, std::vector<QByteArray>{"message"});
}

void TestOwnRecords::forgedFinishedCountAsForgeries()
{
    MemoryNetwork network(echoing());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {.ciphers = "PSK-AES128-CCM8"});
    const auto [clear, finished] = lastFlightOf(device);
    for (const QByteArray &record : clear)
        network.arrive(device.address(), record);
    const std::uint64_t limit = SuiteLimits::of("PSK-AES128-CCM8").forgeries;
    for (std::uint64_t i = 0; i < limit - 1; ++i)
        network.arrive(device.address(), withFlippedTag(finished));
    network.arrive(device.address(), finished);
    QCOMPARE(network.events<SessionOpened>().size(), 1U);
    network.arrive(device.address(), withFlippedTag(device.seal("message")));
    QCOMPARE(network.events<SessionClosed>().size(), 1U);
    QCOMPARE(network.events<SessionClosed>().at(0).reason, CloseReason::KeyUsage);
}

void TestOwnRecords::aHandshakeBesideItSilencesNothingOfASession()
{
    MemoryNetwork network(echoing());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {});
    QVERIFY(device.connect());
    // Its port has a hello with another random, and a valid cookie.
    static_cast<void>(network.addHalfOpen(device.address()));
    QCOMPARE(network.server->statistics().halfOpen, 1);
    static_cast<void>(network.serverSocket->takeSent());
    network.arrive(device.address(), device.seal(ContentType::Handshake, device.ownFinished()));
    QCOMPARE(network.serverSocket->takeSent().size(), 1U);
    network.arrive(device.address(), withFlippedTag(device.seal("forged")));
    QCOMPARE(network.server->statistics().badRecords, 1U);
    network.arrive(device.address(), device.seal("message"));
    QCOMPARE(network.datagrams.size(), 1U);
}

void TestOwnRecords::whatRepeatsNoLastFlightIsCounted()
{
    MemoryNetwork network(echoing());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {});
    QVERIFY(device.connect());
    const auto isCounted = [&](const QByteArray &datagram) {
        const auto before = network.server->statistics().badRecords;
        network.arrive(device.address(), datagram);
        return network.server->statistics().badRecords == before + 1 &&
               network.serverSocket->takeSent().empty();
    };
    const QByteArray garbage(300, 'x');
    QVERIFY(isCounted(record(20, 0, 9, garbage)));
    QVERIFY(isCounted(record(22, 0, 9, garbage)));
    QVERIFY(isCounted(record(22, 1, 0, garbage))); // the sequence number of its Finished
    QByteArray finished = device.ownFinished();
    finished.back() = static_cast<char>(finished.back() ^ 1);
    QVERIFY(isCounted(device.seal(ContentType::Handshake, finished)));
    QVERIFY(!isCounted(record(20, 0, 9, "\x01")));
    QVERIFY(!isCounted(record(22, 1, 0, QByteArray(48, 'x')))); // as long as its Finished
    QVERIFY(network.events<SessionClosed>().empty());
}

void TestOwnRecords::aRepeatedFlightNeverLeavesItsEpoch()
{
    MemoryNetwork network(echoing());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {});
    // The server goes on where the sequence number of the hello with the cookie is.
    std::uint64_t sequence = AssociationState::lastSequence - 5;
    for (int flight = 0; flight < 3; ++flight) {
        for (QByteArray datagram : device.takeSent()) {
            RecordReader reader(QByteArrayView{datagram});
            qsizetype at = 3;
            while (const auto record = reader.next()) {
                if (record->epoch == 0 && flight > 0)
                    qToBigEndian(sequence++, datagram.data() + at);
                at += record->bytes.size();
            }
            network.arrive(device.address(), datagram);
        }
        device.listen();
    }
    QVERIFY(device.isConnected());
    int repeated = 0;
    for (int i = 0; i < 10; ++i) {
        network.arrive(device.address(), device.seal(ContentType::Handshake, device.ownFinished()));
        for (const OutgoingDatagram &datagram : network.serverSocket->takeSent()) {
            const auto first = RecordReader(datagram.bytes).next();
            QVERIFY(first && first->type == ContentType::ChangeCipherSpec && first->epoch == 0);
            ++repeated;
        }
    }
    QVERIFY(repeated > 0 && repeated < 5); // for more there are no sequence numbers
}

void TestOwnRecords::repeatedRecordsAreNoForgeries()
{
    MemoryNetwork network(echoing());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {.ciphers = "PSK-AES128-CCM8"});
    QVERIFY(device.connect());
    const std::uint64_t limit = SuiteLimits::of("PSK-AES128-CCM8").forgeries;
    const QByteArray record = device.seal("message");
    for (std::uint64_t i = 0; i < limit + 10; ++i)
        network.arrive(device.address(), record);
    QVERIFY(network.events<SessionClosed>().empty());
    QCOMPARE(network.server->statistics().badRecords, limit + 9);
    device.send(device.seal("still here"));
    QCOMPARE(device.received.back(), "still here");
    for (std::uint64_t i = 0; i < limit; ++i)
        network.arrive(device.address(),
                       withFlippedTag(record.first(10) + char(9) + record.sliced(11)));
    QCOMPARE(network.events<SessionClosed>().size(), 1U);
    QCOMPARE(network.events<SessionClosed>().at(0).reason, CloseReason::KeyUsage);
}

void TestOwnRecords::aSessionEndsWithItsSequenceNumbers()
{
    MemoryNetwork network(echoing());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {});
    QVERIFY(device.connect());
    const std::uint64_t limit = SuiteLimits::of("PSK-AES128-GCM-SHA256").records;
    device.send(device.seal(ContentType::ApplicationData, "a", 1, limit - 1));
    QVERIFY(network.events<SessionClosed>().empty());
    device.send(device.seal(ContentType::ApplicationData, "b", 1, limit));
    QCOMPARE(network.events<SessionClosed>().size(), 1U);
    QCOMPARE(network.events<SessionClosed>().at(0).reason, CloseReason::KeyUsage);
    QCOMPARE(network.datagrams.size(), 2U);
}

DTLSD_TEST(TestOwnRecords)
#include "tst_ownrecords.moc"
