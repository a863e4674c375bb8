// SPDX-License-Identifier: Apache-2.0
#include "net/OverflowWatch.h"
#include "support/TestProgram.h"

#include <QUdpSocket>

#include <sys/socket.h>

using namespace dtlsd;

class TestOverflowWatch : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatTheKernelDropsIsHeardOfThoughTrafficStops();
};

void TestOverflowWatch::whatTheKernelDropsIsHeardOfThoughTrafficStops()
{
    OverflowWatch::Sockets sockets;
    sockets.push_back(DatagramSocket::bind(SocketAddress::parse(u"127.0.0.1:0").value(),
                                           {.receiveBuffer = 16 * 1024})
                          .value());
    std::uint64_t dropped = 0;
    OverflowWatch watch(sockets, [&](std::uint64_t count, auto) { dropped += count; });
    const OverflowWatch::Clock::time_point begin{std::chrono::hours(1)};
    const auto never = OverflowWatch::Clock::time_point::max();
    QCOMPARE(watch.due(), never);
    watch.noteReceived(false, begin); // the first time it asks, and hears of nothing
    QCOMPARE(watch.due(), never);
    QUdpSocket peer;
    for (int i = 0; i < 500; ++i)
        peer.writeDatagram(QByteArray(100, 'x'), QHostAddress::LocalHost,
                           sockets[0]->localAddress().port());

    watch.noteReceived(false, begin + std::chrono::milliseconds(1));
    QCOMPARE(dropped, 0U);
    QCOMPARE(watch.due(), begin + OverflowWatch::interval);
    watch.check(begin + std::chrono::milliseconds(2));
    QCOMPARE(dropped, 0U);
    watch.check(watch.due());
    const std::uint64_t first = dropped;
    QVERIFY(first > 0);
    QCOMPARE(watch.due(), never);

    for (int i = 0; i < 10; ++i)
        peer.writeDatagram(QByteArray(100, 'x'), QHostAddress::LocalHost,
                           sockets[0]->localAddress().port());
    watch.noteReceived(true, begin + OverflowWatch::interval); // at once
    QCOMPARE(dropped, first + 10);
}

DTLSD_TEST(TestOverflowWatch)
#include "tst_overflowwatch.moc"
