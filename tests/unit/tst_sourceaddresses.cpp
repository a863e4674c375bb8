// SPDX-License-Identifier: Apache-2.0
#include "forward/ForwardOptions.h"
#include "forward/SourceAddresses.h"
#include "support/TestProgram.h"

#include <QHostAddress>

#include <array>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

using namespace dtlsd;
using namespace std::chrono_literals;

namespace {

using BootTime = SourceAddresses::BootTime;
using Family = SourceAddresses::Family;

// From SourceAddresses.h: 254 * 65,536 hosts with 4536 ports each, one every 10 us.
constexpr BootTime wholeRound = 254LL * 65'536 * 4536 * 10us;
constexpr BootTime anyTime = 1234h;

/// When each address was last used by a session that has ended.
class Witness
{
public:
    /// Notes that a session uses @p address, from @p now to @p end. false: it has not rested.
    bool use(const SocketAddress &address, BootTime now, BootTime end)
    {
        const auto before = m_ends.find(address);
        const bool hasRested =
            before == m_ends.end() || now - before->second >= SourceAddresses::rest;
        m_ends[address] = end;
        return hasRested;
    }

private:
    std::map<SocketAddress, BootTime> m_ends;
};

SocketAddress at(const char *text)
{
    return SocketAddress::parse(QString::fromLatin1(text)).value();
}

} // namespace

class TestSourceAddresses : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theyAreOfThisMachineAndAboveOthersPorts_data();
    void theyAreOfThisMachineAndAboveOthersPorts();
    void noneIsGivenOutTwiceInARow();
    void aPortThatIsTakenIsPassedAtOnce();
    void aNextProcessGoesOn();
    void anAddressRestsWhereTheRingComesRound_data();
    void anAddressRestsWhereTheRingComesRound();
    void sessionsThatComeAndGoNeverMeet_data();
    void sessionsThatComeAndGoNeverMeet();
    void theIPv6OnesRunOutAndSaySo();
    void workersNeverGetTheSame();
    void whatIsNotOfTheRingIsNotTakenBack();
    void wordsAreReadBack_data();
    void wordsAreReadBack();
    void aDamagedWordIsHarmless();
};

void TestSourceAddresses::theyAreOfThisMachineAndAboveOthersPorts_data()
{
    QTest::addColumn<int>("family");
    QTest::newRow("IPv4") << static_cast<int>(Family::IPv4);
    QTest::newRow("IPv6") << static_cast<int>(Family::IPv6);
}

void TestSourceAddresses::theyAreOfThisMachineAndAboveOthersPorts()
{
    QFETCH(int, family);
    const bool isIPv4 = static_cast<Family>(family) == Family::IPv4;
    std::mt19937_64 random(1);
    for (int i = 0; i < 2000; ++i) {
        SourceAddresses addresses(static_cast<Family>(family));
        const auto address =
            addresses.next(BootTime(random() % static_cast<quint64>(3 * wholeRound.count())));
        QVERIFY(address);
        QCOMPARE(address->isIPv4(), isIPv4);
        QVERIFY2(address->address().isLoopback(), address->toUtf8().constData());
        QVERIFY2(address->port() > 60'999, address->toUtf8().constData());
        QVERIFY(addresses.has(*address));
        // 127.0.0.0/16 is where services are; 127.255.255.255 is a broadcast.
        const QHostAddress host = address->address();
        QVERIFY(!isIPv4 || !host.isInSubnet(QHostAddress(QStringLiteral("127.0.0.0")), 16));
        QVERIFY(!isIPv4 || !host.isInSubnet(QHostAddress(QStringLiteral("127.255.0.0")), 16));
    }
}

void TestSourceAddresses::noneIsGivenOutTwiceInARow()
{
    SourceAddresses addresses(Family::IPv4);
    std::set<SocketAddress> given;
    for (int i = 0; i < 100'000; ++i) // in one moment
        QVERIFY(given.insert(addresses.next(anyTime).value()).second);
    for (int i = 0; i < 1000; ++i) // some of them while the clock catches up
        QVERIFY(given.insert(addresses.next(anyTime + i * 1ms).value()).second);
}

/// Of a process that is bound to 0.0.0.0, for example.
void TestSourceAddresses::aPortThatIsTakenIsPassedAtOnce()
{
    SourceAddresses addresses(Family::IPv4);
    std::set<std::uint16_t> ports;
    for (int i = 0; i < 1000; ++i)
        QVERIFY(ports.insert(addresses.next(anyTime)->port()).second);
}

/// Nothing is kept but the clock: for each address that a process has given out, the next one looks
/// as if it knew.
void TestSourceAddresses::aNextProcessGoesOn()
{
    std::set<SocketAddress> given;
    BootTime now = anyTime;
    for (int process = 0; process < 20; ++process) {
        SourceAddresses addresses(Family::IPv4);
        for (int burst = 0; burst < 3; ++burst) {
            for (int i = 0; i < 2000; ++i) // 2000 sockets take longer than 20 ms
                QVERIFY(given.insert(addresses.next(now).value()).second);
            now += 20ms;
        }
    }
}

void TestSourceAddresses::anAddressRestsWhereTheRingComesRound_data()
{
    QTest::addColumn<qint64>("silenceMs"); // of other sessions, before this one ends
    QTest::newRow("while others come and go") << qint64{0};
    QTest::newRow("after an hour without a new session") << qint64{3'600'000};
    QTest::newRow("after a week without a new session") << qint64{7LL * 24 * 3'600'000};
}

void TestSourceAddresses::anAddressRestsWhereTheRingComesRound()
{
    QFETCH(qint64, silenceMs);
    SourceAddresses addresses(Family::IPv4);
    const SocketAddress old = addresses.next(anyTime).value();
    // Its session ends two minutes before the ring is there again.
    const BootTime end = anyTime + wholeRound - 2min;
    static_cast<void>(addresses.next(end - std::chrono::milliseconds(silenceMs)));
    addresses.giveBack(old, end);
    for (const BootTime now : {anyTime + wholeRound, end + SourceAddresses::rest - 1ms})
        QVERIFY(addresses.next(now) != old);

    // A round later it is used again.
    const BootTime later = anyTime + 2 * wholeRound;
    QCOMPARE(addresses.next(later), old);
}

void TestSourceAddresses::sessionsThatComeAndGoNeverMeet_data()
{
    QTest::addColumn<int>("family");
    QTest::addColumn<qint64>("betweenMs");
    QTest::addColumn<qint64>("longestMs");
    QTest::newRow("IPv4, many short ones")
        << static_cast<int>(Family::IPv4) << qint64{1} << qint64{10'000};
    QTest::newRow("IPv4, some that live for weeks")
        << static_cast<int>(Family::IPv4) << qint64{60'000} << qint64{20LL * 24 * 3'600'000};
    QTest::newRow("IPv6, many short ones")
        << static_cast<int>(Family::IPv6) << qint64{200} << qint64{10'000};
    QTest::newRow("IPv6, more than there is room for")
        << static_cast<int>(Family::IPv6) << qint64{40} << qint64{100'000};
    QTest::newRow("IPv6, some that live for hours")
        << static_cast<int>(Family::IPv6) << qint64{10'000} << qint64{8LL * 3'600'000};
}

void TestSourceAddresses::sessionsThatComeAndGoNeverMeet()
{
    QFETCH(int, family);
    QFETCH(qint64, betweenMs);
    QFETCH(qint64, longestMs);
    SourceAddresses addresses(static_cast<Family>(family));
    std::mt19937_64 random(7);
    std::multimap<BootTime, SocketAddress> ends;
    std::set<SocketAddress> used;
    Witness witness;
    BootTime now = anyTime;
    int refused = 0;
    constexpr int sessions = 20'000;
    for (int i = 0; i < sessions; ++i) {
        // Bursts, and silence between them.
        now += random() % 50 == 0 ? 50 * std::chrono::milliseconds(betweenMs) : BootTime(0);
        while (!ends.empty() && ends.begin()->first <= now) {
            addresses.giveBack(ends.begin()->second, ends.begin()->first);
            used.erase(ends.begin()->second);
            ends.erase(ends.begin());
        }
        auto address = addresses.next(now);
        for (int again = 0; address && used.contains(*address) && again < 64; ++again)
            address = addresses.next(now); // bind(2) says that it is in use
        if (!address || used.contains(*address)) {
            ++refused;
            continue;
        }
        const BootTime end =
            now + std::chrono::milliseconds(random() % static_cast<quint64>(longestMs));
        QVERIFY2(witness.use(*address, now, end), address->toUtf8().constData());
        used.insert(*address);
        ends.emplace(end, *address);
    }
    QVERIFY(refused < sessions);
    if (static_cast<Family>(family) == Family::IPv4)
        QCOMPARE(refused, 0);
}

void TestSourceAddresses::theIPv6OnesRunOutAndSaySo()
{
    SourceAddresses addresses(Family::IPv6);
    std::set<SocketAddress> given;
    for (std::int64_t i = 0; i < sourcesForIPv6; ++i)
        QVERIFY(given.insert(addresses.next(anyTime).value()).second);
    QVERIFY(given.contains(addresses.next(anyTime).value())); // bind(2) says that it is in use

    for (const SocketAddress &address : given)
        addresses.giveBack(address, anyTime);
    const auto isNone = [&](BootTime now) {
        for (int i = 0; i < 200; ++i) { // further than once round
            if (addresses.next(now))
                return false;
        }
        return true;
    };
    QVERIFY(isNone(anyTime));
    QVERIFY(isNone(anyTime + SourceAddresses::rest - 1us));
    // All of them again.
    for (std::int64_t i = 0; i < sourcesForIPv6; ++i)
        QVERIFY(given.erase(addresses.next(anyTime + SourceAddresses::rest).value()) == 1);
}

void TestSourceAddresses::workersNeverGetTheSame()
{
    SourceAddresses addresses(Family::IPv4);
    std::array<std::vector<SocketAddress>, 4> given;
    {
        std::vector<std::jthread> workers;
        workers.reserve(given.size());
        for (std::vector<SocketAddress> &its : given)
            workers.emplace_back([&] {
                for (int i = 0; i < 2000; ++i) {
                    its.push_back(addresses.next(anyTime).value());
                    addresses.giveBack(its.back(), anyTime);
                }
            });
    }
    std::set<SocketAddress> all;
    for (const std::vector<SocketAddress> &its : given)
        all.insert(its.begin(), its.end());
    QCOMPARE(all.size(), std::size_t{8000});
}

void TestSourceAddresses::whatIsNotOfTheRingIsNotTakenBack()
{
    for (const Family family : {Family::IPv4, Family::IPv6}) {
        SourceAddresses addresses(family);
        for (const char *other :
             {"127.0.0.1:61000", "127.1.0.0:60999", "127.255.0.0:61000", "128.1.0.0:61000",
              "10.0.0.1:65535", "[::1]:60999", "[::2]:61000", "[fe80::1]:61000", "0.0.0.0:0"}) {
            QVERIFY2(!addresses.has(at(other)), other);
            addresses.giveBack(at(other), anyTime);
        }
        QVERIFY(!addresses.has({}));
        addresses.giveBack({}, anyTime);
        QVERIFY(addresses.next(anyTime));
    }
    const SourceAddresses ipv4(Family::IPv4);
    const SourceAddresses ipv6(Family::IPv6);
    for (const char *first : {"127.1.0.0:61000", "127.254.255.255:65535"}) {
        QVERIFY(ipv4.has(at(first)));
        QVERIFY(!ipv6.has(at(first)));
    }
    for (const char *first : {"[::1]:61000", "[::1]:65535"}) {
        QVERIFY(ipv6.has(at(first)));
        QVERIFY(!ipv4.has(at(first)));
    }
}

void TestSourceAddresses::wordsAreReadBack_data()
{
    QTest::addColumn<QByteArray>("address");
    for (const char *address : {"127.1.0.0:61000", "127.254.255.255:65535", "127.128.7.9:64000",
                                "[::1]:61000", "[::1]:65535"})
        QTest::newRow(address) << QByteArray(address);
}

void TestSourceAddresses::wordsAreReadBack()
{
    QFETCH(QByteArray, address);
    const std::uint64_t word = SourceAddresses::wordOf(at(address));
    QVERIFY(word != 0);
    QCOMPARE(SourceAddresses::addressOf(word), at(address));
}

/// Whatever a word says, nothing but an address of the ring is bound to.
void TestSourceAddresses::aDamagedWordIsHarmless()
{
    QCOMPARE(SourceAddresses::wordOf({}), std::uint64_t{0});
    QCOMPARE(SourceAddresses::addressOf(0), SocketAddress());
    const SourceAddresses ipv4(Family::IPv4);
    const SourceAddresses ipv6(Family::IPv6);
    const auto verify = [&](std::uint64_t word) {
        const SocketAddress address = SourceAddresses::addressOf(word);
        if (!ipv4.has(address) && !ipv6.has(address))
            return;
        QCOMPARE(SourceAddresses::wordOf(address), word);
        QVERIFY(address.address().isLoopback());
        QVERIFY(!(ipv4.has(address) && ipv6.has(address)));
    };
    for (const char *sound : {"127.1.2.3:61234", "[::1]:61234"}) {
        const std::uint64_t word = SourceAddresses::wordOf(at(sound));
        for (int bit = 0; bit < 64; ++bit) {
            verify(word ^ std::uint64_t{1} << bit);
            for (int other = 0; other < bit; ++other)
                verify(word ^ std::uint64_t{1} << bit ^ std::uint64_t{1} << other);
        }
    }
    std::mt19937_64 random(3);
    for (int i = 0; i < 100'000; ++i)
        verify(random() >> random() % 64);
    verify(~std::uint64_t{0});
}

DTLSD_TEST(TestSourceAddresses)
#include "tst_sourceaddresses.moc"
