// SPDX-License-Identifier: Apache-2.0
//
// Which of four sockets at one address the kernel gives a datagram to, with a rule like that for
// connection IDs: datagrams that begin with 25 have the chooser behind eleven bytes more.
#include "net/DatagramSocket.h"
#include "net/Steering.h"
#include "support/TestProgram.h"

#include <QUdpSocket>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include <sys/socket.h>

using namespace dtlsd;

namespace {

constexpr std::size_t groupSize = 4;
constexpr std::size_t sourceCount = 64;
constexpr Steering rule{.firstByte = 25, .chooserPlace = 12, .sockets = groupSize};

QByteArray steered(int chooser, qsizetype size = 60)
{
    return QByteArray(1, char(25)) + QByteArray(11, '\x01') + static_cast<char>(chooser) +
           QByteArray(size - 13, 'x');
}

/// Sockets at one address in the order in which they were bound, and sources that send to it.
class Group
{
public:
    explicit Group(const QString &host)
        : m_address(SocketAddress::parse(host + QStringLiteral(":0")).value())
    {
        for (std::size_t i = 0; i < groupSize; ++i) {
            const auto sharing =
                i == 0 ? DatagramSocket::Sharing::First : DatagramSocket::Sharing::Sibling;
            sockets.push_back(DatagramSocket::open(m_address, {.sharing = sharing}).value());
            m_address = DatagramSocket::addressOf(sockets.back().number());
        }
        for (auto &source : m_sources) {
            source = std::make_unique<QUdpSocket>();
            source->bind(m_address.address());
        }
    }

    /// Where a datagram comes to that each source sends; -1: nowhere.
    std::vector<int> placesOf(const QByteArray &datagram)
    {
        std::vector<int> places;
        for (const auto &source : m_sources) {
            source->writeDatagram(datagram, m_address.address(), m_address.port());
            places.push_back(placeOf(datagram));
        }
        return places;
    }

    std::vector<Descriptor> sockets;

private:
    int placeOf(const QByteArray &datagram)
    {
        for (std::size_t i = 0; i < sockets.size(); ++i) {
            std::array<char, 100> room{};
            const ssize_t size = recv(sockets[i].number(), room.data(), room.size(), MSG_DONTWAIT);
            if (size >= 0)
                return QByteArrayView(room.data(), size) == datagram ? static_cast<int>(i) : -1;
        }
        return -1;
    }

    SocketAddress m_address;
    std::array<std::unique_ptr<QUdpSocket>, sourceCount> m_sources;
};

std::vector<int> allAt(int place)
{
    return std::vector<int>(sourceCount, place);
}

} // namespace

class TestSteering : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theChooserNamesTheSocket_data() { hosts(); }
    void theChooserNamesTheSocket();
    void otherDatagramsAreSpreadAsBefore_data();
    void otherDatagramsAreSpreadAsBefore();
    void theLastSocketTakesTheNumberOfOneThatIsClosed();
    void aRuleCanBeReplacedAndEnded();
    void aRefusalSaysWhereAndWhy();

private:
    static void hosts()
    {
        QTest::addColumn<QString>("host");
        QTest::newRow("IPv4") << QStringLiteral("127.0.0.1");
        QTest::newRow("IPv6") << QStringLiteral("[::1]");
    }
};

void TestSteering::theChooserNamesTheSocket()
{
    QFETCH(QString, host);
    Group group(host);
    QVERIFY(rule.attachTo(group.sockets.back().number()));
    for (const int chooser : {0, 1, 2, 3, 4, 9, 254, 255})
        QCOMPARE(group.placesOf(steered(chooser)), allAt(chooser % 4));
    QCOMPARE(group.placesOf(steered(2, 13)), allAt(2)); // nothing behind the chooser
}

void TestSteering::otherDatagramsAreSpreadAsBefore_data()
{
    QTest::addColumn<QString>("host");
    QTest::addColumn<QByteArray>("datagram");
    for (const QString &host : {QStringLiteral("127.0.0.1"), QStringLiteral("[::1]")}) {
        const auto row = [&](const char *name, const QByteArray &datagram) {
            QTest::addRow("%s to %s", name, qPrintable(host)) << host << datagram;
        };
        row("an empty one", {});
        row("one byte", "\x16");
        row("one byte, which is 25", "\x19");
        row("one that ends before the chooser", steered(0).first(12));
        row("one that begins with 22", '\x16' + steered(0).sliced(1));
        row("one that begins with 24", '\x18' + steered(0).sliced(1));
        row("one that begins with 26", '\x1a' + steered(0).sliced(1));
    }
}

void TestSteering::otherDatagramsAreSpreadAsBefore()
{
    QFETCH(QString, host);
    QFETCH(QByteArray, datagram);
    Group group(host);
    const std::vector<int> before = group.placesOf(datagram);
    for (int place = 0; place < static_cast<int>(groupSize); ++place)
        QVERIFY(std::ranges::count(before, place) > 0);
    QVERIFY(rule.attachTo(group.sockets.front().number()));
    QCOMPARE(group.placesOf(datagram), before);
}

void TestSteering::theLastSocketTakesTheNumberOfOneThatIsClosed()
{
    Group group(QStringLiteral("127.0.0.1"));
    QVERIFY(rule.attachTo(group.sockets[0].number()));
    group.sockets[0] = std::move(group.sockets[3]);
    group.sockets.pop_back();
    for (const int chooser : {0, 1, 2})
        QCOMPARE(group.placesOf(steered(chooser)), allAt(chooser));
    QCOMPARE(group.placesOf(steered(3)), group.placesOf("by the hash"));
}

void TestSteering::aRuleCanBeReplacedAndEnded()
{
    Group group(QStringLiteral("127.0.0.1"));
    const int any = group.sockets[2].number();
    const std::vector<int> before = group.placesOf(steered(3));
    Steering::detachFrom(any); // nothing to end
    QVERIFY(rule.attachTo(any));
    QCOMPARE(group.placesOf(steered(3)), allAt(3));
    QVERIFY((Steering{.firstByte = 25, .chooserPlace = 12, .sockets = 2}.attachTo(any)));
    QCOMPARE(group.placesOf(steered(3)), allAt(1));
    QVERIFY((Steering{.firstByte = 'x', .chooserPlace = 1, .sockets = 4}.attachTo(any)));
    QCOMPARE(group.placesOf(steered(3)), before);
    QCOMPARE(group.placesOf("x\x02"), allAt(2));
    Steering::detachFrom(any);
    QCOMPARE(group.placesOf("x\x02"), before);
}

void TestSteering::aRefusalSaysWhereAndWhy()
{
    const auto refusalOf = [](const Steering &steering, int descriptor) {
        const Result<> attached = steering.attachTo(descriptor);
        return attached ? QString() : attached.error().message;
    };
    const auto sentence = [](int descriptor, const char *why) {
        return QStringLiteral("cannot steer datagrams among the sockets at %1: %2")
            .arg(DatagramSocket::addressOf(descriptor).toString(), QLatin1String(why));
    };
    const auto alone = DatagramSocket::open(SocketAddress::parse(u"[::1]:0").value(), {});
    const int only = alone.value().number();
    QCOMPARE(refusalOf(rule, only), sentence(only, "Invalid argument"));

    Group group(QStringLiteral("127.0.0.1"));
    const int any = group.sockets[1].number();
    const Steering toNone{.firstByte = 25, .chooserPlace = 12, .sockets = 0};
    QCOMPARE(refusalOf(toNone, any), sentence(any, "Invalid argument"));
    const int on = 1;
    QCOMPARE(setsockopt(any, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on), 0);
    QCOMPARE(refusalOf(rule, any), sentence(any, "Operation not permitted"));
    QCOMPARE(group.placesOf(steered(3)), group.placesOf("by the hash"));
}

DTLSD_TEST(TestSteering)
#include "tst_steering.moc"
