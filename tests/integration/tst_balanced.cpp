// SPDX-License-Identifier: Apache-2.0
//
// Two instances behind a balancer that hashes addresses, each with a network of its own, share the
// secret of their cookies; one is killed under traffic. Run by `balanced-network`.
#include "support/DaemonProcess.h"
#include "support/OwnLink.h"
#include "support/PersistentDevice.h"

#include <QHash>
#include <QTest>

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

const QByteArray key = QByteArray::fromHex("00112233445566778899aabbccddeeff");

QByteArray configuration(const QByteArray &address)
{
    return "[server]\nlisten = " + address +
           ":22334\nworkers = 2\nreply = echo\ncookie_secret = file:cookie.key\n"
           "[control]\nsocket =\n[psk]\nfile =\n[identity device]\nkey = hex:" +
           key.toHex() + '\n';
}

std::unique_ptr<DaemonProcess> makeInstance(const QString &host, const QByteArray &address)
{
    auto daemon = std::make_unique<DaemonProcess>(configuration(address));
    daemon->write(u"cookie.key"_s, QByteArray(64, 'c'));
    daemon->runBy({u"ip"_s, {u"netns"_s, u"exec"_s, host}});
    return daemon;
}

std::unique_ptr<PersistentDevice> makeDevice(int number)
{
    QList<QByteArray> messages;
    for (int i = 1; i <= messagesEach; ++i)
        messages << "message " + QByteArray::number(i) + " of device " + QByteArray::number(number);
    return std::make_unique<PersistentDevice>(PersistentDevice::Task{
        .makeLink =
            [] {
                return std::make_unique<OwnLink>(DtlsClient::Options{.identity = "device",
                                                                     .key = PskKey(key),
                                                                     .ciphers = {},
                                                                     .handshakeTimeout = 10s});
            },
        .server = SocketAddress(QHostAddress(u"10.1.0.1"_s), 22334),
        .messages = messages,
        .handshakes = 2,
        .repeatAfter = 500ms,
        .pause = 20ms,
        .patience = 6});
}

} // namespace

class TestBalanced : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void devicesOfAKilledInstanceAreBackOnTheOther();

private:
    template <class Predicate>
    bool waitForAll(Predicate predicate)
    {
        return waitUntil([&] { return std::all_of(m_fleet.begin(), m_fleet.end(), predicate); },
                         QDeadlineTimer(4 * patience));
    }

    std::vector<std::unique_ptr<PersistentDevice>> m_fleet;
};

void TestBalanced::initTestCase()
{
    if (::geteuid() != 0)
        QSKIP("networks of their own need root");
}

void TestBalanced::devicesOfAKilledInstanceAreBackOnTheOther()
{
    const auto one = makeInstance(u"one"_s, "10.1.1.2");
    const auto two = makeInstance(u"two"_s, "10.1.2.2");
    QVERIFY2(one->start(), qPrintable(one->errorText()));
    QVERIFY2(two->start(), qPrintable(two->errorText()));
    for (int number = 1; number <= devices; ++number) {
        m_fleet.push_back(makeDevice(number));
        m_fleet.back()->start();
    }
    QVERIFY(waitForAll([](const auto &device) { return device->acknowledged() > beforeTheKill; }));
    const QString opened = u"session-opened"_s;
    const qsizetype onOne = one->events(opened).size();
    const qsizetype onTwo = two->events(opened).size();
    QVERIFY2(onOne > 0 && onTwo > 0, "the balancer leaves one out");

    one->process().kill();
    QVERIFY(one->process().waitForEnd());
    ChildProcess spread;
    QVERIFY(spread.run({QStringLiteral(DTLSD_SOURCE_DIR "/tests/integration/balanced-network"),
                        {u"spread"_s, u"two"_s}}));
    QVERIFY(spread.waitForEnd());
    QCOMPARE(spread.exitCode(), 0);
    QVERIFY(waitForAll([](const auto &device) { return device->isDone(); }));

    // Whoever had no answer began anew, once: with one handshake it was on the other.
    int again = 0;
    for (const auto &device : m_fleet) {
        again += device->handshakesBegun() - 1;
        device->close();
    }
    QVERIFY(again > 0);
    QCOMPARE(two->events(opened).size(), onTwo + again);
    QCOMPARE(two->stop(), 0);

    QHash<QByteArray, int> entries;
    for (const auto &daemon : {one.get(), two.get()}) {
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

QTEST_GUILESS_MAIN(TestBalanced)
#include "tst_balanced.moc"
