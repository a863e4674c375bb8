// SPDX-License-Identifier: Apache-2.0
//
// Two instances behind a balancer that hashes addresses, each with a network of its own, share the
// secret of their cookies; one is killed under traffic, and devices with connection IDs move. Run
// by `balanced-network`.
#include "support/CraftedHello.h"
#include "support/DaemonProcess.h"
#include "support/KeyedLink.h"
#include "support/OwnLink.h"
#include "support/PersistentDevice.h"
#include "support/TestKey.h"
#include "wire/Record.h"

#include <QHash>
#include <QNetworkDatagram>
#include <QTest>
#include <QUdpSocket>

#include <algorithm>
#include <memory>
#include <vector>

#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

namespace {

constexpr int devices = 40;
constexpr int messagesEach = 150;
constexpr int beforeTheKill = 10;

const SocketAddress balancer(QHostAddress(u"10.1.0.1"_s), 22334);

QByteArray configuration(const QByteArray &address, int node)
{
    return "[server]\nnode = " + QByteArray::number(node) + "\nlisten = " + address +
           ":22334\nworkers = 2\nreply = echo\ncookie_secret = file:cookie.key\n"
           "[control]\nsocket =\n[psk]\nfile =\n[identity device]\nkey = hex:" +
           hexKey + '\n';
}

std::unique_ptr<DaemonProcess> makeInstance(const QString &host, const QByteArray &address,
                                            int node)
{
    auto daemon = std::make_unique<DaemonProcess>(configuration(address, node));
    daemon->write(u"cookie.key"_s, QByteArray(64, 'c'));
    daemon->runBy({u"ip"_s, {u"netns"_s, u"exec"_s, host}});
    return daemon;
}

std::unique_ptr<PersistentDevice> makeDevice(int number)
{
    return std::make_unique<PersistentDevice>(PersistentDevice::Task{
        .makeLink =
            [] {
                return std::make_unique<OwnLink>(DtlsClient::Options{.identity = "device",
                                                                     .key = PskKey(testKey),
                                                                     .ciphers = {},
                                                                     .handshakeTimeout = 10s});
            },
        .server = balancer,
        .messages = PersistentDevice::messagesOf(number, messagesEach),
        .handshakes = 2,
        .repeatAfter = 500ms,
        .pause = 20ms,
        .patience = 6});
}

/// Of the balancer, from now on.
bool spread(const QStringList &hosts)
{
    ChildProcess process;
    return process.run({QStringLiteral(DTLSD_SOURCE_DIR "/tests/integration/balanced-network"),
                        QStringList{u"spread"_s} + hosts}) &&
           process.waitForEnd() && process.exitCode() == 0;
}

/// What comes to @p socket for @p hello.
QByteArray answerTo(const CraftedHello &hello, QUdpSocket &socket)
{
    socket.writeDatagram(hello.datagram(), balancer.address(), balancer.port());
    if (!waitUntil([&] { return socket.hasPendingDatagrams(); }, QDeadlineTimer(patience)))
        return {};
    return socket.receiveDatagram().data();
}

} // namespace

class TestBalanced : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void aHelloThatOneHasAnsweredIsTakenByTheOther();
    void devicesOfAKilledInstanceAreBackOnTheOther();
    void devicesThatMoveStayOnTheirInstance();

private:
    template <class Predicate>
    bool waitForAll(Predicate predicate)
    {
        return waitUntil([&] { return std::all_of(m_fleet.begin(), m_fleet.end(), predicate); },
                         QDeadlineTimer(4 * patience));
    }

    std::unique_ptr<DaemonProcess> m_one;
    std::unique_ptr<DaemonProcess> m_two;
    std::vector<std::unique_ptr<PersistentDevice>> m_fleet;
};

void TestBalanced::initTestCase()
{
    if (::geteuid() != 0)
        QSKIP("networks of their own need root");
}

void TestBalanced::init()
{
    QVERIFY(spread({u"one"_s, u"two"_s}));
    m_one = makeInstance(u"one"_s, "10.1.1.2", 0);
    m_two = makeInstance(u"two"_s, "10.1.2.2", 1);
    QVERIFY2(m_one->start(), qPrintable(m_one->errorText()));
    QVERIFY2(m_two->start(), qPrintable(m_two->errorText()));
}

void TestBalanced::cleanup()
{
    m_fleet.clear();
    m_one.reset();
    m_two.reset();
}

void TestBalanced::aHelloThatOneHasAnsweredIsTakenByTheOther()
{
    QUdpSocket socket;
    QVERIFY(socket.bind(QHostAddress(QHostAddress::AnyIPv4)));
    CraftedHello hello;
    QVERIFY(spread({u"one"_s}));
    const std::optional<QByteArray> cookie = cookieOf(answerTo(hello, socket));
    QVERIFY(cookie);
    hello.cookie = *cookie;
    QVERIFY(spread({u"two"_s}));
    const QByteArray answer = answerTo(hello, socket);
    const std::optional<Record> record = RecordReader(answer).next();
    QVERIFY(record);
    QCOMPARE(record->type, ContentType::Handshake);
    constexpr char serverHello = 2; // RFC 5246 §7.4; a HelloVerifyRequest is 3
    QCOMPARE(record->fragment().front(), serverHello);
}

void TestBalanced::devicesOfAKilledInstanceAreBackOnTheOther()
{
    for (int number = 1; number <= devices; ++number) {
        m_fleet.push_back(makeDevice(number));
        m_fleet.back()->start();
    }
    QVERIFY(waitForAll([](const auto &device) { return device->acknowledged() > beforeTheKill; }));
    const QString opened = u"session-opened"_s;
    const qsizetype onOne = m_one->events(opened).size();
    const qsizetype onTwo = m_two->events(opened).size();
    QVERIFY2(onOne > 0 && onTwo > 0, "the balancer leaves one out");

    m_one->process().kill();
    QVERIFY(m_one->process().waitForEnd());
    QVERIFY(spread({u"two"_s}));
    QVERIFY(waitForAll([](const auto &device) { return device->isDone(); }));

    // Whoever had no answer began anew, once: with one handshake it was on the other.
    int again = 0;
    for (const auto &device : m_fleet) {
        again += device->handshakesBegun() - 1;
        device->close();
    }
    QVERIFY(again > 0);
    QCOMPARE(m_two->events(opened).size(), onTwo + again);
    QCOMPARE(m_two->stop(), 0);

    QHash<QByteArray, int> entries;
    for (const auto &daemon : {m_one.get(), m_two.get()}) {
        for (const QJsonObject &entry : daemon->events(u"datagram-received"_s))
            ++entries[entry[u"payload"_s].toString().toUtf8()];
    }
    for (const auto &device : m_fleet) {
        for (qsizetype i = 0; i < messagesEach; ++i) {
            const int found = entries.take(device->messages()[i]);
            QVERIFY2(found >= 1 && found <= device->timesSent(i),
                     device->messages()[i].constData());
        }
    }
    QVERIFY(entries.isEmpty());
    qInfo("%d devices of the killed instance came back on the other", again);
}

void TestBalanced::devicesThatMoveStayOnTheirInstance()
{
    constexpr int travellers = 20;
    constexpr int moves = 10;
    for (int number = 0; number < travellers; ++number) {
        KeyedLink device({.identity = "device", .key = testKey, .connectionId = QByteArray()});
        QByteArray heard;
        bool isConnected = false;
        connect(&device, &KeyedLink::connected, this, [&] { isConnected = true; });
        connect(&device, &KeyedLink::received, this, [&](const QByteArray &text) { heard = text; });
        device.start(balancer);
        QVERIFY(waitUntil([&] { return isConnected; }, QDeadlineTimer(patience)));
        for (int i = 0; i < moves; ++i) {
            const QByteArray message = "place " + QByteArray::number(i);
            device.send(message);
            QVERIFY2(waitUntil([&] { return heard == message; }, QDeadlineTimer(patience)),
                     message.constData());
            device.moveTo(balancer);
        }
        device.close();
    }
    QCOMPARE(m_one->stop(), 0);
    QCOMPARE(m_two->stop(), 0);
    const auto count = [](DaemonProcess &daemon, const QString &event) {
        return daemon.events(event).size();
    };
    const qsizetype onOne = count(*m_one, u"session-opened"_s);
    const qsizetype onTwo = count(*m_two, u"session-opened"_s);
    QVERIFY2(onOne > 0 && onTwo > 0, "the balancer leaves one out");
    QCOMPARE(onOne + onTwo, travellers);
    QCOMPARE(count(*m_one, u"datagram-received"_s), onOne * moves);
    QCOMPARE(count(*m_two, u"datagram-received"_s), onTwo * moves);
}

QTEST_GUILESS_MAIN(TestBalanced)
#include "tst_balanced.moc"
