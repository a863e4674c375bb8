// SPDX-License-Identifier: Apache-2.0
//
// Descriptors as systemd passes them, from 3 on, with an environment that names them; and what is
// sent to systemd to keep some.
#include "support/NotifySocket.h"
#include "systemd/DescriptorStore.h"

#include <QCoreApplication>
#include <QTest>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

constexpr int places = 4; // kept free for descriptors by main()
constexpr std::chrono::milliseconds shortTime{20};
constexpr std::chrono::milliseconds longTime{60'000};

struct Kind
{
    int family;
    int type;
};

constexpr Kind memory{-1, 0};

/// Puts a descriptor of each kind where a service would find it.
void pass(const QList<Kind> &kinds, const QByteArray &names)
{
    for (int i = 0; i < kinds.size(); ++i) {
        const int descriptor = kinds[i].family == memory.family
                                   ? memfd_create("test", 0)
                                   : socket(kinds[i].family, kinds[i].type, 0);
        QVERIFY(descriptor >= 0);
        QCOMPARE(dup2(descriptor, SD_LISTEN_FDS_START + i), SD_LISTEN_FDS_START + i);
        close(descriptor);
    }
    qputenv("LISTEN_PID", QByteArray::number(QCoreApplication::applicationPid()));
    qputenv("LISTEN_FDS", QByteArray::number(kinds.size()));
    qputenv("LISTEN_FDNAMES", names);
}

bool isAnnounced()
{
    return qEnvironmentVariableIsSet("LISTEN_PID") || qEnvironmentVariableIsSet("LISTEN_FDS") ||
           qEnvironmentVariableIsSet("LISTEN_FDNAMES");
}

bool isClosedOnExec(int descriptor)
{
    return (fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0;
}

/// Of a file that has no name.
ino_t nodeOf(int descriptor)
{
    struct stat status = {};
    return fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

} // namespace

class TestDescriptorStore : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { qunsetenv("NOTIFY_SOCKET"); }

    void noneArePassedToAProgramStartedByHand();
    void udpSocketsOfBothFamiliesAreTakenInTheirOrder();
    void anotherProcessesSocketsAreLeftAlone();
    void keptDescriptorsAreToldFromSocketsByTheirNames();
    void whatIsNoUdpSocketIsRefusedByName_data();
    void whatIsNoUdpSocketIsRefusedByName();
    void anAnnouncementThatIsNotTrueIsRefused_data();
    void anAnnouncementThatIsNotTrueIsRefused();
    void aDescriptorIsStoredUnderItsName();
    void aDescriptorIsForgottenByItsName();
    void theBarrierEndsWhenTheServiceManagerHasReadEverything();
    void theBarrierGivesUp();
    void withoutAServiceManagerNothingIsStored();
    void aDescriptorThatIsNotOpenIsNotStored();
};

void TestDescriptorStore::noneArePassedToAProgramStartedByHand()
{
    const auto passed = passedDescriptors();
    QVERIFY(passed);
    QVERIFY(passed.value().sockets.empty());
    QVERIFY(passed.value().kept.empty());
}

void TestDescriptorStore::udpSocketsOfBothFamiliesAreTakenInTheirOrder()
{
    pass({{AF_INET6, SOCK_DGRAM}, {AF_INET, SOCK_DGRAM}, {AF_INET6, SOCK_DGRAM}}, "a:b:c");
    const auto passed = passedDescriptors();
    QVERIFY2(passed, qPrintable(passed ? QString() : passed.error().message));
    QCOMPARE(passed.value().sockets, (std::vector{3, 4, 5}));
    QVERIFY(std::ranges::all_of(passed.value().sockets, isClosedOnExec));
    QVERIFY(!isAnnounced());
    QVERIFY(passedDescriptors().value().sockets.empty());
}

void TestDescriptorStore::anotherProcessesSocketsAreLeftAlone()
{
    pass({{AF_INET, SOCK_DGRAM}}, "a");
    qputenv("LISTEN_PID", QByteArray::number(getppid()));
    QVERIFY(passedDescriptors().value().sockets.empty());
    QVERIFY(!isAnnounced());
}

void TestDescriptorStore::keptDescriptorsAreToldFromSocketsByTheirNames()
{
    pass({memory, {AF_INET, SOCK_DGRAM}, {AF_INET, SOCK_DGRAM}, memory},
         "dtlsd-kept-sessions-1-0a:dtlsd.socket:dtlsd-kept-udp-0:dtlsd-kept-");
    const auto passed = passedDescriptors();
    QVERIFY2(passed, qPrintable(passed ? QString() : passed.error().message));
    QCOMPARE(passed.value().sockets, std::vector{4});
    const std::vector<KeptDescriptor> &kept = passed.value().kept;
    QCOMPARE(kept.size(), std::size_t(3));
    QCOMPARE(kept[0].name, QByteArray("dtlsd-kept-sessions-1-0a"));
    QCOMPARE(kept[0].number, 3);
    QCOMPARE(kept[1].name, QByteArray("dtlsd-kept-udp-0"));
    QCOMPARE(kept[1].number, 5);
    QCOMPARE(kept[2].name, QByteArray("dtlsd-kept-"));
    QCOMPARE(kept[2].number, 6);
    for (const KeptDescriptor &descriptor : kept)
        QVERIFY(isClosedOnExec(descriptor.number));
}

void TestDescriptorStore::whatIsNoUdpSocketIsRefusedByName_data()
{
    QTest::addColumn<int>("family");
    QTest::addColumn<int>("type");
    QTest::newRow("TCP over IPv4") << AF_INET << static_cast<int>(SOCK_STREAM);
    QTest::newRow("TCP over IPv6") << AF_INET6 << static_cast<int>(SOCK_STREAM);
    QTest::newRow("a Unix socket") << AF_UNIX << static_cast<int>(SOCK_DGRAM);
    QTest::newRow("memory that this service has not stored") << memory.family << memory.type;
}

void TestDescriptorStore::whatIsNoUdpSocketIsRefusedByName()
{
    QFETCH(int, family);
    QFETCH(int, type);
    pass({{AF_INET, SOCK_DGRAM}, {family, type}}, "good.socket:bad.socket");
    const auto passed = passedDescriptors();
    QVERIFY(!passed);
    QCOMPARE(passed.error().message,
             QStringLiteral("systemd has passed descriptor 4 (bad.socket), which is no UDP socket; "
                            "UDP sockets over IPv4 or IPv6 are accepted, as ListenDatagram= makes "
                            "them"));
    QVERIFY(!isAnnounced());
}

void TestDescriptorStore::anAnnouncementThatIsNotTrueIsRefused_data()
{
    QTest::addColumn<QByteArray>("count");
    QTest::addColumn<QString>("reason");
    QTest::newRow("no number") << QByteArray("many") << QStringLiteral("Invalid argument");
    QTest::newRow("descriptors that are not there")
        << QByteArray("1000") << QStringLiteral("Bad file descriptor");
}

void TestDescriptorStore::anAnnouncementThatIsNotTrueIsRefused()
{
    QFETCH(QByteArray, count);
    QFETCH(QString, reason);
    pass({{AF_INET, SOCK_DGRAM}}, "a");
    qputenv("LISTEN_FDS", count);
    const auto passed = passedDescriptors();
    QVERIFY(!passed);
    QCOMPARE(passed.error().message,
             QStringLiteral("cannot tell which sockets systemd has passed: %1; LISTEN_FDS and its "
                            "like are accepted as sd_listen_fds(3) has them")
                 .arg(reason));
}

void TestDescriptorStore::aDescriptorIsStoredUnderItsName()
{
    const NotifySocket socket;
    qputenv("NOTIFY_SOCKET", socket.path());
    QVERIFY(DescriptorStore::isThere());
    const Descriptor file(memfd_create("test", MFD_CLOEXEC));
    QVERIFY(DescriptorStore().keep("dtlsd-kept-sessions-0-1a2b3c4d", file.number()));
    const NotifySocket::Message message = socket.nextWithDescriptors();
    QByteArrayList lines = message.text.split('\n');
    std::ranges::sort(lines);
    QCOMPARE(lines,
             (QByteArrayList{"FDNAME=dtlsd-kept-sessions-0-1a2b3c4d", "FDPOLL=0", "FDSTORE=1"}));
    QCOMPARE(message.descriptors.size(), std::size_t(1));
    QCOMPARE(nodeOf(message.descriptors[0].number()), nodeOf(file.number()));
}

void TestDescriptorStore::aDescriptorIsForgottenByItsName()
{
    const NotifySocket socket;
    qputenv("NOTIFY_SOCKET", socket.path());
    DescriptorStore().forget("dtlsd-kept-udp-3");
    QCOMPARE(socket.next(), QByteArray("FDSTOREREMOVE=1\nFDNAME=dtlsd-kept-udp-3"));
}

void TestDescriptorStore::theBarrierEndsWhenTheServiceManagerHasReadEverything()
{
    const NotifySocket socket;
    qputenv("NOTIFY_SOCKET", socket.path());
    QByteArray received;
    std::thread manager([&] {
        socket.wait();
        received = socket.next(); // and closes what came with it
    });
    const Result<> passed = DescriptorStore().barrier(longTime);
    manager.join();
    QVERIFY2(passed, qPrintable(passed ? QString() : passed.error().message));
    QCOMPARE(received, QByteArray("BARRIER=1"));
}

void TestDescriptorStore::theBarrierGivesUp()
{
    const NotifySocket socket;
    qputenv("NOTIFY_SOCKET", socket.path());
    const Result<> passed = DescriptorStore().barrier(shortTime);
    QVERIFY(!passed);
    QVERIFY2(passed.error().message.startsWith(u"the service manager does not answer: "),
             qPrintable(passed.error().message));
}

void TestDescriptorStore::withoutAServiceManagerNothingIsStored()
{
    QVERIFY(!DescriptorStore::isThere());
    const Result<> kept = DescriptorStore().keep("dtlsd-kept-x", STDERR_FILENO);
    QVERIFY(!kept);
    QCOMPARE(kept.error().message,
             QStringLiteral("cannot store dtlsd-kept-x: $NOTIFY_SOCKET is not set"));
    QVERIFY(!DescriptorStore().barrier(longTime));
    DescriptorStore().forget("dtlsd-kept-x");
}

void TestDescriptorStore::aDescriptorThatIsNotOpenIsNotStored()
{
    const NotifySocket socket;
    qputenv("NOTIFY_SOCKET", socket.path());
    const Result<> kept = DescriptorStore().keep("dtlsd-kept-x", 1'000'000);
    QVERIFY(!kept);
    QCOMPARE(kept.error().message,
             QStringLiteral("cannot store dtlsd-kept-x: Bad file descriptor"));
    QVERIFY(socket.next().isNull());
}

int main(int argc, char **argv)
{
    // Before Qt takes these descriptors for itself.
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < places; ++i)
        dup2(null, SD_LISTEN_FDS_START + i);
    const QCoreApplication application(argc, argv);
    TestDescriptorStore test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_descriptorstore.moc"
