// SPDX-License-Identifier: Apache-2.0
//
// dtlsd is killed, and what it has left in the service manager's store is not what it was: the next
// process serves all the same, tells of sessions that are lost, and seals no two records with one
// nonce. `DTLSD_RESTART_ROUNDS=200` takes more seeds than ctest does, `DTLSD_RESTART_SEED=17` one
// alone.
#include "KeptStore.h"
#include "RestartStage.h"

#include "support/JsonFields.h"
#include "support/TestProgram.h"

#include <algorithm>
#include <csignal>
#include <random>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace dtlsd::test::keptstore;
using namespace std::chrono_literals;

namespace {

#define VERIFY_NONE(complaints)                                                                    \
    do {                                                                                           \
        const QStringList found = (complaints);                                                    \
        QVERIFY2(found.isEmpty(), qPrintable(found.mid(0, 20).join(u'\n')));                       \
    } while (false)

using Stores = std::vector<PassedDescriptor>;

/// One that has sessions in it.
PassedDescriptor fullest(const Stores &stores)
{
    return *std::ranges::max_element(stores, {}, [](const PassedDescriptor &one) {
        return usedPlaces(contentOf(one.descriptor)).size();
    });
}

/// Puts what @p make returns in the place of each memory of sessions.
template <class Make>
void replaceAll(ManagerStore &store, Make make)
{
    for (const PassedDescriptor &one : store.stored(keptSessions))
        store.replace(one.descriptor, make(one.descriptor));
}

struct Damage
{
    const char *name = nullptr;
    std::function<void(ManagerStore &)> happensTo;
    bool isNoticed = true; ///< and said: `sessions-lost`
};

/// The first bytes, which say what it is, one after the other.
Damage otherHeader(const char *name, qsizetype place)
{
    return {.name = name, .happensTo = [place](ManagerStore &store) {
                for (const PassedDescriptor &one : store.stored(keptSessions)) {
                    QByteArray bytes = contentOf(one.descriptor).mid(place, 4);
                    bytes[0] = static_cast<char>(bytes[0] + 1);
                    write(one.descriptor, place, bytes);
                }
            }};
}

std::vector<Damage> damagesOfContent()
{
    const auto zeros = [](ManagerStore &store) {
        for (const PassedDescriptor &one : store.stored(keptSessions))
            write(one.descriptor, 0, QByteArray(contentOf(one.descriptor).size(), '\0'));
    };
    const auto noise = [](ManagerStore &store) {
        std::mt19937_64 random(1);
        for (const PassedDescriptor &one : store.stored(keptSessions)) {
            QByteArray bytes = contentOf(one.descriptor);
            for (char &byte : bytes)
                byte = static_cast<char>(random());
            write(one.descriptor, 0, bytes);
        }
    };
    const auto inverted = [](ManagerStore &store) {
        for (const PassedDescriptor &one : store.stored(keptSessions)) {
            const QByteArray content = contentOf(one.descriptor);
            for (const qsizetype place : usedPlaces(content.sliced(4096)))
                write(one.descriptor, 4096 + place,
                      QByteArray(1, static_cast<char>(~content[4096 + place])));
        }
    };
    return {otherHeader("another first byte", 0),
            otherHeader("another ninth byte", 8),
            {.name = "all zeros", .happensTo = zeros},
            {.name = "noise", .happensTo = noise},
            {.name = "all but its beginning inverted", .happensTo = inverted}};
}

std::vector<Damage> damagesOfShape()
{
    const auto resized = [](auto sizeOf, Sealed sealed = Sealed::AsWanted) {
        return [=](ManagerStore &store) {
            replaceAll(store, [=](int one) {
                const QByteArray content = contentOf(one);
                const qint64 size = sizeOf(content.size());
                return memoryOf(content.first(std::min(content.size(), size)), size, sealed);
            });
        };
    };
    return {
        {.name = "not sealed", .happensTo = resized([](qint64 size) { return size; }, Sealed::No)},
        {.name = "empty", .happensTo = resized([](qint64) { return 0; })},
        {.name = "a single byte", .happensTo = resized([](qint64) { return 1; })},
        {.name = "a page of it", .happensTo = resized([](qint64) { return 4096; })},
        {.name = "half of it", .happensTo = resized([](qint64 size) { return size / 2; })},
        {.name = "a byte less", .happensTo = resized([](qint64 size) { return size - 1; })},
        {.name = "a byte more", .happensTo = resized([](qint64 size) { return size + 1; })},
        {.name = "huge", .happensTo = resized([](qint64) { return qint64{1} << 40; })}};
}

std::vector<Damage> damagesOfKind()
{
    const auto readOnly = [](ManagerStore &store) {
        replaceAll(store, [](int one) { return openedAgain(one, O_RDONLY); });
    };
    const auto regular = [](ManagerStore &store) {
        replaceAll(store, [](int one) { return fileOf(contentOf(one)); });
    };
    const auto pipe = [](ManagerStore &store) {
        replaceAll(store, [](int one) { return pipeOf(contentOf(one)); });
    };
    const auto socketOf = [](int type) { return socket(AF_INET, type | SOCK_CLOEXEC, 0); };
    const auto udp = [=](ManagerStore &store) {
        replaceAll(store, [=](int) { return socketOf(SOCK_DGRAM); });
    };
    const auto surplus = [=](ManagerStore &store) {
        store.add({socketOf(SOCK_STREAM), keptSockets + "7"});
        store.add({socketOf(SOCK_DGRAM), keptSockets + "8"}); // not bound
        store.add({memoryOf("no socket"), keptSockets + "9"});
        store.add({fileOf("neither"), keptSockets});
    };
    return {{.name = "only for reading", .happensTo = readOnly},
            {.name = "a regular file", .happensTo = regular},
            {.name = "a pipe", .happensTo = pipe},
            {.name = "a UDP socket", .happensTo = udp},
            {.name = "other things beside the sockets", .happensTo = surplus, .isNoticed = false}};
}

std::vector<Damage> damagesOfNumber()
{
    const auto twice = [](ManagerStore &store) {
        const PassedDescriptor one = fullest(store.stored(keptSessions));
        store.add({fcntl(one.descriptor, F_DUPFD_CLOEXEC, 3), one.name});
    };
    const auto twiceNamed = [](ManagerStore &store) {
        const PassedDescriptor one = fullest(store.stored(keptSessions));
        store.add({fcntl(one.descriptor, F_DUPFD_CLOEXEC, 3), keptSessions + "again"});
    };
    const auto twiceOpened = [](ManagerStore &store) {
        const PassedDescriptor one = fullest(store.stored(keptSessions));
        store.add({openedAgain(one.descriptor, O_RDWR), one.name});
    };
    const auto copied = [](ManagerStore &store) {
        const PassedDescriptor one = fullest(store.stored(keptSessions));
        store.add({memoryOf(contentOf(one.descriptor)), one.name});
    };
    const auto copiedOver = [](ManagerStore &store) {
        const Stores stores = store.stored(keptSessions);
        const PassedDescriptor one = fullest(stores);
        for (const PassedDescriptor &other : stores) {
            if (other.descriptor != one.descriptor)
                store.replace(other.descriptor, memoryOf(contentOf(one.descriptor)));
        }
    };
    const auto swapped = [](ManagerStore &store) {
        const Stores stores = store.stored(keptSessions);
        const QByteArray first = contentOf(stores.front().descriptor);
        store.replace(stores.front().descriptor, memoryOf(contentOf(stores.back().descriptor)));
        store.replace(stores.back().descriptor, memoryOf(first));
    };
    const auto oneIsMissing = [](ManagerStore &store) {
        const PassedDescriptor one = fullest(store.stored(keptSessions));
        store.replace(one.descriptor, memoryOf("nothing"));
    };
    const auto many = [](ManagerStore &store) {
        for (int i = 0; i < 40; ++i)
            store.add({memoryOf(QByteArray(qsizetype{500} * i, 'x')),
                       keptSessions + QByteArray::number(i)});
    };
    return {{.name = "given twice", .happensTo = twice},
            {.name = "given twice, under two names", .happensTo = twiceNamed},
            {.name = "given twice, as two open files", .happensTo = twiceOpened},
            {.name = "given beside a copy", .happensTo = copied},
            {.name = "in the place of another one too", .happensTo = copiedOver},
            {.name = "in each other's place", .happensTo = swapped, .isNoticed = false},
            {.name = "one of them", .happensTo = oneIsMissing},
            {.name = "many others beside it", .happensTo = many}};
}

const std::vector<Damage> &damages()
{
    static const std::vector<Damage> all = [] {
        std::vector<Damage> together;
        for (const auto &some :
             {damagesOfContent(), damagesOfShape(), damagesOfKind(), damagesOfNumber()})
            together.insert(together.end(), some.begin(), some.end());
        return together;
    }();
    return all;
}

} // namespace

class TestDamagedStores : public QObject
{
    Q_OBJECT

public:
    TestDamagedStores()
    {
        if (qEnvironmentVariableIsSet("DTLSD_RESTART_ROUNDS"))
            qputenv("QTEST_FUNCTION_TIMEOUT", "36000000"); // as many as somebody asks for
    }

private Q_SLOTS:
    void initTestCase();
    void whatIsDamagedIsNotUsed_data();
    void whatIsDamagedIsNotUsed();
    void bitsFlip_data();
    void bitsFlip();

private:
    /// What has to hold after @p damage; nothing else is done to the daemon.
    static void serves(RestartStage &stage);
};

void TestDamagedStores::initTestCase()
{
    const rlimit none{0, 0};
    QCOMPARE(setrlimit(RLIMIT_CORE, &none), 0);
}

void TestDamagedStores::serves(RestartStage &stage)
{
    QVERIFY2(stage.manager().start(), qPrintable(stage.trouble()));
    QVERIFY(stage.servesNewcomers(20));                     // each has a place of its own
    QVERIFY2(stage.goRound(), qPrintable(stage.trouble())); // some in new sessions
    // What this process has left is sound.
    QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
    const auto sessions = stage.openSessions();
    QVERIFY(sessions.size() >= std::ssize(stage.devices()));
    const qsizetype losses = stage.daemon().events(QStringLiteral("sessions-lost")).size();
    QVERIFY2(stage.endAndStart(SIGKILL), qPrintable(stage.trouble()));
    QCOMPARE(stage.openSessions(), sessions);
    QCOMPARE(stage.daemon().events(QStringLiteral("sessions-lost")).size(), losses);
    stage.goOn();
    QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
    QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
    VERIFY_NONE(stage.breaches(RestartStage::Sequences::Whatever)); // a count may be damaged
    QCOMPARE(stage.manager().stop(), 0);                            // it has not crashed
    VERIFY_NONE(stage.repeatedNonces());
}

void TestDamagedStores::whatIsDamagedIsNotUsed_data()
{
    QTest::addColumn<int>("number");
    for (std::size_t i = 0; i < damages().size(); ++i)
        QTest::newRow(damages()[i].name) << static_cast<int>(i);
}

void TestDamagedStores::whatIsDamagedIsNotUsed()
{
    QFETCH(int, number);
    const Damage &damage = damages()[static_cast<std::size_t>(number)];
    RestartStage stage({.withIds = 4, .withoutIds = 4, .handshakes = 20, .patience = 3});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    QVERIFY(stage.manager().end(SIGKILL));
    QVERIFY(stage.manager().store().stored(keptSessions).size() > 1);
    damage.happensTo(stage.manager().store());
    serves(stage);
    const auto lost = stage.daemon().events(QStringLiteral("sessions-lost"));
    if (damage.isNoticed)
        QVERIFY(!lost.isEmpty());
    for (const QJsonObject &event : lost)
        QVERIFY(!text(event, "reason").isEmpty());
}

void TestDamagedStores::bitsFlip_data()
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
        qEnvironmentVariable("DTLSD_RESTART_ROUNDS", QStringLiteral("10")).toULongLong();
    for (quint64 seed = 1; seed <= rounds; ++seed)
        add(seed);
}

void TestDamagedStores::bitsFlip()
{
    QFETCH(quint64, seed);
    std::mt19937_64 random(seed);
    RestartStage stage(
        {.withIds = 6, .withoutIds = 6, .seed = seed, .handshakes = 20, .patience = 3});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    std::map<int, QByteArray> before;
    ManagerStore &store = stage.manager().store();
    for (const PassedDescriptor &one : store.stored(keptSessions))
        before[one.descriptor] = contentOf(one.descriptor);
    QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
    QVERIFY(stage.manager().end(SIGKILL));
    // Half of the rounds are about what each datagram changes: sequence numbers above all.
    const bool isAboutChanges = seed % 2 == 0;
    const std::size_t flips = 1 + random() % (seed % 3 == 0 ? 100 : 6);
    for (const PassedDescriptor &one : store.stored(keptSessions)) {
        const QByteArray now = contentOf(one.descriptor);
        const auto places =
            isAboutChanges ? changedPlaces(before[one.descriptor], now) : usedPlaces(now);
        for (std::size_t i = 0; i < flips && !places.empty(); ++i)
            flip(one.descriptor, places[random() % places.size()], random);
    }
    serves(stage);
}

DTLSD_TEST(TestDamagedStores)
#include "tst_damagedstores.moc"
