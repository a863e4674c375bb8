// SPDX-License-Identifier: Apache-2.0
//
// HandshakeQueue: who comes next, and who finds no room.
#include "dtls/handshake/HandshakeQueue.h"
#include "support/TestProgram.h"

#include "support/CraftedHello.h"
#include "support/MemorySocket.h"
#include "wire/Packet.h"

#include <map>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

Path from(int port)
{
    return {SocketAddress(QHostAddress(QStringLiteral("203.0.113.5")),
                          static_cast<std::uint16_t>(port)),
            SocketAddress(QHostAddress(QStringLiteral("192.0.2.1")), 22334)};
}

Path fromElsewhere(int port)
{
    return {SocketAddress(QHostAddress(QStringLiteral("198.51.100.5")),
                          static_cast<std::uint16_t>(port)),
            from(1).local};
}

QByteArray hello(int number, const QByteArray &cookie = {})
{
    return CraftedHello{.random = QByteArray(32, static_cast<char>(number)), .cookie = cookie}
        .datagram();
}

} // namespace

class TestHandshakeQueue : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatBelongsTogetherStaysInOrder();
    void noCheapLaneWaitsForAllOfAnother();
    void networksTakeTurns();
    void aFullNetworkLeavesRoomForOthers();
    void fragmentsStayWithTheirHello();
    void aProvedHelloReplacesTheOneOfItsPath();
    void theLightestNetworkIsFirst();
    void aHelloThatIsRepeatedWaitsOnce();
    void eachLaneHasItsBounds();
    void whatCameToASocketThatGoesIsForgotten();

private:
    bool addHello(HandshakeQueue &queue, int port, const QByteArray &bytes)
    {
        return queue.addHello(m_socket, from(port), bytes, *Packet(bytes).newHello());
    }
    bool addFollowUp(HandshakeQueue &queue, int port, const QByteArray &bytes)
    {
        return queue.addFollowUp(m_socket, from(port), Packet(bytes));
    }

    MemorySocket m_socket{from(1).local};
};

void TestHandshakeQueue::whatBelongsTogetherStaysInOrder()
{
    HandshakeQueue queue;
    for (const char *bytes : {"a", "b", "c", "d", "e"})
        QVERIFY(addFollowUp(queue, 1, bytes));
    for (const char *bytes : {"a", "b", "c", "d", "e"}) {
        const auto waiting = queue.take();
        QVERIFY(waiting);
        QCOMPARE(waiting->bytes, bytes);
        QCOMPARE(waiting->path, from(1));
        QCOMPARE(waiting->socket, &m_socket);
    }
    QVERIFY(!queue.hasCheap());
    QVERIFY(!queue.take());
}

void TestHandshakeQueue::noCheapLaneWaitsForAllOfAnother()
{
    HandshakeQueue queue;
    for (int i = 0; i < 100; ++i) {
        QVERIFY(addHello(queue, 1000 + i, hello(i)));
        QVERIFY(addHello(queue, 2000 + i, hello(i, "cookie")));
        QVERIFY(addFollowUp(queue, 3000 + i, "record"));
    }
    std::map<HandshakeQueue::Lane, int> taken;
    for (int i = 0; i < 120; ++i)
        ++taken[queue.take()->lane];
    QCOMPARE(taken[HandshakeQueue::FollowUps], 70);
    QCOMPARE(taken[HandshakeQueue::ReturnedHellos], 35);
    QCOMPARE(taken[HandshakeQueue::FirstHellos], 15);
    // The later lanes get every turn when the first is empty.
    for (int i = 120; i < 300; ++i)
        ++taken[queue.take()->lane];
    QCOMPARE(taken[HandshakeQueue::FirstHellos], 100);
    QVERIFY(!queue.hasCheap());
}

void TestHandshakeQueue::networksTakeTurns()
{
    HandshakeQueue queue;
    for (int i = 0; i < 100; ++i)
        QVERIFY(queue.addFollowUp(m_socket, fromElsewhere(1), Packet("many")));
    QVERIFY(addFollowUp(queue, 1, "one"));
    QCOMPARE(queue.take()->bytes, "many");
    QCOMPARE(queue.take()->bytes, "one");
    QCOMPARE(queue.take()->bytes, "many");
}

void TestHandshakeQueue::aFullNetworkLeavesRoomForOthers()
{
    HandshakeQueue queue(8, 1000);
    int kept = 0;
    for (int i = 0; i < 100; ++i)
        kept += queue.addFollowUp(m_socket, fromElsewhere(1), Packet("x")) ? 1 : 0;
    QCOMPARE(kept, 4);
    QVERIFY(addFollowUp(queue, 1, "x"));
    QVERIFY(addFollowUp(queue, 1, "x"));
    QVERIFY(!addFollowUp(queue, 1, "x")); // its share of the second half
}

void TestHandshakeQueue::fragmentsStayWithTheirHello()
{
    HandshakeQueue queue;
    QVERIFY(!queue.addFragment(from(1), Packet("early")));
    QVERIFY(addHello(queue, 1, hello(1, "cookie")));
    QVERIFY(queue.addFragment(from(1), Packet("second")));
    QVERIFY(!queue.addFragment(from(2), Packet("another's")));
    auto waiting = queue.take();
    QCOMPARE(waiting->fragments, std::vector<QByteArray>{"second"});
    QVERIFY(!queue.addFragment(from(1), Packet("late")));
    QVERIFY(queue.addProved(std::move(*waiting), {}, {}));
    QVERIFY(queue.addFragment(from(1), Packet("third")));
    QCOMPARE(queue.firstProved({})->fragments, (std::vector<QByteArray>{"second", "third"}));
    int kept = 0;
    for (int i = 0; i < 1000; ++i)
        kept += queue.addFragment(from(1), Packet("more")) ? 1 : 0;
    QCOMPARE(kept, 62);
}

void TestHandshakeQueue::aProvedHelloReplacesTheOneOfItsPath()
{
    HandshakeQueue queue;
    for (const int number : {1, 2}) {
        QVERIFY(addHello(queue, 1, hello(number, "cookie")));
        QVERIFY(queue.addProved(*queue.take(), {}, {}));
    }
    QCOMPARE(queue.firstProved({})->bytes, hello(2, "cookie"));
    QCOMPARE(queue.takeProved().bytes, hello(2, "cookie"));
    QVERIFY(!queue.hasProved());
}

void TestHandshakeQueue::theLightestNetworkIsFirst()
{
    Accounts<SocketAddress> networks;
    QVERIFY(networks.enter(fromElsewhere(1).peer.network(), 0));
    HandshakeQueue queue;
    for (const Path &path : {fromElsewhere(1), fromElsewhere(2), from(1)}) {
        const QByteArray bytes = hello(1, "cookie");
        QVERIFY(queue.addHello(m_socket, path, bytes, *Packet(bytes).newHello()));
        QVERIFY(queue.addProved(*queue.take(), {}, {}));
    }
    QCOMPARE(queue.firstProved(networks)->path, from(1));
    QCOMPARE(queue.takeProved().path, from(1));
    QCOMPARE(queue.firstProved(networks)->path, fromElsewhere(1));
}

void TestHandshakeQueue::aHelloThatIsRepeatedWaitsOnce()
{
    HandshakeQueue queue;
    QVERIFY(addHello(queue, 1, hello(1)));
    QVERIFY(addHello(queue, 1, hello(1)));
    QVERIFY(addHello(queue, 1, hello(1, "cookie"))); // the next of the same client
    QVERIFY(addHello(queue, 1, hello(2)));           // it began anew
    QVERIFY(addHello(queue, 2, hello(1)));           // another's
    int taken = 0;
    while (queue.take())
        ++taken;
    QCOMPARE(taken, 4);
    QVERIFY(addHello(queue, 1, hello(1)));
    QVERIFY(queue.take());
}

void TestHandshakeQueue::eachLaneHasItsBounds()
{
    HandshakeQueue byEntries(4, 1000);
    QVERIFY(addFollowUp(byEntries, 1, "x"));
    QVERIFY(addFollowUp(byEntries, 1, "x"));
    QVERIFY(!addFollowUp(byEntries, 1, "x")); // the half that one network may have
    QVERIFY(addHello(byEntries, 1, hello(1)));
    QVERIFY(byEntries.take());
    QVERIFY(addFollowUp(byEntries, 1, "x"));

    HandshakeQueue byBytes(100, 20);
    QVERIFY(addFollowUp(byBytes, 1, QByteArray(6, 'x')));
    QVERIFY(!addFollowUp(byBytes, 1, QByteArray(5, 'x')));
    QVERIFY(addFollowUp(byBytes, 1, QByteArray(4, 'x')));
    QVERIFY(!addHello(byBytes, 1, hello(1)));
}

void TestHandshakeQueue::whatCameToASocketThatGoesIsForgotten()
{
    HandshakeQueue queue;
    MemorySocket other(from(1).local.withPort(5684));
    const QByteArray bytes = hello(1);
    QVERIFY(queue.addHello(other, from(1), bytes, *Packet(bytes).newHello()));
    QVERIFY(queue.addFollowUp(other, from(1), Packet("gone")));
    QVERIFY(addFollowUp(queue, 1, "stays"));
    queue.forget(other);
    QCOMPARE(queue.take()->bytes, "stays");
    QVERIFY(!queue.take());
    QVERIFY(addHello(queue, 1, bytes)); // nothing of it is left
    QVERIFY(queue.take());
}

DTLSD_TEST(TestHandshakeQueue)
#include "tst_handshakequeue.moc"
