// SPDX-License-Identifier: Apache-2.0
//
// dtlsd under a service manager that keeps descriptors: restarted, killed, stopped, with another
// configuration or another number of workers, while devices talk. `DTLSD_RESTART_ROUNDS=200` takes
// more seeds than ctest does, `DTLSD_RESTART_SEED=17` one alone.
#include "KeptStore.h"
#include "RestartStage.h"

#include "support/ControlPeer.h"
#include "support/JsonFields.h"
#include "support/KeyedLink.h"
#include "support/PassedSockets.h"
#include "support/ProcessUsage.h"
#include "support/TestProgram.h"

#include <QFile>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <random>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace dtlsd::test::keptstore;
using namespace std::chrono_literals;

namespace {

/// Nothing in a list of complaints.
#define VERIFY_NONE(complaints)                                                                    \
    do {                                                                                           \
        const QStringList found = (complaints);                                                    \
        QVERIFY2(found.isEmpty(), qPrintable(found.mid(0, 20).join(u'\n')));                       \
    } while (false)

/// Devices go on meanwhile.
void pass(std::chrono::milliseconds time)
{
    waitUntil([] { return false; }, QDeadlineTimer(time));
}

std::chrono::milliseconds upTo(std::chrono::milliseconds limit, std::mt19937_64 &random)
{
    return std::chrono::milliseconds(random() % static_cast<unsigned>(limit.count()));
}

void addSeeds(quint64 usual)
{
    QTest::addColumn<quint64>("seed");
    const auto add = [](quint64 seed) {
        QTest::addRow("of seed %llu", static_cast<unsigned long long>(seed)) << seed;
    };
    if (qEnvironmentVariableIsSet("DTLSD_RESTART_SEED")) {
        add(qEnvironmentVariable("DTLSD_RESTART_SEED").toULongLong());
        return;
    }
    const quint64 rounds =
        qEnvironmentVariable("DTLSD_RESTART_ROUNDS", QString::number(usual)).toULongLong();
    for (quint64 seed = 1; seed <= rounds; ++seed)
        add(seed);
}

/// How a process ends.
struct Ending
{
    QByteArray name;
    int signal = 0; ///< 0: by a command

    [[nodiscard]] bool happensTo(ServiceManager &manager) const
    {
        return signal == 0 ? manager.endByRestart() : manager.end(signal);
    }
};

const std::vector<Ending> endings{
    {"a restart by command", 0}, {"SIGKILL", SIGKILL}, {"SIGSEGV", SIGSEGV}, {"SIGABRT", SIGABRT}};

/// A socket that hears of it when nobody listens at @p server (ICMP).
class Probe
{
public:
    explicit Probe(const SocketAddress &server)
    {
        sockaddr_storage at{};
        const socklen_t length = server.toSockaddr(at, AF_INET);
        if (connect(m_descriptor, reinterpret_cast<const sockaddr *>(&at), length) != 0)
            qFatal("a probe cannot connect");
    }
    Probe(const Probe &) = delete;
    Probe &operator=(const Probe &) = delete;
    ~Probe() { close(m_descriptor); }

    /// On loopback the answer comes before send(2) returns.
    [[nodiscard]] bool isRefused() const
    {
        char byte = 0;
        send(m_descriptor, &byte, 1, 0);
        return recv(m_descriptor, &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNREFUSED;
    }

private:
    int m_descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

/// SIGKILL, mostly in the middle of something.
bool killed(ServiceManager &manager, std::mt19937_64 &random)
{
    const auto moment = std::chrono::microseconds(random() % 3000);
    switch (random() % 3) {
    case 0:
        pass(upTo(100ms, random));
        return manager.end(SIGKILL);
    case 1: { // while it leaves its sessions
        const ControlPeer peer(manager.daemon().controlSocket());
        peer.send("{\"command\":\"restart\"}\n");
        return manager.endAtWork(0ms, moment);
    }
    default: // with many datagrams
        return manager.endAtWork(20ms, moment);
    }
}

QSet<QByteArray> sentBy(const RestartStage &stage)
{
    QSet<QByteArray> all;
    for (const auto &device : stage.devices())
        all += device->sent();
    return all;
}

/// Waits until every device has sent one more datagram than now, and returns these.
QSet<QByteArray> sentFromNowOn(const RestartStage &stage)
{
    const QSet<QByteArray> before = sentBy(stage);
    std::vector<qsizetype> counts;
    for (const auto &device : stage.devices())
        counts.push_back(device->sent().size());
    const auto allHaveSent = [&] {
        for (std::size_t i = 0; i < counts.size(); ++i) {
            if (stage.devices()[i]->sent().size() == counts[i])
                return false;
        }
        return true;
    };
    if (!waitUntil(allHaveSent, QDeadlineTimer(patience)))
        qFatal("a device is silent");
    return sentBy(stage) - before;
}

QStringList of(DaemonProcess &daemon, const char *event, const char *field)
{
    QStringList values;
    for (const QJsonObject &one : daemon.events(QLatin1String(event)))
        values << text(one, field);
    return values;
}

} // namespace

class TestRestarts : public QObject
{
    Q_OBJECT

public:
    TestRestarts()
    {
        if (qEnvironmentVariableIsSet("DTLSD_RESTART_ROUNDS"))
            qputenv("QTEST_FUNCTION_TIMEOUT", "36000000"); // as many as somebody asks for
    }

private Q_SLOTS:
    void initTestCase();
    void whatIsKeptIsNamedSealedAndWaitedFor();
    void sessionsOutliveTheirProcess_data();
    void sessionsOutliveTheirProcess();
    void socketsOfASocketUnitDoToo();
    void aStopSaysGoodbye();
    void aStopReleasesTheStore();
    void killedAtAnyMoment_data();
    void killedAtAnyMoment();
    void whatWasRecordedIsAcceptedNoMore();
    void workersComeAndGo_data();
    void workersComeAndGo();
    void aTakeoverIsKilled_data();
    void aTakeoverIsKilled();
    void theConfigurationInForceIsAsked_data();
    void theConfigurationInForceIsAsked();
    void aKeyThatIsRotatedStays();
    void aStoreIsTooSmall_data();
    void aStoreIsTooSmall();
    void theLastFlightIsLostWithItsProcess_data();
    void theLastFlightIsLostWithItsProcess();
    void oneProcessAtATimeHasASession();
};

void TestRestarts::initTestCase()
{
    const rlimit none{0, 0}; // dtlsd is to crash
    QCOMPARE(setrlimit(RLIMIT_CORE, &none), 0);
}

void TestRestarts::whatIsKeptIsNamedSealedAndWaitedFor()
{
    RestartStage stage({});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    ManagerStore &store = stage.manager().store();
    QCOMPARE(store.stored(keptSockets).size(), 2U);
    QVERIFY(!store.stored(keptSessions).empty());
    QCOMPARE(store.stored(keptSockets).size() + store.stored(keptSessions).size(),
             store.stored().size());

    // The order of systemd: what is kept before READY=1 is waited for, and then taken for kept.
    qsizetype stored = -1;
    qsizetype waited = -1;
    qsizetype ready = -1;
    qsizetype number = 0;
    for (const ManagerStore::Message &message : store.messages()) {
        if (message.says("FDSTORE=1")) {
            QVERIFY(message.says("FDPOLL=0")); // an ICMP error must not end the keeping of a socket
            stored = ready < 0 ? number : stored;
        }
        if (message.says("BARRIER=1"))
            waited = ready < 0 ? number : waited;
        if (message.says("READY=1") && ready < 0)
            ready = number;
        ++number;
    }
    QVERIFY(stored >= 0 && waited > stored && ready > waited);

    for (const PassedDescriptor &one : store.stored(keptSessions)) {
        const int seals = fcntl(one.descriptor, F_GET_SEALS);
        constexpr int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
        QCOMPARE(seals & wanted, wanted);
    }
    const std::size_t kept = store.stored().size();
    for (int process = 0; process < 3; ++process) {
        // No mapping of them goes into a core dump.
        QFile maps(QStringLiteral("/proc/%1/smaps").arg(stage.daemon().process().processId()));
        QVERIFY(maps.open(QIODevice::ReadOnly));
        bool isMemory = false;
        int mappings = 0;
        for (const QByteArray &line : maps.readAll().split('\n')) {
            if (line.contains('-') && !line.startsWith("Vm"))
                isMemory = line.contains("/memfd:");
            if (isMemory && line.startsWith("VmFlags:")) {
                ++mappings;
                QVERIFY2((line + ' ').contains(" dd "), line.constData());
            }
        }
        QVERIFY(mappings > 0);
        const qsizetype descriptors =
            ProcessUsage(stage.daemon().process().processId()).descriptors();
        QVERIFY2(process % 2 == 0 ? stage.restart() : stage.endAndStart(SIGKILL),
                 qPrintable(stage.trouble()));
        QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
        // Nothing is kept twice, and nothing is left open.
        QCOMPARE(store.stored().size(), kept);
        QVERIFY(ProcessUsage(stage.daemon().process().processId()).descriptors() <= descriptors);
    }
    QCOMPARE(stage.manager().stop(), 0);
}

void TestRestarts::sessionsOutliveTheirProcess_data()
{
    QTest::addColumn<int>("ending");
    for (std::size_t i = 0; i < endings.size(); ++i)
        QTest::newRow(endings[i].name.constData()) << static_cast<int>(i);
}

void TestRestarts::sessionsOutliveTheirProcess()
{
    QFETCH(int, ending);
    const Ending &end = endings[static_cast<std::size_t>(ending)];
    RestartStage stage({});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    const auto sessions = stage.openSessions();
    QCOMPARE(sessions.size(), std::ssize(stage.devices()));
    const Probe probe(stage.server());
    QSet<QByteArray> sentMeanwhile;
    for (int time = 0; time < 3; ++time) {
        QVERIFY2(end.happensTo(stage.manager()), qPrintable(stage.trouble()));
        QVERIFY(!probe.isRefused());
        sentMeanwhile += sentFromNowOn(stage);
        QVERIFY2(stage.manager().start(), qPrintable(stage.trouble()));
        QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
        QCOMPARE(stage.openSessions(), sessions);
    }
    QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
    VERIFY_NONE(stage.breaches(end.signal == 0 ? RestartStage::Sequences::HaveNoGap
                                               : RestartStage::Sequences::Increase));
    VERIFY_NONE(stage.comebacks());
    const QList<QByteArray> logged = stage.loggedPayloads();
    sentMeanwhile -= QSet<QByteArray>(logged.begin(), logged.end());
    QVERIFY2(sentMeanwhile.isEmpty(), sentMeanwhile.values().join('\n').constData());
    QVERIFY(stage.daemon().events(QStringLiteral("sessions-lost")).isEmpty());
    QVERIFY(stage.servesNewcomers());

    QCOMPARE(stage.manager().stop(), 0);
    for (const auto &device : stage.devices())
        QTRY_COMPARE(device->endings(), QStringList{KeyedLink::closeNotify});
    VERIFY_NONE(stage.repeatedNonces());
}

void TestRestarts::socketsOfASocketUnitDoToo()
{
    std::vector<PassedDescriptor> sockets;
    for (const int descriptor : socketsAt("aa"))
        sockets.push_back({descriptor, "dtlsd.socket"});
    {
        RestartStage stage({.manager = {.sockets = sockets}});
        QVERIFY2(stage.start(), qPrintable(stage.trouble()));
        const auto sessions = stage.openSessions();
        QVERIFY(stage.manager().store().stored(keptSockets).empty()); // systemd has them
        QVERIFY(!stage.manager().store().stored(keptSessions).empty());
        for (const int signal : {SIGKILL, 0}) {
            QVERIFY2(signal ? stage.endAndStart(signal) : stage.restart(),
                     qPrintable(stage.trouble()));
            QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
            QCOMPARE(stage.openSessions(), sessions);
        }
        QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
        VERIFY_NONE(stage.breaches());
        VERIFY_NONE(stage.comebacks());
        QCOMPARE(stage.manager().stop(), 0);
    }
    for (const PassedDescriptor &one : sockets)
        close(one.descriptor);
}

void TestRestarts::aStopSaysGoodbye()
{
    RestartStage stage({});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    std::vector<int> memories;
    const auto used = [](const QByteArray &content) {
        return content.size() - content.count('\0');
    };
    for (const PassedDescriptor &one : stage.manager().store().stored(keptSessions)) {
        memories.push_back(fcntl(one.descriptor, F_DUPFD_CLOEXEC, 3));
        QVERIFY(used(contentOf(memories.back())) > 0);
    }
    QVERIFY(stage.manager().end(SIGTERM)); // and a manager that forgets to release the store
    QCOMPARE(stage.daemon().process().exitStatus(), QProcess::NormalExit);
    QCOMPARE(stage.daemon().process().exitCode(), 0);
    for (const auto &device : stage.devices())
        QTRY_COMPARE(device->endings(), QStringList{KeyedLink::closeNotify});
    QCOMPARE(of(stage.daemon(), "session-closed", "reason").count(QStringLiteral("shutdown")),
             std::ssize(stage.devices()));
    QVERIFY(stage.manager().store().stored(keptSessions).empty());
    for (const int memory : memories) {
        QVERIFY(used(contentOf(memory)) < 256); // no keys are left in it
        close(memory);
    }

    QVERIFY2(stage.manager().start(), qPrintable(stage.trouble()));
    QVERIFY(stage.openSessions().isEmpty());
    QVERIFY(stage.servesNewcomers());
    VERIFY_NONE(stage.breaches());
    QCOMPARE(stage.manager().stop(), 0);
}

void TestRestarts::aStopReleasesTheStore()
{
    RestartStage stage({.handshakes = 2});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    QCOMPARE(stage.manager().stop(), 0);
    QVERIFY2(stage.manager().start(), qPrintable(stage.trouble()));
    QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
    QVERIFY(stage.daemon().events(QStringLiteral("sessions-lost")).isEmpty());
    for (const auto &device : stage.devices())
        QCOMPARE(device->endings(), QStringList{KeyedLink::closeNotify});
    VERIFY_NONE(stage.breaches());
    QCOMPARE(stage.manager().stop(), 0);
}

void TestRestarts::killedAtAnyMoment_data()
{
    addSeeds(10);
}

void TestRestarts::killedAtAnyMoment()
{
    QFETCH(quint64, seed);
    std::mt19937_64 random(seed);
    RestartStage stage({.withIds = 12,
                        .withoutIds = 12,
                        .faults = {.drop = 0.05, .delay = 0.05, .reorder = 0.05, .duplicate = 0.05},
                        .seed = seed,
                        .pause = 0ms});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    stage.letComeAndGo(4);
    for (int kills = 0; kills < 4; ++kills) {
        pass(upTo(200ms, random));
        if (random() % 2 == 0)
            stage.move();
        QVERIFY(killed(stage.manager(), random));
        pass(upTo(100ms, random));
        if (random() % 3 == 0) { // before it is ready, or not
            QVERIFY(stage.manager().launch());
            pass(upTo(100ms, random));
            QVERIFY(stage.manager().end(SIGKILL));
        }
        QVERIFY2(stage.manager().start(), qPrintable(stage.trouble()));
    }
    QVERIFY2(stage.goRound({}, QDeadlineTimer(60s)), qPrintable(stage.trouble()));
    stage.replay();
    QVERIFY2(stage.goRound({}, QDeadlineTimer(60s)), qPrintable(stage.trouble()));
    QVERIFY2(stage.settle(QDeadlineTimer(60s)), qPrintable(stage.trouble()));
    VERIFY_NONE(stage.breaches());
    VERIFY_NONE(stage.comebacks());
    VERIFY_NONE(of(stage.daemon(), "sessions-lost", "message"));
    QCOMPARE(stage.manager().stop(), 0);
    VERIFY_NONE(stage.repeatedNonces());
}

void TestRestarts::whatWasRecordedIsAcceptedNoMore()
{
    RestartStage stage({});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    for (int kills = 0; kills < 3; ++kills) {
        QVERIFY2(stage.endAndStart(SIGKILL), qPrintable(stage.trouble()));
        QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
        QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
        QVERIFY2(stage.endAndStart(SIGKILL), qPrintable(stage.trouble()));
        stage.goOn();
        QVERIFY2(stage.goRound(), qPrintable(stage.trouble())); // what was on its way has come
        QVERIFY2(stage.settle(), qPrintable(stage.trouble()));

        const QList<QByteArray> logged = stage.loggedPayloads();
        QVERIFY(stage.replay() >= static_cast<std::size_t>(logged.size()));
        const QSet<QByteArray> recorded = sentBy(stage);
        stage.goOn();
        QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
        QList<QByteArray> after = stage.loggedPayloads().sliced(logged.size());
        after.removeIf([&](const QByteArray &payload) { return !recorded.contains(payload); });
        QVERIFY2(after.isEmpty(), after.join('\n').constData());
    }
    VERIFY_NONE(stage.breaches());
    VERIFY_NONE(stage.comebacks());
    QCOMPARE(stage.manager().stop(), 0);
}

void TestRestarts::workersComeAndGo_data()
{
    QTest::addColumn<int>("signal");
    QTest::newRow("by command") << 0;
    QTest::newRow("SIGKILL") << SIGKILL;
}

void TestRestarts::workersComeAndGo()
{
    QFETCH(int, signal);
    RestartStage stage({.withIds = 12, .withoutIds = 12, .handshakes = 5});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    for (const int workers : {4, 1, 2}) {
        stage.setWorkers(workers);
        QVERIFY2(signal ? stage.endAndStart(signal) : stage.restart(), qPrintable(stage.trouble()));
        stage.move();
        // Nobody gives up by himself, so who is heard again was never left in silence.
        QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
    }
    QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
    VERIFY_NONE(stage.breaches());
    VERIFY_NONE(stage.comebacks([&](const TalkingDevice &device) { return stage.hasId(device); }));
    for (const auto &device : stage.devices())
        QCOMPARE(device->endings().count(KeyedLink::closeNotify), device->endings().size());
    QCOMPARE(stage.manager().stop(), 0);
    VERIFY_NONE(stage.repeatedNonces());
}

void TestRestarts::aTakeoverIsKilled_data()
{
    addSeeds(5);
}

void TestRestarts::aTakeoverIsKilled()
{
    QFETCH(quint64, seed);
    std::mt19937_64 random(seed);
    RestartStage stage({.seed = seed, .handshakes = 100, .patience = 5});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    for (int kills = 0; kills < 4; ++kills) {
        stage.setWorkers(1 + static_cast<int>(random() % 4));
        QVERIFY(stage.manager().end(SIGKILL));
        QVERIFY(stage.manager().launch());
        pass(upTo(80ms, random));
        if (random() % 4 == 0)
            stage.move();
    }
    QVERIFY2(stage.endAndStart(SIGKILL), qPrintable(stage.trouble()));
    QVERIFY2(stage.goRound({}, QDeadlineTimer(60s)), qPrintable(stage.trouble()));
    stage.replay();
    QVERIFY2(stage.goRound({}, QDeadlineTimer(60s)), qPrintable(stage.trouble()));
    QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
    VERIFY_NONE(stage.breaches());
    QCOMPARE(stage.manager().stop(), 0);
    VERIFY_NONE(stage.repeatedNonces());
}

namespace {

/// A change of the configuration while no process runs.
struct Change
{
    const char *name = nullptr;
    QByteArray identity = {}; ///< lines of the section of two devices, if there are any
    bool isRemoved = false;   ///< these sections are
    QByteArray ciphers = {};  ///< others that are offered
    QByteArray limits = {};   ///< after more than a second of silence of all devices
    QString reason = QStringLiteral("revoked");
};

const std::vector<Change> &changes()
{
    static const std::vector<Change> all{
        {.name = "an identity is removed", .isRemoved = true},
        {.name = "a key is changed", .identity = "key = hex:ffeeddccbbaa99887766554433221100\n"},
        {.name = "its address is not allowed",
         .identity = RestartStage::keyLine() + "allow_from = 192.0.2.0/24\n"},
        {.name = "its cipher is not offered", .ciphers = "modern"},
        {.name = "idle_timeout has passed",
         .limits = "idle_timeout = 1s\nidle_timeout_with_id = 1s\n",
         .reason = QStringLiteral("idle")},
        {.name = "session_lifetime has passed",
         .limits = "session_lifetime = 1s\n",
         .reason = QStringLiteral("lifetime")}};
    return all;
}

} // namespace

void TestRestarts::theConfigurationInForceIsAsked_data()
{
    QTest::addColumn<int>("number");
    for (std::size_t i = 0; i < changes().size(); ++i)
        QTest::newRow(changes()[i].name) << static_cast<int>(i);
}

void TestRestarts::theConfigurationInForceIsAsked()
{
    QFETCH(int, number);
    const Change &change = changes()[static_cast<std::size_t>(number)];
    RestartStage stage({});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
    QVERIFY(stage.manager().end(SIGKILL));
    const bool isAboutAll = !change.limits.isNull();
    // The third ones have CCM_8.
    const QSet<const TalkingDevice *> meant{&stage.withId(2), &stage.withoutId(2)};
    const auto isMeant = [&](const TalkingDevice &device) {
        return isAboutAll || meant.contains(&device) ||
               (!change.ciphers.isNull() && device.name().endsWith('5')); // the next CCM_8
    };
    if (change.isRemoved || !change.identity.isNull()) {
        for (TalkingDevice *device : {&stage.withId(2), &stage.withoutId(2)})
            stage.setIdentity(*device, change.identity);
    }
    if (!change.ciphers.isNull())
        stage.setCiphers(change.ciphers);
    if (isAboutAll) {
        stage.setLimits(change.limits);
        pass(1500ms); // of which dtlsd only sees the clock
    }
    QVERIFY2(stage.manager().start(), qPrintable(stage.trouble()));
    for (const auto &device : stage.devices()) {
        if (!isMeant(*device))
            continue;
        QTRY_COMPARE(device->endings(), QStringList{KeyedLink::closeNotify});
        const auto closed =
            stage.daemon().waitForEvent(QStringLiteral("session-closed"), [&](const auto &event) {
                return text(event, "identity").toUtf8() == device->name();
            });
        QVERIFY(closed);
        QCOMPARE(text(*closed, "reason"), change.reason);
    }
    stage.goOn();
    const auto isSpared = [&](const TalkingDevice &device) { return !isMeant(device); };
    QVERIFY2(stage.goRound(isSpared), qPrintable(stage.trouble()));
    VERIFY_NONE(stage.breaches());
    VERIFY_NONE(stage.comebacks());
    for (const auto &device : stage.devices())
        QCOMPARE(device->endings().isEmpty(), isSpared(*device));
    if (isAboutAll) { // a second may be too short for newcomers
        stage.setLimits({});
        QVERIFY2(stage.restart(), qPrintable(stage.trouble()));
    }
    QVERIFY(stage.servesNewcomers());
    QCOMPARE(stage.manager().stop(), 0);
    VERIFY_NONE(stage.repeatedNonces());
}

void TestRestarts::aKeyThatIsRotatedStays()
{
    RestartStage stage({});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    for (const auto &device : stage.devices())
        stage.setIdentity(*device, "key = hex:ffeeddccbbaa99887766554433221100\nnext_" +
                                       RestartStage::keyLine());
    QVERIFY2(stage.endAndStart(SIGKILL), qPrintable(stage.trouble()));
    QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
    QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
    VERIFY_NONE(stage.breaches());
    VERIFY_NONE(stage.comebacks());
    QCOMPARE(stage.manager().stop(), 0);
}

void TestRestarts::aStoreIsTooSmall_data()
{
    QTest::addColumn<int>("missing");
    QTest::newRow("by one") << 1;
    QTest::newRow("by two") << 2;
    QTest::newRow("by all") << 1000;
}

void TestRestarts::aStoreIsTooSmall()
{
    QFETCH(int, missing);
    std::size_t needed = 0;
    {
        RestartStage stage({.withIds = 1, .withoutIds = 0});
        QVERIFY2(stage.start(), qPrintable(stage.trouble()));
        needed = stage.manager().store().stored().size();
        QVERIFY(needed > 2);
        QCOMPARE(stage.manager().stop(), 0);
    }
    const std::size_t room = needed - std::min(needed, static_cast<std::size_t>(missing));
    RestartStage stage({.handshakes = 10, .patience = 5, .manager = {.storeMax = room}});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    QVERIFY(stage.manager().store().refused() > 0);
    for (const int signal : {SIGKILL, 0, SIGKILL}) {
        QVERIFY2(signal ? stage.endAndStart(signal) : stage.restart(), qPrintable(stage.trouble()));
        QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
        QVERIFY(stage.servesNewcomers());
    }
    QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
    VERIFY_NONE(stage.breaches());
    QCOMPARE(stage.manager().stop(), 0);
    VERIFY_NONE(stage.repeatedNonces());
}

void TestRestarts::theLastFlightIsLostWithItsProcess_data()
{
    QTest::addColumn<bool>("hasId");
    QTest::newRow("with a connection ID") << true;
    QTest::newRow("without") << false;
}

void TestRestarts::theLastFlightIsLostWithItsProcess()
{
    QFETCH(bool, hasId);
    RestartStage stage({.withIds = hasId ? 3 : 0,
                        .withoutIds = hasId ? 0 : 3,
                        .rules = {{.flight = Flight::ServerFinish, .first = 1, .last = 2}}});
    QVERIFY2(stage.startDaemon(), qPrintable(stage.trouble()));
    stage.startDevices();
    const RelayLog &log = (hasId ? stage.relayWithIds() : stage.relayWithoutIds()).log();
    for (const int lost : {3, 6}) { // the first ones, and those that answer repeated Finished
        const auto areLost = [&] { return log.count(Fault::Drop, Flight::ServerFinish) >= lost; };
        QVERIFY2(waitUntil(areLost, QDeadlineTimer(patience)), qPrintable(stage.trouble()));
        QVERIFY2(stage.endAndStart(SIGKILL), qPrintable(stage.trouble()));
    }
    QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
    QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
    VERIFY_NONE(stage.breaches());
    VERIFY_NONE(stage.comebacks());
    QCOMPARE(stage.manager().stop(), 0);
}

void TestRestarts::oneProcessAtATimeHasASession()
{
    RestartStage stage({.handshakes = 100, .patience = 5});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    stage.daemon().process().sendSignal(SIGSTOP);
    DaemonProcess second(stage.configuration());
    QVERIFY(stage.manager().launchBeside(second));
    QVERIFY2(second.waitForEvent(QStringLiteral("started")), qPrintable(second.errorText()));
    const auto lost = second.waitForEvent(QStringLiteral("sessions-lost"));
    QVERIFY(lost);
    QVERIFY(!text(*lost, "reason").isEmpty());
    QVERIFY(stage.servesNewcomers());
    QVERIFY2(stage.goRound(), qPrintable(stage.trouble())); // in new sessions
    for (const auto &device : stage.devices())
        QVERIFY(device->handshakesBegun() > 1);

    // Both read from the same sockets now, which systemd would never let happen.
    stage.daemon().process().sendSignal(SIGCONT);
    pass(1s);
    stage.daemon().process().sendSignal(SIGKILL);
    QVERIFY(stage.daemon().process().waitForEnd());
    QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
    QCOMPARE(second.stop(), 0);
    VERIFY_NONE(stage.repeatedNonces());
}

DTLSD_TEST(TestRestarts)
#include "tst_restarts.moc"
