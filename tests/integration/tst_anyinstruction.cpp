// SPDX-License-Identifier: Apache-2.0
//
// A process may be killed after any instruction. A child does one thing with a kept session, step
// by step (ptrace(2)); whenever its store has changed, the parent keeps a copy, and later gives
// each copy to a next process: it must not seal under a number that a record has left with, nor
// take a record whose plaintext was delivered, and the session must be there unless the child has
// ended it.
#include "support/KeyedDevice.h"
#include "support/MemoryNetwork.h"
#include "support/MemorySocket.h"
#include "support/StoreCopy.h"
#include "support/TestSettings.h"

#include <QTest>
#include <QtEndian>

#include <csignal>
#include <cstring>
#include <functional>

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

const QByteArray deviceId = QByteArray::fromHex("0a0b0c0d");

ServerSettings settings()
{
    return everySuiteReplying(QStringLiteral("ACK {sequence}"));
}

SocketAddress at(int network)
{
    return {QHostAddress(0x0a000001U + (static_cast<quint32>(network) << 8)), 5683};
}

/// What the child has done so far, in memory that both see.
struct Done
{
    std::uint64_t left = 0;      ///< 1 + the highest number of a sealed record that has left
    std::uint64_t delivered = 0; ///< datagrams whose plaintext the log has
    bool hasEnded = false;       ///< the session's close_notify, or its entry
};

/// A new one; the process ends before it has to be unmapped.
Done &newShared()
{
    void *const pages =
        mmap(nullptr, sizeof(Done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return *new (pages) Done();
}

std::uint64_t numberOf(const QByteArray &datagram)
{
    std::uint64_t next = 0;
    RecordReader reader(datagram);
    while (const auto record = reader.next())
        next = record->epoch == 1 ? record->sequence + 1 : next;
    if (datagram.startsWith('\x19')) // with the device's ID, which has another length than ours
        next = (qFromBigEndian<quint64>(datagram.constData() + 3) & 0xffff'ffff'ffffU) + 1;
    return next;
}

/// A store as it was for a while, and what had been done at the end of that.
struct Moment
{
    QByteArray store;
    Done done;
};

/// Runs @p act in a child, and returns all that its store @p memfd was.
std::vector<Moment> momentsOf(int memfd, const Done &done, const std::function<void()> &act)
{
    const pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        std::raise(SIGSTOP);
        act();
        _exit(0);
    }
    std::vector<Moment> moments;
    int status = 0;
    const auto hasStopped = [&] {
        return waitpid(child, &status, 0) == child && WIFSTOPPED(status);
    };
    const QByteArray first = bytesOf(memfd);
    void *const mapped =
        mmap(nullptr, static_cast<std::size_t>(first.size()), PROT_READ, MAP_SHARED, memfd, 0);
    moments.push_back({first, done});
    while (hasStopped()) {
        const bool isSame = std::memcmp(mapped, moments.back().store.constData(),
                                        static_cast<std::size_t>(first.size())) == 0;
        if (!isSame)
            moments.push_back({bytesOf(memfd), done});
        moments.back().done = done;
        if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0)
            break;
    }
    munmap(mapped, static_cast<std::size_t>(first.size()));
    kill(child, SIGKILL);
    static_cast<void>(waitpid(child, &status, 0));
    moments.back().done = done;
    return moments;
}

} // namespace

class TestAnyInstruction : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void theNextProcessIsSafe_data();
    void theNextProcessIsSafe();
};

void TestAnyInstruction::initTestCase()
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    QSKIP("a sanitizer's child cannot be traced; the same code is traced without it");
#endif
}

void TestAnyInstruction::theNextProcessIsSafe_data()
{
    QTest::addColumn<bool>("hasId");
    QTest::addColumn<QString>("what");
    QTest::newRow("a message") << false << QStringLiteral("a message");
    QTest::newRow("a last flight") << false << QStringLiteral("a last flight");
    QTest::newRow("a Finished again") << true << QStringLiteral("a Finished again");
    QTest::newRow("close_notify") << false << QStringLiteral("close_notify");
    QTest::newRow("an operator's close") << true << QStringLiteral("an operator's close");
    QTest::newRow("a move") << true << QStringLiteral("a move");
}

void TestAnyInstruction::theNextProcessIsSafe()
{
    QFETCH(bool, hasId);
    QFETCH(QString, what);
    MemoryNetwork network(settings());
    network.keepSessions(2);
    KeyedClient::Options options;
    if (hasId)
        options.connectionId = deviceId;
    KeyedDevice device(network, at(1), options);
    std::vector<QByteArray> arriving;
    if (what == u"a last flight") {
        arriving = device.connectUpToLastFlight();
    } else {
        QVERIFY(device.connect());
        device.send(device.seal("before"));
    }
    SocketAddress from = device.address();
    if (what == u"a message" || what == u"a move")
        arriving = {device.seal("a message"), device.seal("another")};
    if (what == u"a move")
        from = at(2);
    if (what == u"a Finished again")
        arriving = {device.seal(ContentType::Handshake, device.ownFinished())};
    if (what == u"close_notify")
        arriving = {device.seal(ContentType::Alert, QByteArray("\x01\x00", 2))};

    Done &done = newShared();
    done.delivered = network.datagrams.size();
    for (const QByteArray &datagram : device.heard)
        done.left = std::max(done.left, numberOf(datagram));
    network.serverSocket->onSend = [&](std::span<const OutgoingDatagram> batch) {
        for (const OutgoingDatagram &datagram : batch)
            done.left = std::max(done.left, numberOf(datagram.bytes));
    };
    QObject::connect(network.server.get(), &DtlsServer::datagramReceived, network.server.get(),
                     [&] { ++done.delivered; });
    QObject::connect(network.server.get(), &DtlsServer::infoMessage, network.server.get(),
                     [&](const ServerEvent &event) {
                         if (std::holds_alternative<SessionClosed>(event))
                             done.hasEnded = true;
                     });
    const auto moments = momentsOf(network.stores.at(0)->descriptor(), done, [&] {
        for (const QByteArray &datagram : arriving)
            network.arrive(from, datagram);
        if (what == u"an operator's close")
            network.server->closeSessions([](const SessionInfo &) { return true; }, {});
    });
    QVERIFY2(moments.size() > 1, "the store never changed");
    qInfo("%zu states", moments.size());
    const std::size_t delivered = network.datagrams.size();
    bool wasThere = what != u"a last flight";
    for (const Moment &moment : moments) {
        std::vector<std::unique_ptr<SessionStore>> stores;
        stores.push_back(std::move(SessionStore::open(memfdOf(moment.store))).value());
        const Takeover::Count count = network.restartWith(std::move(stores), settings());
        QCOMPARE(count.damaged + count.homeless + count.ended, 0);
        if (moment.done.left > 0 && !moment.done.hasEnded && what != u"close_notify" &&
            what != u"an operator's close")
            QCOMPARE(count.taken, 1); // our Finished has left, and nothing has ended it
        wasThere = wasThere || count.taken == 1;
        // What was delivered is not taken again, and what is sealed has a new number.
        for (const QByteArray &datagram : arriving)
            network.arrive(from, datagram);
        const std::size_t again = network.datagrams.size() - delivered;
        const std::size_t news = moment.done.delivered - delivered;
        if (what == u"a message" || what == u"a move")
            QVERIFY(again + news <= arriving.size());
        network.arrive(from, device.seal("a new message"));
        for (const OutgoingDatagram &sent : network.serverSocket->takeSent())
            QVERIFY(numberOf(sent.bytes) == 0 || numberOf(sent.bytes) > moment.done.left);
        network.datagrams.resize(delivered);
    }
    QVERIFY(wasThere);
}

QTEST_GUILESS_MAIN(TestAnyInstruction)
#include "tst_anyinstruction.moc"
