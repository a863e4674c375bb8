// SPDX-License-Identifier: Apache-2.0
//
// Devices with connection IDs behind a relay that gives each of them another address and port every
// second, and treats its datagrams badly. None shakes hands twice, and every message is
// acknowledged and logged under its device's first session; also beside somebody who copies,
// delays, truncates and forges what he sees. `DTLSD_MOVING_DEVICES=200` takes more than ctest does.
#include "support/DaemonProcess.h"
#include "support/DescriptorLimit.h"
#include "support/KeyedLink.h"
#include "support/PersistentDevice.h"
#include "support/Relay.h"
#include "support/TestKey.h"
#include "support/TestProgram.h"

#include <QHash>
#include <QSet>
#include <QTest>
#include <QTimer>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

constexpr int messagesEach = 25;

int deviceCount()
{
    const int count = qEnvironmentVariableIntValue("DTLSD_MOVING_DEVICES");
    return count > 0 ? count : 20;
}

/// What happens to a tenth of the datagrams each: lost, late, twice, in disorder.
FaultPlan badPath(int number)
{
    const FaultRates rates{.drop = 0.1, .delay = 0.1, .reorder = 0.1, .duplicate = 0.1};
    return {.toServer = rates, .toClient = rates, .seed = static_cast<std::uint64_t>(number)};
}

QByteArray identityOf(int number)
{
    return "device-" + QByteArray::number(number);
}

/// An address of 127/8, another each time, in 250 networks.
QHostAddress somewhere(std::mt19937 &random)
{
    return QHostAddress(static_cast<quint32>(0x7f000002U + (random() % 250 << 8) + random() % 250));
}

/// A device and its path, which leads from another place each second once its handshake is made.
struct Traveller
{
    Relay relay;
    PersistentDevice device;
    std::mt19937 random;
    QTimer moves;

    Traveller(int number, const SocketAddress &server, const QByteArray &suite)
        : relay(server, badPath(number))
        , device({.makeLink =
                      [suite, number] {
                          return std::make_unique<KeyedLink>(
                              KeyedClient::Options{.identity = identityOf(number),
                                                   .key = testKey,
                                                   .ciphers = suite,
                                                   .connectionId = QByteArray(8, 'c')});
                      },
                  .server = relay.address(),
                  .messages = PersistentDevice::messagesOf(number, messagesEach),
                  .handshakes = 1,
                  .pause = 250ms})
        , random(static_cast<unsigned>(number))
    {
        QObject::connect(&moves, &QTimer::timeout, &relay, [this] {
            if (device.acknowledged() > 0)
                relay.moveAll([this] { return somewhere(random); });
        });
        moves.start(1s);
    }
};

/// Sends what he has seen of others, and what looks like it, from many addresses.
class Attacker
{
public:
    Attacker(const SocketAddress &server, int most)
        : m_server(server)
        , m_left(most)
    {
        for (int i = 0; i < 50; ++i) {
            m_sockets.push_back(std::make_unique<QUdpSocket>());
            if (!m_sockets.back()->bind(somewhere(m_random)))
                qFatal("no port for an attacker");
        }
    }
    Attacker(const Attacker &) = delete;
    Attacker &operator=(const Attacker &) = delete;
    ~Attacker() = default;

    void see(const QByteArray &datagram)
    {
        m_seen.push_back(datagram);
        if (m_seen.size() > 200)
            m_seen.erase(m_seen.begin()); // late by then
        for (int i = 0; i < 20 && m_left > 0; ++i, --m_left)
            send(altered(m_seen[m_random() % m_seen.size()]));
    }
    [[nodiscard]] bool isDone() const { return m_left == 0; }

private:
    QByteArray altered(QByteArray datagram)
    {
        switch (m_random() % 3) {
        case 0:
            return datagram.left(static_cast<qsizetype>(m_random()) % (datagram.size() + 1));
        case 1: { // a forgery that looks newer than all others
            for (int i = 0; i < 3 && datagram.size() > 40; ++i)
                datagram[datagram.size() - 1 - static_cast<qsizetype>(m_random() % 16)] =
                    static_cast<char>(m_random());
            if (datagram.size() > 10)
                datagram[9] = static_cast<char>(datagram[9] + 1);
            return datagram;
        }
        default:
            return datagram; // a late copy
        }
    }
    void send(const QByteArray &datagram)
    {
        m_sockets[m_random() % m_sockets.size()]->writeDatagram(datagram, m_server.address(),
                                                                m_server.port());
    }

    const SocketAddress m_server;
    int m_left;
    std::mt19937 m_random{17};
    std::vector<QByteArray> m_seen;
    std::vector<std::unique_ptr<QUdpSocket>> m_sockets;
};

} // namespace

class TestMoving : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void nothingIsLostOnTheWay_data();
    void nothingIsLostOnTheWay();
};

void TestMoving::nothingIsLostOnTheWay_data()
{
    QTest::addColumn<QByteArray>("suite");
    QTest::addColumn<int>("attacks"); // in hundreds for each device
    QTest::newRow("GCM") << QByteArray("PSK-AES128-GCM-SHA256") << 0;
    QTest::newRow("CCM_8, beside an attacker") << QByteArray("PSK-AES128-CCM8") << 5;
}

void TestMoving::nothingIsLostOnTheWay()
{
    QFETCH(QByteArray, suite);
    QFETCH(int, attacks);
    const int count = deviceCount();
    if (raiseDescriptorLimit() < static_cast<std::size_t>(count) * 4 + 200)
        QSKIP("not enough file descriptors for the devices and their paths");
    QByteArray configuration =
        "[server]\nlisten = 127.0.0.1:0\nworkers = 4\nreply = echo\n"
        "[tls]\nciphers = iot\n[limits]\nmax_half_open = 10000\n[psk]\nfile =\n";
    for (int i = 0; i < count; ++i)
        configuration += "[identity " + identityOf(i) + "]\nkey = hex:" + hexKey + '\n';
    DaemonProcess daemon(configuration);
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const SocketAddress server = daemon.addresses().constFirst();

    Attacker attacker(server, attacks * 100 * count);
    std::vector<std::unique_ptr<Traveller>> travellers;
    for (int i = 0; i < count; ++i) {
        travellers.push_back(std::make_unique<Traveller>(i, server, suite));
        travellers.back()->relay.setWatcher([&](const QByteArray &sent) { attacker.see(sent); });
        travellers.back()->device.start();
    }
    const auto isOver = [](const auto &traveller) { return traveller->device.isOver(); };
    waitUntil([&] { return std::ranges::all_of(travellers, isOver); }, QDeadlineTimer(150s));
    for (const auto &traveller : travellers)
        traveller->device.close();
    QCOMPARE(daemon.stop(), 0);

    QHash<QString, QString> sessions; // by identity
    for (const QJsonObject &event : daemon.events(QStringLiteral("session-opened"))) {
        const QString identity = event[QStringLiteral("identity")].toString();
        QVERIFY2(!sessions.contains(identity),
                 qPrintable(identity + QStringLiteral(" has come again")));
        sessions[identity] = event[QStringLiteral("session")].toString();
    }
    QSet<QByteArray> logged;
    for (const QJsonObject &event : daemon.events(QStringLiteral("datagram-received"))) {
        QCOMPARE(event[QStringLiteral("session")].toString(),
                 sessions[event[QStringLiteral("identity")].toString()]);
        logged << event[QStringLiteral("payload")].toString().toUtf8();
    }
    for (int i = 0; i < count; ++i) {
        const PersistentDevice &device = travellers[static_cast<std::size_t>(i)]->device;
        QVERIFY2(device.isDone(), qPrintable(QStringLiteral("device %1: %2 of %3; %4")
                                                 .arg(i)
                                                 .arg(device.acknowledged())
                                                 .arg(messagesEach)
                                                 .arg(device.endings().join(u' '))));
        QCOMPARE(device.handshakesBegun(), 1);
        for (const QByteArray &message : device.messages())
            QVERIFY(logged.contains(message));
    }
    const auto moves = daemon.events(QStringLiteral("session-moved"));
    QVERIFY(moves.size() >= count);
    for (const QJsonObject &event : moves) {
        QVERIFY(event[QStringLiteral("former_address")].toString().startsWith(u"127."));
        QVERIFY(event[QStringLiteral("former_port")].toInt() > 0);
        QCOMPARE(event[QStringLiteral("path")].toString(), QStringLiteral("not-proved"));
        QVERIFY(event[QStringLiteral("count")].toInt() > 0);
        QCOMPARE(event[QStringLiteral("session")].toString(),
                 sessions[event[QStringLiteral("identity")].toString()]);
    }
    if (attacks > 0)
        QVERIFY(attacker.isDone());
}

DTLSD_TEST(TestMoving)

#include "tst_moving.moc"
