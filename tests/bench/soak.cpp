// SPDX-License-Identifier: Apache-2.0
//
// Usage: soak [MINUTES]
// Runs a daemon for 20 minutes, or MINUTES, under combined load: devices that send all the time,
// devices that come and go on a lossy path, and alternating floods. A line every ten seconds prints
// its usage. At the end, when all have gone, its sessions, memory and descriptors have to be as at
// the beginning, and every receipt has to have its entry. Needs root.
#include "support/CraftedHello.h"
#include "support/DaemonLog.h"
#include "support/Garbage.h"
#include "support/HonestFleet.h"
#include "support/OwnLink.h"
#include "support/PersistentDevice.h"
#include "support/ProcessUsage.h"
#include "support/Relay.h"
#include "support/SpoofedPeers.h"
#include "support/TestKey.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QTimer>

#include <cstdio>
#include <deque>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

constexpr int talkers = 5;
constexpr int visitors = 20; // at a time
constexpr int messagesOfAVisitor = 10;
constexpr int floodBatch = 64;
constexpr auto floodInterval = 10ms;
constexpr std::chrono::milliseconds turnOfAFlood = 15s;

DtlsClient::Options deviceOptions()
{
    return {.identity = "device", .key = PskKey(testKey), .ciphers = {}};
}

FaultPlan lossyPath()
{
    FaultPlan plan;
    plan.toServer = plan.toClient = {
        .drop = 0.1, .delay = 0.05, .reorder = 0.05, .duplicate = 0.05, .truncate = 0.01};
    plan.longestDelay = 300ms;
    return plan;
}

/// Devices that connect, send messages over a lossy path, and go, some without close_notify.
class Visitors
{
public:
    explicit Visitors(const SocketAddress &server)
        : m_relay(server, lossyPath())
    {
    }

    void look(bool mayCome)
    {
        std::erase_if(m_present, [this](const auto &device) { return hasLeft(*device); });
        while (mayCome && m_present.size() < visitors)
            come();
        m_relay.forgetSilent(10s);
    }

    [[nodiscard]] bool isEmpty() const { return m_present.empty(); }
    [[nodiscard]] int gone() const { return m_gone; }
    [[nodiscard]] int defeated() const { return m_defeated; }
    /// Messages with a receipt.
    [[nodiscard]] const QList<QByteArray> &acknowledged() const { return m_acknowledged; }

private:
    struct Visitor
    {
        explicit Visitor(PersistentDevice::Task task)
            : messages(task.messages)
            , device(std::move(task))
        {
        }

        QList<QByteArray> messages;
        PersistentDevice device;
    };

    void come()
    {
        QList<QByteArray> messages;
        for (int i = 0; i < messagesOfAVisitor; ++i)
            messages +=
                "visitor " + QByteArray::number(m_came) + ", message " + QByteArray::number(i);
        ++m_came;
        m_present.push_back(std::make_unique<Visitor>(PersistentDevice::Task{
            .makeLink = [] { return std::make_unique<OwnLink>(deviceOptions()); },
            .server = m_relay.address(),
            .messages = messages,
            .handshakes = 10}));
        m_present.back()->device.start();
    }

    bool hasLeft(Visitor &visitor)
    {
        if (!visitor.device.isOver())
            return false;
        m_acknowledged += visitor.messages.first(visitor.device.acknowledged());
        m_defeated += visitor.device.isDone() ? 0 : 1;
        if (++m_gone % 4 != 0)
            visitor.device.close();
        return true;
    }

    Relay m_relay;
    std::deque<std::unique_ptr<Visitor>> m_present;
    QList<QByteArray> m_acknowledged;
    int m_came = 0;
    int m_gone = 0;
    int m_defeated = 0;
};

/// Strangers that send hellos, unfinished handshakes, garbage and nothing, in turns.
class Floods
{
public:
    explicit Floods(SpoofedPeers &peers)
        : m_peers(peers)
    {
        m_since.start();
    }

    void goOn()
    {
        const auto turn = m_since.elapsed() / turnOfAFlood.count() % 4;
        for (int i = 0; i < floodBatch && turn < 3; ++i, ++m_number)
            m_peers.send(source(), turn < 2 ? CraftedHello().datagram() : m_garbage.next());
        m_peers.flush();
        m_peers.receive([this, turn](const SocketAddress &from, QByteArrayView answer) {
            const auto cookie = cookieOf(answer);
            if (turn == 1 && cookie)
                m_peers.send(from, CraftedHello{.cookie = *cookie}.datagram());
        });
        m_peers.flush();
    }

private:
    [[nodiscard]] SocketAddress source() const
    {
        return SpoofedPeers::at(m_number % 100'000, static_cast<quint16>(1024 + m_number % 60'000));
    }

    SpoofedPeers &m_peers;
    Garbage m_garbage;
    QElapsedTimer m_since;
    quint32 m_number = 0;
};

struct Holding
{
    qint64 memory = 0; // KiB
    qsizetype descriptors = 0;
    QString sessions; // from the last statistics
};

Holding holding(DaemonProcess &daemon, DaemonLog &log)
{
    const ProcessUsage usage(daemon.process().processId());
    const auto statistics = log.events(QStringLiteral("statistics"));
    const QString message = statistics.isEmpty()
                                ? QString()
                                : statistics.constLast()[QStringLiteral("message")].toString();
    return {usage.memory(), usage.descriptors(), message.section(u';', 0, 0)};
}

void print(const char *when, const Holding &now)
{
    std::printf("%-8s %6.1f MB, %lld descriptors, %s", when, static_cast<double>(now.memory) / 1024,
                static_cast<long long>(now.descriptors), qPrintable(now.sessions));
}

bool check(bool holds, const char *what)
{
    if (!holds)
        std::printf("FAILED: %s\n", what);
    return holds;
}

bool isLogged(const QList<QByteArray> &messages, DaemonLog &log)
{
    const auto &payloads = log.payloads();
    return std::all_of(messages.begin(), messages.end(),
                       [&](const QByteArray &message) { return payloads.contains(message); });
}

int soak(std::chrono::minutes length)
{
    DaemonProcess daemon("[server]\nlisten = 127.0.0.1:0\nworkers = 2\nreply = echo\n"
                         "[limits]\nmax_half_open = 200\nhandshake_timeout = 5s\n"
                         "idle_timeout = 20s\n[log]\nstatistics_interval = 1s\n"
                         "[psk]\nfile =\n[identity device]\nkey = hex:" +
                         hexKey + "\n");
    DaemonLog log(daemon);
    if (!check(log.start(), "the daemon starts"))
        return 1;
    auto peers = SpoofedPeers::against(log.address());
    if (!check(peers.ok(), "addresses can be forged; be root"))
        return 1;
    HonestFleet fleet(talkers, deviceOptions());
    if (!check(fleet.start(log.address()) && fleet.goRound(), "the devices get in"))
        return 1;
    waitUntil([&] { return !log.events(QStringLiteral("statistics")).isEmpty(); },
              QDeadlineTimer(patience));
    const Holding before = holding(daemon, log);
    print("before", before);
    std::printf("\n");

    Visitors guests(log.address());
    Floods floods(*peers.value());
    QElapsedTimer since;
    since.start();
    qint64 printed = 0;
    while (std::chrono::milliseconds(since.elapsed()) < length) {
        floods.goOn();
        guests.look(true);
        QDeadlineTimer pause(floodInterval);
        while (!pause.hasExpired())
            QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents, 1);
        if (since.elapsed() - printed < 10'000)
            continue;
        printed = since.elapsed();
        print(qPrintable(QStringLiteral("%1 s").arg(printed / 1000)), holding(daemon, log));
        std::printf("; %d visitors gone, %d of %d receipts, %lld datagrams of strangers\n",
                    guests.gone(), fleet.answered(), fleet.asked(),
                    static_cast<long long>(peers.value()->sent().datagrams));
        static_cast<void>(std::fflush(stdout));
    }
    const bool left = waitUntil(
        [&] {
            guests.look(false);
            return guests.isEmpty();
        },
        QDeadlineTimer(2min));
    const bool settled = fleet.goRound();
    const QString calm = QStringLiteral("%1 sessions open, 0 half-open").arg(talkers);
    const bool calmed =
        waitUntil([&] { return holding(daemon, log).sessions == calm; }, QDeadlineTimer(1min));
    const Holding after = holding(daemon, log);
    print("after", after);
    std::printf("\n");
    const bool answered = fleet.settle();
    const int failures = fleet.failures(); // before the daemon closes their sessions
    const int status = daemon.stop().value_or(-1);

    bool good = check(left && guests.defeated() == 0, "every visitor had its say");
    good &= check(settled && answered, "every message of an open session was answered");
    good &= check(failures == 0, "no open session ended, no receipt was wrong");
    good &= check(calmed, "sessions are what they were");
    good &= check(after.descriptors == before.descriptors, "descriptors are what they were");
    good &= check(after.memory < before.memory + qint64{32} * 1024, "memory is back, within 32 MB");
    good &= check(isLogged(fleet.messages(), log) && isLogged(guests.acknowledged(), log),
                  "what has a receipt is in the log");
    good &= check(status == 0 && log.strayLines().isEmpty(), "it stopped cleanly");
    std::printf("%d visitors, %lld receipts, %lld datagrams of strangers: %s\n", guests.gone(),
                static_cast<long long>(fleet.answered() + guests.acknowledged().size()),
                static_cast<long long>(peers.value()->sent().datagrams), good ? "good" : "bad");
    return good ? 0 : 1;
}

} // namespace

int main(int argc, char *argv[])
{
    QCoreApplication application(argc, argv);
    bool isNumber = true;
    const int minutes = argc > 1 ? QByteArray(argv[1]).toInt(&isNumber) : 20;
    if (argc > 2 || !isNumber || minutes < 1) {
        static_cast<void>(std::fprintf(stderr, "Usage: soak [MINUTES]\n"));
        return 64;
    }
    return soak(std::chrono::minutes(minutes));
}
