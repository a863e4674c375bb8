// SPDX-License-Identifier: Apache-2.0
//
// What a device that holds its key may send in an open session besides messages, and how large a
// reply it takes: authentic records, of which none may cost it more than the RFCs say, and none may
// make the server grow.
#include "dtls/session/SslView.h"
#include "support/KeyedDevice.h"
#include "support/RecordBytes.h"
#include "support/TestProgram.h"
#include "support/TestSettings.h"
#include "tls/TlsBackend.h"

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

QByteArray number(qsizetype value, int size)
{
    QByteArray bytes;
    for (int i = size - 1; i >= 0; --i)
        bytes += static_cast<char>((value >> (8 * i)) & 0xff);
    return bytes;
}

/// A fragment of a handshake message (RFC 6347 §4.2.2).
QByteArray fragment(int type, qsizetype length, int sequence, qsizetype offset,
                    const QByteArray &bytes)
{
    return number(type, 1) + number(length, 3) + number(sequence, 2) + number(offset, 3) +
           number(bytes.size(), 3) + bytes;
}

QByteArrayList payloads(const MemoryNetwork &network)
{
    QByteArrayList payloads;
    for (const Datagram &datagram : network.datagrams)
        payloads += datagram.payload;
    return payloads;
}

/// The identity heard of last.
QByteArray lastHeard(const MemoryNetwork &network)
{
    return network.sessions().at(0).info.path.peer.toUtf8();
}

constexpr int clientHello = 1;

bool tellsOfEmptyRecords()
{
    return TlsBackend::inForce() == BackendKind::Dtlsd || SslView::tellsOfEmptyRecords();
}

} // namespace

class TestOddRecords : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anEmptyRecordCarriesNothingAndIsASignOfLife_data() { suites(); }
    void anEmptyRecordCarriesNothingAndIsASignOfLife();
    void anEmptyRecordThatIsForgedOrRepeatedIsABadOne_data() { suites(); }
    void anEmptyRecordThatIsForgedOrRepeatedIsABadOne();
    void manyEmptyRecordsEndNothing();
    void aFatalAlertEndsTheSessionAndIsNamed_data();
    void aFatalAlertEndsTheSessionAndIsNamed();
    void aPieceOfAnotherHandshakeIsDropped_data();
    void aPieceOfAnotherHandshakeIsDropped();
    void aPieceAsLongAsAFinishedLeavesNothingBehind();
    void aWholeHelloIsToldThatThereIsNoRenegotiation();
    void aReplyLongerThanTheDeviceTakesIsDropped_data();
    void aReplyLongerThanTheDeviceTakesIsDropped();

private:
    static void suites()
    {
        QTest::addColumn<QByteArray>("suite");
        for (const QByteArray suite :
             {"PSK-AES128-GCM-SHA256", "PSK-AES256-GCM-SHA384", "PSK-AES128-CCM8",
              "PSK-CHACHA20-POLY1305", "ECDHE-PSK-CHACHA20-POLY1305"})
            QTest::newRow(suite.constData()) << suite;
    }
};

void TestOddRecords::anEmptyRecordCarriesNothingAndIsASignOfLife()
{
    QFETCH(QByteArray, suite);
    MemoryNetwork network(everySuiteReplying());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {.ciphers = suite});
    QVERIFY(device.connect());
    KeyedDevice later(network, MemoryNetwork::clientAddress(2), {.ciphers = suite});
    QVERIFY(later.connect());
    QCOMPARE(lastHeard(network), later.address().toUtf8());

    device.send(device.seal(""));
    const KeyedDevice &heard = tellsOfEmptyRecords() ? device : later;
    QCOMPARE(lastHeard(network), heard.address().toUtf8());
    QCOMPARE(payloads(network), QByteArrayList());

    // In one datagram with others as well, and before another, and not one is late.
    const QByteArray x = device.seal("x");
    const QByteArray empty = device.seal("");
    device.send(x + empty + device.seal("y"));
    QCOMPARE(payloads(network), QByteArrayList({"x", "y"}));
    device.send(device.seal(""));
    device.send(device.seal("z"));
    QCOMPARE(payloads(network), QByteArrayList({"x", "y", "z"}));
    QCOMPARE(device.received, std::vector<QByteArray>(3, "got it"));
    QCOMPARE(network.server->statistics().badRecords, 0U);
    QCOMPARE(network.server->statistics().received.datagrams, 3U);
    QVERIFY(network.events<SessionClosed>().empty());
}

void TestOddRecords::anEmptyRecordThatIsForgedOrRepeatedIsABadOne()
{
    QFETCH(QByteArray, suite);
    MemoryNetwork network(everySuiteReplying());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {.ciphers = suite});
    QVERIFY(device.connect());
    const QByteArray empty = device.seal("");
    device.send(empty);
    KeyedDevice later(network, MemoryNetwork::clientAddress(2), {.ciphers = suite});
    QVERIFY(later.connect());

    device.send(empty);
    device.send(withFlippedTag(device.seal("")));
    device.send(withFlippedTag(device.seal("")) + withFlippedTag(device.seal("")));
    const std::uint64_t told = tellsOfEmptyRecords() ? 1 : 0;
    QCOMPARE(network.server->statistics().badRecords, 4 * told);
    QCOMPARE(lastHeard(network), later.address().toUtf8());
    device.send(withFlippedTag(device.seal("")) + device.seal("x"));
    QCOMPARE(payloads(network), QByteArrayList({"x"}));
    QCOMPARE(network.server->statistics().badRecords, 5 * told);
}

void TestOddRecords::manyEmptyRecordsEndNothing()
{
    MemoryNetwork network(everySuiteReplying());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {.ciphers = "PSK-AES128-CCM8"});
    QVERIFY(device.connect());
    // More than the forgeries that a short tag puts up with.
    const auto limit = SuiteLimits::of("PSK-AES128-CCM8").forgeries;
    for (std::uint64_t i = 0; i <= limit; ++i)
        network.arrive(device.address(), device.seal(""));
    device.send(device.seal("still here"));
    QCOMPARE(payloads(network), QByteArrayList({"still here"}));
}

void TestOddRecords::aFatalAlertEndsTheSessionAndIsNamed_data()
{
    QTest::addColumn<QByteArray>("alert");
    QTest::addColumn<CloseReason>("reason");
    QTest::addColumn<QByteArray>("text");
    QTest::newRow("a fatal one") << QByteArray::fromHex("0250") << CloseReason::Alert
                                 << QByteArray("internal_error (80)");
    QTest::newRow("one that has no name")
        << QByteArray::fromHex("02fe") << CloseReason::Alert << QByteArray("unknown (254)");
    QTest::newRow("close_notify") << QByteArray::fromHex("0100") << CloseReason::CloseNotify
                                  << QByteArray();
}

void TestOddRecords::aFatalAlertEndsTheSessionAndIsNamed()
{
    QFETCH(QByteArray, alert);
    QFETCH(CloseReason, reason);
    QFETCH(QByteArray, text);
    MemoryNetwork network(everySuiteReplying());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {});
    QVERIFY(device.connect());

    device.send(withFlippedTag(device.seal(ContentType::Alert, alert)));
    device.send(QByteArray::fromHex("15fefd00000000000000630002") + alert); // in clear
    QVERIFY(network.events<SessionClosed>().empty());
    device.send(device.seal(ContentType::Alert, alert));
    const auto closed = network.events<SessionClosed>();
    QCOMPARE(closed.size(), 1U);
    QCOMPARE(closed[0].reason, reason);
    QCOMPARE(closed[0].alert ? closed[0].alert->text() : QByteArray(), text);
}

void TestOddRecords::aPieceOfAnotherHandshakeIsDropped_data()
{
    QTest::addColumn<QByteArray>("content");
    const QByteArray kilobytes(16'000, 'x');
    QTest::newRow("16 KB of a hello of 60 KB") << fragment(clientHello, 60'000, 2, 0, kilobytes);
    QTest::newRow("16 KB of a message that comes ten messages later")
        << fragment(clientHello, 16'000, 12, 0, kilobytes);
    QTest::newRow("a HelloRequest") << fragment(0, 0, 2, 0, {});
    QTest::newRow("less than a header") << QByteArray(5, 'x');
    QTest::newRow("nothing") << QByteArray();
}

void TestOddRecords::aPieceOfAnotherHandshakeIsDropped()
{
    QFETCH(QByteArray, content);
    MemoryNetwork network(everySuiteReplying());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {});
    QVERIFY(device.connect());
    for (int i = 0; i < 20; ++i)
        device.send(device.seal(ContentType::Handshake, content));
    QCOMPARE(network.server->statistics().badRecords, 20U);
    device.send(device.seal("still here"));
    QCOMPARE(payloads(network), QByteArrayList({"still here"}));
    QCOMPARE(device.received, std::vector<QByteArray>(1, "got it"));
}

void TestOddRecords::aPieceAsLongAsAFinishedLeavesNothingBehind()
{
    MemoryNetwork network(everySuiteReplying());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {});
    QVERIFY(device.connect());
    const QByteArray piece = fragment(clientHello, 16'000, 3, 0, QByteArray(12, 'x'));
    device.send(withFlippedTag(device.seal(ContentType::Handshake, piece)));
    device.send(device.seal("still here"));
    QCOMPARE(payloads(network), QByteArrayList({"still here"}));
    device.send(device.seal(ContentType::Handshake, piece));
    if (TlsBackend::inForce() == BackendKind::Dtlsd) {
        QVERIFY(network.events<SessionClosed>().empty());
        QCOMPARE(network.server->statistics().badRecords, 2U);
    } else { // OpenSSL has begun to collect the message
        QCOMPARE(network.events<SessionClosed>().size(), 1U);
        QCOMPARE(network.events<SessionClosed>()[0].reason, CloseReason::Error);
    }
}

void TestOddRecords::aWholeHelloIsToldThatThereIsNoRenegotiation()
{
    MemoryNetwork network(everySuiteReplying());
    KeyedDevice device(network, MemoryNetwork::clientAddress(1), {});
    QVERIFY(device.connect());
    const QByteArray hello =
        QByteArray::fromHex("fefd") + QByteArray(32, 'r') + QByteArray::fromHex("0000000200a80100");
    const auto knock = [&](int sequence) {
        return device.seal(ContentType::Handshake,
                           fragment(clientHello, hello.size(), sequence, 0, hello));
    };
    device.send(knock(0));
    QCOMPARE(device.alerts.size(), 1U);
    QCOMPARE(device.alerts[0].text(), "no_renegotiation (100)");
    QCOMPARE(device.alerts[0].level, Alert::Level::Warning);
    for (int i = 1; i < 20; ++i)
        network.arrive(device.address(), knock(i));
    QCOMPARE(network.serverSocket->takeSent().size(), 19U); // OpenSSL's client bears only one
    QVERIFY(network.events<SessionClosed>().empty());
    QCOMPARE(network.server->statistics().badRecords, 0U);
}

void TestOddRecords::aReplyLongerThanTheDeviceTakesIsDropped_data()
{
    QTest::addColumn<int>("code");
    QTest::addColumn<int>("limit");
    for (const int code : {1, 2, 3, 4})
        QTest::addRow("%d bytes", 256 << code) << code << (256 << code);
    QTest::newRow("no limit negotiated") << 0 << 16'384;
}

void TestOddRecords::aReplyLongerThanTheDeviceTakesIsDropped()
{
    QFETCH(int, code);
    QFETCH(int, limit);
    MemoryNetwork network(everySuiteReplying(QStringLiteral("echo")));
    KeyedDevice device(network, MemoryNetwork::clientAddress(1),
                       {.fragments = static_cast<std::uint8_t>(code)});
    QVERIFY(device.connect());
    const QByteArray longest(limit, 'x');
    device.send(device.seal(longest));
    QCOMPARE(device.received, std::vector<QByteArray>(1, longest));
    if (code == 0)
        return;

    // A device may send longer records than it takes: its limit is about its own memory. OpenSSL
    // holds it to what was agreed, so the reply is what is made longer here.
    ServerSettings longer = everySuiteReplying(QString(limit + 1, u'r'));
    const auto settings = std::make_shared<const ServerSettings>(std::move(longer));
    network.server->apply(settings);
    for (int i = 0; i < 3; ++i)
        device.send(device.seal("x"));
    QCOMPARE(network.datagrams.size(), 4U);
    QCOMPARE(device.received.size(), 1U);
    QCOMPARE(network.server->statistics().repliesTooLong, 3U);
    QVERIFY(network.events<SessionClosed>().empty());
    auto dropped = network.events<ReplyDropped>();
    QCOMPARE(dropped.size(), 1U); // one a minute
    QCOMPARE(dropped[0].replies, 1U);
    QCOMPARE(dropped[0].size, limit + 1);
    QCOMPARE(dropped[0].limit, limit);

    network.server->apply(std::make_shared<const ServerSettings>(everySuiteReplying()));
    device.send(device.seal("x"));
    QCOMPARE(device.received.size(), 2U);
    QCOMPARE(device.received[1], "got it");
    network.server->close();
    dropped = network.events<ReplyDropped>();
    QCOMPARE(dropped.size(), 2U); // and the rest at the end
    QCOMPARE(dropped[1].replies, 2U);
}

DTLSD_TEST(TestOddRecords)
#include "tst_oddrecords.moc"
