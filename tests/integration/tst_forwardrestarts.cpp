// SPDX-License-Identifier: Apache-2.0
//
// dtlsd under a service manager that keeps descriptors, with a service that echoes behind it: the
// service sees each session at one address, whatever becomes of the process.
#include "RestartStage.h"

#include "support/KeyedLink.h"
#include "support/TestProgram.h"
#include "support/UdpService.h"

#include <algorithm>
#include <csignal>
#include <map>
#include <random>
#include <set>

#include <sys/resource.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

/// Answers each device with what it has said, and remembers where it was.
class Echo
{
public:
    explicit Echo(const QHostAddress &host)
        : m_service(host)
    {
        m_service.handleBy([this](const UdpService::Question &question) {
            const QByteArray identity = question.text.first(question.text.indexOf(':'));
            m_addresses[identity].insert(question.from);
            m_identities[question.from].insert(identity);
            m_service.answer(question.from, question.text);
        });
    }

    [[nodiscard]] QByteArray asServer() const
    {
        return "forward = " + m_service.address().toUtf8() + "\nreply = none\n";
    }
    /// Where each identity was seen.
    using Addresses = std::map<QByteArray, std::set<SocketAddress>>;
    [[nodiscard]] Addresses addresses() const { return m_addresses; }
    [[nodiscard]] std::map<SocketAddress, std::set<QByteArray>> identities() const
    {
        return m_identities;
    }
    /// Without being asked, to everybody that was seen.
    void announce(const QByteArray &text)
    {
        for (const auto &[address, identities] : m_identities)
            m_service.answer(address, text);
    }
    void forget()
    {
        m_addresses.clear();
        m_identities.clear();
    }

private:
    UdpService m_service;
    Addresses m_addresses;
    std::map<SocketAddress, std::set<QByteArray>> m_identities;
};

#define VERIFY_NONE(complaints)                                                                    \
    do {                                                                                           \
        const QStringList found = (complaints);                                                    \
        QVERIFY2(found.isEmpty(), qPrintable(found.mid(0, 20).join(u'\n')));                       \
    } while (false)

void addEndings()
{
    QTest::addColumn<QHostAddress>("host");
    QTest::addColumn<int>("signal"); // 0: by a command
    for (const auto &[name, host] : {std::pair("127.0.0.1", QHostAddress::LocalHost),
                                     {"[::1]", QHostAddress::LocalHostIPv6}}) {
        QTest::addRow("a restart by command, a service at %s", name) << QHostAddress(host) << 0;
        QTest::addRow("SIGKILL, a service at %s", name) << QHostAddress(host) << SIGKILL;
    }
}

bool endAndStart(RestartStage &stage, int signal)
{
    return signal == 0 ? stage.restart() : stage.endAndStart(signal);
}

} // namespace

class TestForwardRestarts : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void theServiceSeesTheSamePeer_data() { addEndings(); }
    void theServiceSeesTheSamePeer();
    void answersComeWithoutAQuestion_data() { addEndings(); }
    void answersComeWithoutAQuestion();
    void workersComeAndGo();
    void theServiceIsAnotherAfterARestart();
    void killedAtAnyMomentNobodyGetsAnothersAddress();
    void afterAStopEverybodyIsAtAFreshAddress();
};

void TestForwardRestarts::initTestCase()
{
    const rlimit none{0, 0}; // dtlsd is to be killed
    QCOMPARE(setrlimit(RLIMIT_CORE, &none), 0);
}

void TestForwardRestarts::theServiceSeesTheSamePeer()
{
    QFETCH(QHostAddress, host);
    QFETCH(int, signal);
    Echo service(host);
    RestartStage stage({.server = service.asServer()});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    const auto sessions = stage.openSessions();
    QCOMPARE(sessions.size(), std::ssize(stage.devices()));
    const Echo::Addresses before = service.addresses();
    QCOMPARE(before.size(), stage.devices().size());
    for (int time = 0; time < 3; ++time) {
        QVERIFY2(endAndStart(stage, signal), qPrintable(stage.trouble()));
        stage.move(); // those with IDs
        QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
        QCOMPARE(stage.openSessions(), sessions);
        QVERIFY(service.addresses() == before);
    }
    for (const auto &[identity, addresses] : before)
        QVERIFY2(addresses.size() == 1, identity.constData());
    for (const auto &[address, identities] : service.identities())
        QVERIFY2(identities.size() == 1, address.toUtf8().constData());
    QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
    VERIFY_NONE(stage.breaches());
    VERIFY_NONE(stage.comebacks());
    QCOMPARE(stage.manager().stop(), 0);
}

void TestForwardRestarts::answersComeWithoutAQuestion()
{
    QFETCH(QHostAddress, host);
    QFETCH(int, signal);
    Echo service(host);
    RestartStage stage({.server = service.asServer()});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
    for (int time = 1; time <= 3; ++time) {
        QVERIFY2(endAndStart(stage, signal), qPrintable(stage.trouble()));
        service.announce("to whom it may concern"); // nobody has said anything yet
        const auto haveHeard = [&] {
            return std::ranges::all_of(stage.devices(), [&](const auto &device) {
                return device->strangeReceipts() == time;
            });
        };
        QVERIFY2(waitUntil(haveHeard, QDeadlineTimer(patience)), qPrintable(stage.trouble()));
    }
    VERIFY_NONE(stage.comebacks());
    VERIFY_NONE(stage.repeatedNonces());
    QCOMPARE(stage.manager().stop(), 0);
}

void TestForwardRestarts::workersComeAndGo()
{
    Echo service{QHostAddress(QHostAddress::LocalHost)};
    RestartStage stage({.withIds = 12, .withoutIds = 0, .server = service.asServer()});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    const Echo::Addresses before = service.addresses();
    QCOMPARE(before.size(), std::size_t{12});
    for (const int workers : {4, 1, 2}) {
        stage.setWorkers(workers);
        QVERIFY2(stage.endAndStart(SIGKILL), qPrintable(stage.trouble()));
        stage.move();
        QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
        QVERIFY(service.addresses() == before);
    }
    VERIFY_NONE(stage.comebacks());
    QCOMPARE(stage.manager().stop(), 0);
}

void TestForwardRestarts::theServiceIsAnotherAfterARestart()
{
    Echo former{QHostAddress(QHostAddress::LocalHost)};
    Echo next{QHostAddress(QHostAddress::LocalHostIPv6)};
    RestartStage stage({.server = former.asServer()});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    const auto sessions = stage.openSessions();
    const QByteArray late = "of a service that they no longer have";
    const QByteArray none = "reply = echo\n";
    for (const QByteArray &lines : {next.asServer(), none, former.asServer()}) {
        stage.setServer(lines);
        QVERIFY2(stage.endAndStart(SIGKILL), qPrintable(stage.trouble()));
        if (lines != former.asServer())
            former.announce(late);
        if (lines != next.asServer())
            next.announce(late);
        QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
        QCOMPARE(stage.openSessions(), sessions);
    }
    QVERIFY2(stage.settle(), qPrintable(stage.trouble()));
    QCOMPARE(next.addresses().size(), stage.devices().size());
    for (const auto &[address, identities] : next.identities())
        QVERIFY2(identities.size() == 1, address.toUtf8().constData());
    for (const auto &[address, identities] : former.identities())
        QVERIFY2(identities.size() == 1, address.toUtf8().constData());
    VERIFY_NONE(stage.breaches()); // nor has anybody heard the late ones
    VERIFY_NONE(stage.comebacks());
    QCOMPARE(stage.manager().stop(), 0);
}

/// Devices that stay, and others that come and go, also while there is no process.
void TestForwardRestarts::killedAtAnyMomentNobodyGetsAnothersAddress()
{
    Echo service{QHostAddress(QHostAddress::LocalHost)};
    RestartStage stage({.withIds = 3, .withoutIds = 3, .server = service.asServer()});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    stage.letComeAndGo(4);
    std::mt19937_64 random(11);
    for (int time = 0; time < 8; ++time) {
        const std::chrono::milliseconds moment(random() % 300);
        waitUntil([] { return false; }, QDeadlineTimer(moment));
        QVERIFY2(time % 2 == 0 ? stage.endAndStart(SIGKILL)
                               : stage.manager().endAtWork(
                                     20ms, std::chrono::microseconds(random() % 3000)) &&
                                     stage.manager().start(),
                 qPrintable(stage.trouble()));
        QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
    }
    for (const auto &device : stage.devices())
        QCOMPARE(service.addresses().at(device->name()).size(), std::size_t{1});
    std::size_t ofVisitors = 0;
    for (const auto &[address, identities] : service.identities()) {
        QVERIFY2(identities.size() == 1, address.toUtf8().constData());
        ofVisitors += identities.contains("newcomer");
    }
    QVERIFY2(ofVisitors > 10, qPrintable(QString::number(ofVisitors)));
    VERIFY_NONE(stage.comebacks());
    QCOMPARE(stage.manager().stop(), 0);
}

void TestForwardRestarts::afterAStopEverybodyIsAtAFreshAddress()
{
    Echo service{QHostAddress(QHostAddress::LocalHost)};
    RestartStage stage({.server = service.asServer(), .handshakes = 10});
    QVERIFY2(stage.start(), qPrintable(stage.trouble()));
    std::set<SocketAddress> used;
    for (int time = 0; time < 3; ++time) {
        for (const auto &[address, identities] : service.identities())
            QVERIFY2(used.insert(address).second, address.toUtf8().constData());
        QCOMPARE(stage.manager().stop(), 0);
        service.forget();
        QVERIFY2(stage.manager().start(), qPrintable(stage.trouble()));
        QVERIFY2(stage.goRound(), qPrintable(stage.trouble()));
        QCOMPARE(service.addresses().size(), stage.devices().size());
    }
    QCOMPARE(stage.manager().stop(), 0);
}

DTLSD_TEST(TestForwardRestarts)
#include "tst_forwardrestarts.moc"
