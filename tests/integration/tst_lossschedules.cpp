// SPDX-License-Identifier: Apache-2.0
//
// Devices behind paths that are bad at random, each from a seed of its own, all at once. They
// repeat themselves until every message has its receipt, and then the log has to agree with them.
// `DTLSD_LOSS_SEED=17` runs one of them alone, and tells what its relay did.
#include "support/DaemonProcess.h"
#include "support/DescriptorLimit.h"
#include "support/KeyedLink.h"
#include "support/OwnLink.h"
#include "support/PersistentDevice.h"
#include "support/Relay.h"
#include "support/TestKey.h"
#include "support/TestProgram.h"

#include <QElapsedTimer>
#include <QHash>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int schedules = 100;
#else
constexpr int schedules = 500;
#endif
constexpr int messagesEach = 5;
constexpr int handshakesEach = 8; // of 10 s at most
constexpr auto timeForAll = 200s;

/// Up to 30 % of the datagrams are lost, whole or in part, and more come late, twice or in
/// disorder.
FaultRates ratesBy(std::mt19937_64 &engine)
{
    const auto upTo = [&](double limit) {
        return limit * std::generate_canonical<double, 53>(engine);
    };
    const double lost = upTo(0.3);
    const double cut = upTo(lost);
    return {.drop = lost - cut,
            .delay = upTo(0.15),
            .reorder = upTo(0.15),
            .duplicate = upTo(0.2),
            .truncate = cut};
}

FaultPlan planBy(std::uint64_t seed)
{
    std::mt19937_64 engine(seed);
    FaultPlan plan{.toServer = ratesBy(engine), .toClient = ratesBy(engine)};
    plan.splitRecords = engine() % 2 == 0;
    plan.seed = seed * 1000; // far from the next: each handshake of a device is a client
    return plan;
}

/// Every other device asks for connection IDs, as long as ours, so that the relay can read them.
std::unique_ptr<DeviceLink> makeLink(std::uint64_t number)
{
    if (number % 2 == 0)
        return std::make_unique<OwnLink>(
            DtlsClient::Options{.identity = "fleet", .key = PskKey(testKey), .ciphers = {}});
    return std::make_unique<KeyedLink>(KeyedClient::Options{
        .identity = "fleet", .key = testKey, .connectionId = QByteArray(ConnectionId::size, 'c')});
}

/// A device and its path.
struct Schedule
{
    std::uint64_t seed;
    QList<QByteArray> messages;
    Relay relay;
    PersistentDevice device;

    Schedule(std::uint64_t number, const SocketAddress &server)
        : seed(number)
        , messages(numberedMessages(number))
        , relay(server, planBy(number))
        , device({.makeLink = [number] { return makeLink(number); },
                  .server = relay.address(),
                  .messages = messages,
                  .handshakes = handshakesEach})
    {
    }

    static QList<QByteArray> numberedMessages(std::uint64_t number)
    {
        QList<QByteArray> result;
        for (int i = 1; i <= messagesEach; ++i)
            result << "message " + QByteArray::number(i) + " of " + QByteArray::number(number);
        return result;
    }
};

std::vector<std::uint64_t> chosenSeeds()
{
    if (qEnvironmentVariableIsSet("DTLSD_LOSS_SEED"))
        return {qEnvironmentVariable("DTLSD_LOSS_SEED").toULongLong()};
    std::vector<std::uint64_t> seeds(schedules);
    std::iota(seeds.begin(), seeds.end(), std::uint64_t{1});
    return seeds;
}

} // namespace

class TestLossSchedules : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void everyMessageIsAcknowledgedInTheEnd();
    void theLogHasWhatWasAcknowledgedAndNothingElse();
    void noSessionDiedOfABadPath();
    void everyFaultCameAbout();

private:
    void say(const Schedule &schedule) const;

    std::unique_ptr<DaemonProcess> m_daemon;
    std::vector<std::unique_ptr<Schedule>> m_schedules;
};

void TestLossSchedules::initTestCase()
{
    const std::vector<std::uint64_t> seeds = chosenSeeds();
    if (raiseDescriptorLimit() <
        seeds.size() * 12 + 100) // the relay's links of earlier handshakes stay
        QSKIP("not enough file descriptors for the devices and their relays");
    m_daemon = std::make_unique<DaemonProcess>(
        "[server]\nlisten = 127.0.0.1:0\nworkers = 2\nreply = echo\n"
        "[limits]\nmax_half_open = 10000\n"
        "[psk]\nfile =\n[identity fleet]\nkey = hex:" +
        hexKey + "\n");
    QVERIFY2(m_daemon->start(), qPrintable(m_daemon->errorText()));
    const SocketAddress server = m_daemon->addresses().constFirst();

    QElapsedTimer timer;
    timer.start();
    for (const std::uint64_t seed : seeds) {
        m_schedules.push_back(std::make_unique<Schedule>(seed, server));
        m_schedules.back()->device.start();
    }
    const auto isOver = [](const auto &schedule) { return schedule->device.isOver(); };
    waitUntil([&] { return std::all_of(m_schedules.begin(), m_schedules.end(), isOver); },
              QDeadlineTimer(timeForAll));
    qInfo("%zu schedules in %lld ms", seeds.size(), static_cast<long long>(timer.elapsed()));
    for (const auto &schedule : m_schedules)
        schedule->device.close();
    QCOMPARE(m_daemon->stop(), 0);
}

void TestLossSchedules::say(const Schedule &schedule) const
{
    qWarning("DTLSD_LOSS_SEED=%llu: %d handshakes, %lld messages acknowledged\n%s%s",
             static_cast<unsigned long long>(schedule.seed), schedule.device.handshakesBegun(),
             static_cast<long long>(schedule.device.acknowledged()),
             qPrintable(schedule.device.endings().join(u'\n') + u'\n'),
             qPrintable(schedule.relay.log().text()));
}

void TestLossSchedules::everyMessageIsAcknowledgedInTheEnd()
{
    int handshakes = 0;
    int devicesThatBeganAnew = 0;
    int undone = 0;
    for (const auto &schedule : m_schedules) {
        handshakes += schedule->device.handshakesBegun();
        devicesThatBeganAnew += schedule->device.handshakesBegun() > 1 ? 1 : 0;
        undone += schedule->device.isDone() ? 0 : 1;
        if (!schedule->device.isDone() || m_schedules.size() == 1)
            say(*schedule);
    }
    qInfo("%d handshakes for %zu devices, %d of which needed a second attempt", handshakes,
          m_schedules.size(), devicesThatBeganAnew);
    QCOMPARE(undone, 0);
}

void TestLossSchedules::theLogHasWhatWasAcknowledgedAndNothingElse()
{
    QHash<QByteArray, int> entries;
    for (const QJsonObject &event : m_daemon->events(QStringLiteral("datagram-received")))
        ++entries[event[QStringLiteral("payload")].toString().toUtf8()];
    for (const auto &schedule : m_schedules) {
        for (qsizetype i = 0; i < messagesEach; ++i) {
            // Fewer than it was sent, by loss; but a copy that the path made is no message.
            const int count = entries.take(schedule->messages[i]);
            const bool acknowledged = i < schedule->device.acknowledged();
            if (count >= (acknowledged ? 1 : 0) && count <= schedule->device.timesSent(i))
                continue;
            say(*schedule);
            QFAIL(qPrintable(QStringLiteral("%1 entries of '%2', which was sent %3 times")
                                 .arg(count)
                                 .arg(QString::fromUtf8(schedule->messages[i]))
                                 .arg(schedule->device.timesSent(i))));
        }
    }
    QVERIFY2(entries.isEmpty(), entries.isEmpty() ? "" : entries.keys().constFirst().constData());
}

void TestLossSchedules::noSessionDiedOfABadPath()
{
    const auto opened = m_daemon->events(QStringLiteral("session-opened"));
    const auto closed = m_daemon->events(QStringLiteral("session-closed"));
    QVERIFY(opened.size() >= static_cast<qsizetype>(m_schedules.size()));
    QCOMPARE(closed.size(), opened.size());
    for (const QJsonObject &event : closed) {
        const QString reason = event[QStringLiteral("reason")].toString();
        QVERIFY2(reason == u"close-notify" || reason == u"shutdown", qPrintable(reason));
    }
    for (const QJsonObject &event : m_daemon->events(QStringLiteral("handshake-failed"))) {
        const QString reason = event[QStringLiteral("reason")].toString();
        // OpenSSL's client ends a handshake itself on a flight that was cut.
        QVERIFY2(reason == u"timeout" || reason == u"wrong-key-or-loss" || reason == u"alert",
                 qPrintable(reason));
    }
}

void TestLossSchedules::everyFaultCameAbout()
{
    if (m_schedules.size() == 1)
        QSKIP("one schedule alone need not meet every fault");
    for (const Fault fault :
         {Fault::Drop, Fault::Delay, Fault::Reorder, Fault::Duplicate, Fault::Truncate}) {
        int count = 0;
        for (const auto &schedule : m_schedules)
            count += schedule->relay.log().count(fault);
        qInfo("%d datagrams %s", count, qPrintable(nameOf(fault)));
        QVERIFY2(count > 0, qPrintable(nameOf(fault)));
    }
}

DTLSD_TEST(TestLossSchedules)
#include "tst_lossschedules.moc"
