// SPDX-License-Identifier: Apache-2.0
//
// Sockets as systemd passes them: descriptors from 3 on, and an environment that speaks of them.
#include "systemd/SocketActivation.h"

#include <QCoreApplication>
#include <QTest>

#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

using namespace dtlsd;

namespace {

constexpr int places = 3; // kept free for sockets by main()

struct Kind
{
    int family;
    int type;
};

/// Puts a socket of each kind where a service would find it.
void pass(const QList<Kind> &kinds, const QByteArray &names)
{
    for (int i = 0; i < kinds.size(); ++i) {
        const int descriptor = socket(kinds[i].family, kinds[i].type, 0);
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

} // namespace

class TestSocketActivation : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void noneArePassedToAProgramStartedByHand();
    void udpSocketsOfBothFamiliesAreTakenInTheirOrder();
    void anotherProcessesSocketsAreLeftAlone();
    void whatIsNoUdpSocketIsRefusedByName_data();
    void whatIsNoUdpSocketIsRefusedByName();
    void anAnnouncementThatIsNotTrueIsRefused_data();
    void anAnnouncementThatIsNotTrueIsRefused();
};

void TestSocketActivation::noneArePassedToAProgramStartedByHand()
{
    const auto sockets = passedSockets();
    QVERIFY(sockets);
    QVERIFY(sockets.value().empty());
}

void TestSocketActivation::udpSocketsOfBothFamiliesAreTakenInTheirOrder()
{
    pass({{AF_INET6, SOCK_DGRAM}, {AF_INET, SOCK_DGRAM}, {AF_INET6, SOCK_DGRAM}}, "a:b:c");
    const auto sockets = passedSockets();
    QVERIFY2(sockets, qPrintable(sockets ? QString() : sockets.error().message));
    QCOMPARE(sockets.value(), (std::vector{3, 4, 5}));
    for (const int descriptor : sockets.value())
        QVERIFY((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    QVERIFY(!isAnnounced());
    QVERIFY(passedSockets().value().empty());
}

void TestSocketActivation::anotherProcessesSocketsAreLeftAlone()
{
    pass({{AF_INET, SOCK_DGRAM}}, "a");
    qputenv("LISTEN_PID", QByteArray::number(getppid()));
    QVERIFY(passedSockets().value().empty());
    QVERIFY(!isAnnounced());
}

void TestSocketActivation::whatIsNoUdpSocketIsRefusedByName_data()
{
    QTest::addColumn<int>("family");
    QTest::addColumn<int>("type");
    QTest::newRow("TCP over IPv4") << AF_INET << static_cast<int>(SOCK_STREAM);
    QTest::newRow("TCP over IPv6") << AF_INET6 << static_cast<int>(SOCK_STREAM);
    QTest::newRow("a Unix socket") << AF_UNIX << static_cast<int>(SOCK_DGRAM);
}

void TestSocketActivation::whatIsNoUdpSocketIsRefusedByName()
{
    QFETCH(int, family);
    QFETCH(int, type);
    pass({{AF_INET, SOCK_DGRAM}, {family, type}}, "good.socket:bad.socket");
    const auto sockets = passedSockets();
    QVERIFY(!sockets);
    QCOMPARE(sockets.error().message,
             QStringLiteral("systemd has passed descriptor 4 (bad.socket), which is no UDP socket; "
                            "UDP sockets over IPv4 or IPv6 are accepted, as ListenDatagram= makes "
                            "them"));
    QVERIFY(!isAnnounced());
}

void TestSocketActivation::anAnnouncementThatIsNotTrueIsRefused_data()
{
    QTest::addColumn<QByteArray>("count");
    QTest::addColumn<QString>("reason");
    QTest::newRow("no number") << QByteArray("many") << QStringLiteral("Invalid argument");
    QTest::newRow("descriptors that are not there")
        << QByteArray("1000") << QStringLiteral("Bad file descriptor");
}

void TestSocketActivation::anAnnouncementThatIsNotTrueIsRefused()
{
    QFETCH(QByteArray, count);
    QFETCH(QString, reason);
    pass({{AF_INET, SOCK_DGRAM}}, "a");
    qputenv("LISTEN_FDS", count);
    const auto sockets = passedSockets();
    QVERIFY(!sockets);
    QCOMPARE(sockets.error().message,
             QStringLiteral("cannot tell which sockets systemd has passed: %1; LISTEN_FDS and its "
                            "like are accepted as sd_listen_fds(3) has them")
                 .arg(reason));
}

int main(int argc, char **argv)
{
    // Before Qt takes these descriptors for itself.
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < places; ++i)
        dup2(null, SD_LISTEN_FDS_START + i);
    const QCoreApplication application(argc, argv);
    TestSocketActivation test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_socketactivation.moc"
