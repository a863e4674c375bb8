// SPDX-License-Identifier: Apache-2.0
//
// Devices with connection IDs that move among the sockets of a WorkerPool: their records come to
// the worker that has their session, by the kernel or from worker to worker.
#include "app/WorkerPool.h"
#include "support/KeyedLink.h"
#include "support/PassedSockets.h"
#include "support/PoolStage.h"
#include "support/TestProgram.h"

#include <QTest>

#include <algorithm>
#include <memory>
#include <vector>

#include <sys/socket.h>

using namespace dtlsd;
using namespace dtlsd::test;

class TestHandOver : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void devicesThatMoveKeepTheirSessions_data();
    void devicesThatMoveKeepTheirSessions();
};

void TestHandOver::devicesThatMoveKeepTheirSessions_data()
{
    QTest::addColumn<QByteArray>("letters");
    QTest::addColumn<bool>("isLocked");
    QTest::newRow("steered by the kernel") << QByteArray("aaaabbbb") << false;
    QTest::newRow("handed over") << QByteArray("aaaabbbb") << true;
    QTest::newRow("handed over, and sent through others' sockets") << QByteArray("aabb") << false;
}

void TestHandOver::devicesThatMoveKeepTheirSessions()
{
    QFETCH(QByteArray, letters);
    QFETCH(bool, isLocked);
    const std::vector<int> passed = socketsAt(letters);
    const int on = 1;
    for (std::size_t i = 0; isLocked && i < passed.size(); ++i)
        QCOMPARE(setsockopt(passed[i], SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on), 0);
    PoolStage stage(QByteArray(plain).replace("workers = 2\n", "workers = 4\nreply = echo\n"),
                    passed);
    QCOMPARE(stage.pool.listeners().isSteered(), !isLocked && letters.size() == 8);
    const QList<SocketAddress> servers = stage.pool.listeners().addresses();
    QCOMPARE(servers.size(), 2);

    constexpr int count = 8;
    constexpr int moves = 20;
    std::vector<std::unique_ptr<KeyedLink>> devices;
    std::vector<QByteArray> heard(count);
    int connected = 0;
    for (std::size_t i = 0; i < count; ++i) {
        KeyedLink &device = *devices.emplace_back(std::make_unique<KeyedLink>(KeyedClient::Options{
            .identity = "dev", .key = "AAAAAAAAAAAAAAAA", .connectionId = QByteArray("me")}));
        connect(&device, &KeyedLink::connected, this, [&] { ++connected; });
        connect(&device, &KeyedLink::received, this,
                [&heard, i](const QByteArray &reply) { heard[i] = reply; });
        device.start(servers[0]);
    }
    QTRY_COMPARE(connected, count);
    for (int move = 0; move < moves; ++move) {
        const QByteArray message = "place " + QByteArray::number(move);
        for (const auto &device : devices) {
            device->moveTo(servers[move % 2]);
            device->send(message);
        }
        QTRY_VERIFY2(std::ranges::count(heard, message) == count, message.constData());
    }
    std::uint64_t opened = 0;
    std::uint64_t received = 0;
    Listener listener;
    stage.pool.states([&](const Result<std::vector<WorkerState>> &states) {
        for (const WorkerState &state : states.value()) {
            opened += state.statistics.sessionsOpened;
            received += state.statistics.received.datagrams;
        }
        listener.heard += QStringLiteral("states");
    });
    QVERIFY(listener.waitFor(1));
    QCOMPARE(opened, std::uint64_t{count});
    QCOMPARE(received, std::uint64_t{count} * moves);
}

DTLSD_TEST(TestHandOver)
#include "tst_handover.moc"
