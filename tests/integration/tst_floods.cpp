// SPDX-License-Identifier: Apache-2.0
//
// Floods against the daemon, with honest devices beside each: none of them loses a message or its
// session, what the attacker gets back is bounded by what it sent, and memory, file descriptors
// and log lines stay bounded whatever comes. One line per flood says what was counted.
#include "support/CraftedHello.h"
#include "support/Garbage.h"
#include "support/Siege.h"
#include "support/TestProgram.h"

#include <QCryptographicHash>
#include <QSet>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int divisor = 10;
#else
constexpr int divisor = 1;
#endif

// Of a half-open handshake, in KiB. One took 82 on our TLS backend and 117 on Qt's, which has a
// context for each.
const qint64 perHandshake = qEnvironmentVariable("DTLSD_TEST_TLS_BACKEND") == u"qt" ? 160 : 110;
constexpr qint64 receiveBuffers = Siege::workers * 4096L; // KiB: 64 slots of 64 KiB each
constexpr qint64 slack = 4096;                            // KiB

QByteArray randomOf(const SocketAddress &source)
{
    return QCryptographicHash::hash(source.toString().toLatin1(), QCryptographicHash::Sha256);
}

SocketAddress oneOfMany(int number)
{
    return SpoofedPeers::at(static_cast<quint32>(number), static_cast<quint16>(5000 + number % 7));
}

SocketAddress portOfOne(int number)
{
    return SpoofedPeers::at(7, static_cast<quint16>(2000 + number));
}

} // namespace

class TestFloods : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup();
    void hellosWithoutCookieCostNothing();
    void halfOpenHandshakesGiveWay_data();
    void halfOpenHandshakesGiveWay();
    void hellosOverTheRateWaitInSilence();
    void garbageEndsNothing();
    void aHastyDeviceLeavesRoomForTheOthers();

private:
    [[nodiscard]] bool begin(const QByteArray &config);
    void beginHandshakes(int count, SocketAddress (*source)(int));
    void look(const SocketAddress &from, QByteArrayView answer);

    std::unique_ptr<Siege> m_siege;
    std::unordered_map<SocketAddress, int> m_verifyRequests;
    std::unordered_set<SocketAddress> m_admitted; // got anything else
};

void TestFloods::initTestCase()
{
    const auto attacker =
        SpoofedPeers::against(SocketAddress(QHostAddress(QHostAddress::LocalHost), 9));
    if (!attacker)
        QSKIP(qPrintable(attacker.error().message));
}

bool TestFloods::begin(const QByteArray &config)
{
    m_verifyRequests.clear();
    m_admitted.clear();
    m_siege = std::make_unique<Siege>(config);
    m_siege->begin();
    return !QTest::currentTestFailed();
}

void TestFloods::cleanup()
{
    m_siege.reset();
}

void TestFloods::hellosWithoutCookieCostNothing()
{
    if (!begin({}))
        return;
    const CraftedHello minimal;
    const CraftedHello forged{.cookie = QByteArray(32, 'c')};
    const CraftedHello padded{.padding = 1000};
    const QList<QByteArray> shapes{minimal.datagram(),          forged.datagram(),
                                   padded.datagram(),           forged.firstFragment(70),
                                   minimal.firstFragment(36),   minimal.firstFragment(34),
                                   minimal.lastFragment(36),    minimal.datagram().first(59),
                                   minimal.datagram().first(30)};
    constexpr int count = 100'000 / divisor;
    for (int i = 0; i < count; ++i) {
        const auto port = static_cast<quint16>(1024 + i % 60'000);
        m_siege->attacker->send(SpoofedPeers::at(static_cast<quint32>(i % 4001), port),
                                shapes[i % shapes.size()]);
        if (i % Siege::batch == 0)
            m_siege->pump();
    }
    m_siege->pump();
    QVERIFY(m_siege->honest.goRound());
    m_siege->countAnswers();
    QCOMPARE(m_siege->sent.datagrams, count);
    QVERIFY(m_siege->answered.datagrams > 0);
    m_siege->end({.memory = slack});
    QVERIFY(m_siege->log.events(QStringLiteral("handshake-failed")).isEmpty());
}

void TestFloods::look(const SocketAddress &from, QByteArrayView answer)
{
    const auto cookie = cookieOf(answer);
    if (!cookie) {
        m_admitted.insert(from);
        return;
    }
    ++m_verifyRequests[from];
    const CraftedHello hello{.random = randomOf(from), .cookie = *cookie};
    m_siege->attacker->send(from, hello.datagram());
}

void TestFloods::beginHandshakes(int count, SocketAddress (*source)(int))
{
    const auto looking = [this](const SocketAddress &from, QByteArrayView answer) {
        look(from, answer);
    };
    for (int i = 0; i < count; ++i) {
        const CraftedHello hello{.random = randomOf(source(i))};
        m_siege->attacker->send(source(i), hello.datagram());
        if (i % Siege::batch == 0)
            m_siege->pump(looking);
    }
    // What the server repeats until it gives up belongs to the flood.
    const auto isOver = [&] {
        m_siege->pump(looking);
        const QList<qint64> halfOpen = m_siege->halfOpenSoFar();
        return !halfOpen.isEmpty() && halfOpen.constLast() == 0 &&
               *std::max_element(halfOpen.cbegin(), halfOpen.cend()) > 0;
    };
    QVERIFY(waitUntil(isOver, QDeadlineTimer(patience)));
    m_siege->countAnswers();
    QVERIFY(!m_admitted.empty());
    // One request for each hello without cookie, none for those that have one.
    for (const auto &[asked, requests] : m_verifyRequests)
        QCOMPARE(requests, 1);
}

void TestFloods::halfOpenHandshakesGiveWay_data()
{
    QTest::addColumn<QByteArray>("limit");
    QTest::addColumn<bool>("isOneAddress");
    QTest::addColumn<int>("most");
    QTest::newRow("from many addresses") << QByteArray("max_half_open = 200") << false << 200;
    QTest::newRow("from one address") << QByteArray("max_half_open = 64") << true << 64;
}

void TestFloods::halfOpenHandshakesGiveWay()
{
    QFETCH(QByteArray, limit);
    QFETCH(bool, isOneAddress);
    QFETCH(int, most);
    if (!begin("[limits]\nhandshake_timeout = 3s\n" + limit))
        return;
    beginHandshakes(4000 / divisor, isOneAddress ? portOfOne : oneOfMany);
    if (QTest::currentTestFailed())
        return;
    const QList<qint64> halfOpen = m_siege->halfOpenSoFar();
    const qint64 seen = *std::max_element(halfOpen.cbegin(), halfOpen.cend());
    QVERIFY2(seen <= most, qPrintable(QString::number(seen)));
    m_siege->end({.memory = most * perHandshake + slack, .isProved = true});
}

void TestFloods::hellosOverTheRateWaitInSilence()
{
    constexpr qint64 rate = 10; // well below what a server under a sanitizer does
    if (!begin("[limits]\nhandshakes_per_second = " + QByteArray::number(rate) +
               "\nhandshake_timeout = 3s"))
        return;
    beginHandshakes(4000 / divisor, oneOfMany);
    if (QTest::currentTestFailed())
        return;
    const qint64 allowed = rate + rate * (m_siege->elapsed() / 1000 + 1);
    const auto admitted = static_cast<qint64>(m_admitted.size());
    const auto verified = static_cast<qint64>(m_verifyRequests.size());
    QVERIFY2(admitted <= allowed, qPrintable(QString::number(admitted)));
    const auto refused = [this] {
        return m_siege->sumOf(QStringLiteral("unverified-traffic"),
                              QStringLiteral("hellos over a limit"));
    };
    m_siege->end({.memory = allowed * perHandshake + slack, .isProved = true});
    qInfo("%lld proved themselves, %lld were admitted, %lld refused in silence",
          static_cast<long long>(verified), static_cast<long long>(admitted),
          static_cast<long long>(refused()));
    QVERIFY(refused() > 0);
    // Under load also hellos without a cookie find no room, and are counted.
    QVERIFY(refused() + admitted <= static_cast<qint64>(m_siege->sent.datagrams));
}

void TestFloods::garbageEndsNothing()
{
    if (!begin({}))
        return;
    const QList<SocketAddress> honest = m_siege->honest.addresses();
    Garbage garbage;
    for (int i = 0; i < 60'000 / divisor; ++i) {
        const auto spoofed =
            SpoofedPeers::at(static_cast<quint32>(i % 997), static_cast<quint16>(1 + i));
        // Every fourth is forged into an open session.
        m_siege->attacker->send(i % 4 == 0 ? honest[i / 4 % honest.size()] : spoofed,
                                garbage.next());
        if (i % Siege::batch == 0)
            m_siege->pump();
    }
    m_siege->pump();
    QVERIFY(m_siege->honest.goRound());
    m_siege->countAnswers();
    // Each session is complained of, and once.
    QTRY_COMPARE(m_siege->log.events(QStringLiteral("peer-misbehaving")).size(),
                 Siege::honestDevices);
    m_siege->end({.memory = receiveBuffers + slack});
}

void TestFloods::aHastyDeviceLeavesRoomForTheOthers()
{
    constexpr qint64 queue = 2048;
    constexpr qint64 perEntry = 4; // KiB, with its receipt
    if (!begin("queue = " + QByteArray::number(queue)))
        return;
    DtlsClient hasty(Siege::device("hasty"));
    QSet<QByteArray> receipts;
    connect(&hasty, &DtlsClient::received, this, [&](const QByteArray &receipt) {
        receipts.insert(receipt);
        ++m_siege->answered.datagrams;
        m_siege->answered.bytes += receipt.size();
    });
    QVERIFY(hasty.connectTo(m_siege->log.address()));
    QTRY_VERIFY(hasty.isConnected());

    const int answeredBefore = m_siege->honest.answered();
    for (int i = 0; i < 300'000 / divisor; ++i) {
        const QByteArray message = "hasty message " + QByteArray::number(i);
        QVERIFY(hasty.send(message));
        ++m_siege->sent.datagrams;
        m_siege->sent.bytes += message.size();
        if (i % Siege::batch == 0)
            QCoreApplication::processEvents();
    }
    QVERIFY(m_siege->honest.answered() > answeredBefore);
    QVERIFY(m_siege->honest.goRound());
    QVERIFY(!receipts.isEmpty());
    for (const QByteArray &receipt : std::as_const(receipts))
        QVERIFY2(m_siege->log.payloads().contains(receipt), receipt.constData());
    // The log gives out one batch of the queue while the next one fills.
    m_siege->end({.memory = 2 * queue * perEntry + slack, .isProved = true, .mayDrop = true});
}

DTLSD_TEST(TestFloods)
#include "tst_floods.moc"
