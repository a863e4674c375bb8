// SPDX-License-Identifier: Apache-2.0
#include "forward/ServiceHealth.h"
#include "support/TestProgram.h"

#include <atomic>
#include <map>
#include <random>
#include <thread>

using namespace dtlsd;
using namespace std::chrono_literals;

namespace {

using Clock = ServiceHealth::Clock;

const SocketAddress one = SocketAddress::parse(u"127.0.0.1:5683").value();
const SocketAddress other = SocketAddress::parse(u"[::1]:514").value();

QString describe(const ServiceReachable &event)
{
    const QString more =
        event.datagrams > 0 ? QStringLiteral(" %1").arg(event.datagrams) : QString();
    return QStringLiteral("reachable ") + event.target.toString() + more;
}

/// `unreachable 127.0.0.1:5683 2`: of the events that are due at @p now.
QStringList told(ServiceHealth &health, Clock::time_point now)
{
    QStringList lines;
    for (const ServiceEvent &event : health.report(now)) {
        if (const auto *lost = std::get_if<ServiceUnreachable>(&event))
            lines << QStringLiteral("unreachable %1 %2")
                         .arg(lost->target.toString())
                         .arg(lost->datagrams);
        else
            lines << describe(std::get<ServiceReachable>(event));
    }
    return lines;
}

void lose(ServiceHealth &health, const SocketAddress &target = one, int datagrams = 1)
{
    for (int i = 0; i < datagrams; ++i)
        health.noteLoss(target, ForwardDrop::Refused, {});
}

const QStringList none;
const QString unreachable = QStringLiteral("unreachable 127.0.0.1:5683 %1");
const QStringList reachable{QStringLiteral("reachable 127.0.0.1:5683")};

} // namespace

class TestServiceHealth : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aServiceThatTakesAllIsNotSpokenOf();
    void aLossIsToldAtOnceAndOnceAMinute();
    void theCauseOfTheLastLossIsTold();
    void anAnswerMakesItReachable();
    void aServiceThatNeverAnswersIsReachableAfterASecond();
    void aServiceThatRefusesEachDatagramStaysUnreachable();
    void whatIsSentBeforeALossSaysNothing();
    void aFlappingServiceIsToldOnceAMinuteEach();
    void eachServiceHasAMinuteOfItsOwn();
    void aServiceThatIsTakenAwayIsForgotten();
    void eventsComeInPairs_data();
    void eventsComeInPairs();
    void manyThreadsTellEachLossOnce();

private:
    const Clock::time_point m_now = Clock::now();
};

void TestServiceHealth::aServiceThatTakesAllIsNotSpokenOf()
{
    ServiceHealth health;
    health.noteSent(one, m_now);
    health.noteAnswer(one);
    QCOMPARE(told(health, m_now + 1h), none);
    QVERIFY(health.due() == Clock::time_point::max());
    QVERIFY(health.isReachable(one));
}

void TestServiceHealth::aLossIsToldAtOnceAndOnceAMinute()
{
    ServiceHealth health;
    lose(health, one, 3);
    QVERIFY(!health.isReachable(one));
    QVERIFY(health.due() <= m_now);
    // A timer is set to what is left of it.
    QVERIFY(health.due() - m_now <= 0s);
    QVERIFY(health.due() - m_now > -24h * 366 * 100);
    QCOMPARE(told(health, m_now), QStringList{unreachable.arg(3)});
    QVERIFY(health.due() == Clock::time_point::max());

    lose(health, one, 5);
    QCOMPARE(told(health, m_now + 60s - 1ns), none);
    QVERIFY(health.due() == m_now + 60s);
    lose(health);
    QCOMPARE(told(health, m_now + 60s), QStringList{unreachable.arg(6)});
    QCOMPARE(told(health, m_now + 10min), none); // nothing was lost since
    QVERIFY(!health.isReachable(one));           // and nothing says that it is back
}

void TestServiceHealth::theCauseOfTheLastLossIsTold()
{
    ServiceHealth health;
    lose(health);
    health.noteLoss(one, ForwardDrop::NoSource, QStringLiteral("Too many open files"));
    const std::vector<ServiceEvent> events = health.report(m_now);
    QCOMPARE(events.size(), std::size_t{1});
    const auto &event = std::get<ServiceUnreachable>(events[0]);
    QVERIFY(event.cause == ForwardDrop::NoSource);
    QCOMPARE(event.detail, QStringLiteral("Too many open files"));
    QCOMPARE(event.datagrams, std::uint64_t{2});
}

void TestServiceHealth::anAnswerMakesItReachable()
{
    ServiceHealth health;
    lose(health);
    QCOMPARE(told(health, m_now), QStringList{unreachable.arg(1)});
    health.noteAnswer(other);
    QVERIFY(!health.isReachable(one));
    health.noteAnswer(one);
    QVERIFY(health.isReachable(one));
    QVERIFY(health.due() <= m_now);
    QCOMPARE(told(health, m_now + 1ms), reachable);
    QCOMPARE(told(health, m_now + 1h), none);
    QVERIFY(health.due() == Clock::time_point::max());
}

void TestServiceHealth::aServiceThatNeverAnswersIsReachableAfterASecond()
{
    ServiceHealth health;
    lose(health);
    QCOMPARE(told(health, m_now), QStringList{unreachable.arg(1)});
    QVERIFY(health.due() == Clock::time_point::max()); // until something is sent
    health.noteSent(one, m_now + 5s);
    health.noteSent(one, m_now + 5500ms);
    QVERIFY(health.due() == m_now + 6s);
    QCOMPARE(told(health, m_now + 6s - 1ns), none);
    QVERIFY(!health.isReachable(one));
    QCOMPARE(told(health, m_now + 6s), reachable);
    QVERIFY(health.isReachable(one));
}

/// send(2) takes it, and then comes the ICMP error.
void TestServiceHealth::aServiceThatRefusesEachDatagramStaysUnreachable()
{
    ServiceHealth health;
    QStringList all;
    for (int i = 0; i < 150; ++i) {
        const Clock::time_point now = m_now + i * 800ms;
        health.noteSent(one, now);
        all += told(health, now);
        lose(health);
        all += told(health, now + 1ms);
        QVERIFY(!health.isReachable(one));
    }
    QCOMPARE(all, (QStringList{unreachable.arg(1), unreachable.arg(75)}));
}

void TestServiceHealth::whatIsSentBeforeALossSaysNothing()
{
    ServiceHealth health;
    lose(health);
    QCOMPARE(told(health, m_now), QStringList{unreachable.arg(1)});
    health.noteSent(one, m_now + 100ms);
    lose(health); // that one
    QCOMPARE(told(health, m_now + 30s), none);
    QVERIFY(!health.isReachable(one));
    health.noteSent(one, m_now + 30s);
    QVERIFY(health.due() == m_now + 31s);
    QCOMPARE(told(health, m_now + 31s), QStringList{reachable.constFirst() + QStringLiteral(" 1")});
    QVERIFY(health.isReachable(one));
    lose(health); // what is over when it may be told is told with its end
    health.noteAnswer(one);
    QVERIFY(health.due() == m_now + 91s);
    QCOMPARE(told(health, m_now + 90s), none);
    QCOMPARE(told(health, m_now + 91s), QStringList{unreachable.arg(1)} + reachable);
}

void TestServiceHealth::aFlappingServiceIsToldOnceAMinuteEach()
{
    ServiceHealth health;
    QList<std::pair<QString, Clock::time_point>> all;
    for (int i = 0; i < 6000; ++i) { // ten minutes
        const Clock::time_point now = m_now + i * 100ms;
        if (i % 2 == 0)
            lose(health);
        else
            health.noteAnswer(one);
        for (const QString &line : told(health, now))
            all.emplace_back(line.section(u' ', 0, 0), now);
    }
    std::map<QString, Clock::time_point> last;
    for (const auto &[kind, when] : all) {
        QVERIFY(!last.contains(kind) || when - last[kind] >= 60s);
        last[kind] = when;
    }
    QVERIFY2(all.size() >= 18 && all.size() <= 20, qPrintable(QString::number(all.size())));
}

void TestServiceHealth::eachServiceHasAMinuteOfItsOwn()
{
    ServiceHealth health;
    lose(health, one);
    QCOMPARE(told(health, m_now), QStringList{unreachable.arg(1)});
    lose(health, other, 2);
    lose(health, one);
    QCOMPARE(told(health, m_now + 1s), QStringList{QStringLiteral("unreachable [::1]:514 2")});
    QVERIFY(health.due() == m_now + 60s);
    health.noteAnswer(other);
    QCOMPARE(told(health, m_now + 2s), QStringList{QStringLiteral("reachable [::1]:514")});
    QVERIFY(!health.isReachable(one));
    QVERIFY(health.isReachable(other));
}

void TestServiceHealth::aServiceThatIsTakenAwayIsForgotten()
{
    ServiceHealth health;
    lose(health, one);
    lose(health, other);
    health.keepOnly({other});
    QVERIFY(health.isReachable(one));
    QCOMPARE(told(health, m_now), QStringList{QStringLiteral("unreachable [::1]:514 1")});
    health.noteAnswer(other);
    QCOMPARE(told(health, m_now), QStringList{QStringLiteral("reachable [::1]:514")});
    lose(health, other);
    health.keepOnly({});
    QVERIFY(health.due() == Clock::time_point::max());
    QCOMPARE(told(health, m_now + 1h), none);
}

void TestServiceHealth::eventsComeInPairs_data()
{
    QTest::addColumn<unsigned>("seed");
    for (unsigned seed = 1; seed <= 20; ++seed)
        QTest::addRow("of seed %u", seed) << seed;
}

/// Whatever happens: nothing is reachable again that was not said to be unreachable, each loss is
/// told once, no event comes twice in a minute, and due() does not forget any.
void TestServiceHealth::eventsComeInPairs()
{
    QFETCH(unsigned, seed);
    std::mt19937 random(seed);
    ServiceHealth health;
    std::uint64_t lost = 0;
    std::uint64_t toldLost = 0;
    bool isToldUnreachable = false;
    std::map<QString, Clock::time_point> last;
    Clock::time_point now = m_now;
    const auto look = [&] {
        for (const ServiceEvent &event : health.report(now)) {
            const auto *unhappy = std::get_if<ServiceUnreachable>(&event);
            const QString kind =
                unhappy ? QStringLiteral("unreachable") : QStringLiteral("reachable");
            QVERIFY(!last.contains(kind) || now - last[kind] >= 60s);
            last[kind] = now;
            if (unhappy) {
                QVERIFY(unhappy->datagrams > 0);
                toldLost += unhappy->datagrams;
                isToldUnreachable = true;
            } else {
                QVERIFY(isToldUnreachable);
                toldLost += std::get<ServiceReachable>(event).datagrams;
                isToldUnreachable = false;
            }
        }
    };
    for (int i = 0; i < 3000; ++i) {
        now += std::chrono::milliseconds(random() % 3000);
        switch (random() % 6) {
        case 0:
            lose(health);
            ++lost;
            break;
        case 1:
            health.noteAnswer(one);
            break;
        case 2:
            health.noteSent(one, now);
            break;
        case 3:
            now += std::chrono::seconds(random() % 90);
            break;
        default:
            look();
        }
    }
    health.noteAnswer(one);
    for (int i = 0; i < 4 && health.due() != Clock::time_point::max(); ++i) {
        now = std::max(now, health.due());
        look();
    }
    QVERIFY(health.due() == Clock::time_point::max());
    QCOMPARE(toldLost, lost);
    QVERIFY(!isToldUnreachable);
}

void TestServiceHealth::manyThreadsTellEachLossOnce()
{
    ServiceHealth health;
    constexpr int threads = 4;
    constexpr int each = 2000;
    std::atomic<std::uint64_t> counted = 0;
    // Both kinds of event carry losses.
    const auto count = [&](Clock::time_point now) {
        for (const ServiceEvent &event : health.report(now))
            counted += std::visit([](const auto &it) { return it.datagrams; }, event);
    };
    {
        std::vector<std::jthread> workers;
        workers.reserve(threads);
        for (int i = 0; i < threads; ++i)
            workers.emplace_back([&] {
                for (int n = 0; n < each; ++n) {
                    lose(health, n % 2 == 0 ? one : other);
                    health.noteSent(one, m_now);
                    health.noteAnswer(other);
                    // One minute after the other, for each of them.
                    count(m_now + n * 1min);
                }
            });
    }
    count(m_now + (each + 1) * 1min);
    QCOMPARE(counted.load(), std::uint64_t{threads} * each);
}

DTLSD_TEST(TestServiceHealth)
#include "tst_servicehealth.moc"
