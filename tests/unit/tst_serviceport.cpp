// SPDX-License-Identifier: Apache-2.0
//
// ServicePort between sessions that are said to be there and real UDP services.
#include "dtls/TimeSource.h"
#include "forward/ProxyHeader.h"
#include "forward/ServicePort.h"
#include "support/SampleEvents.h"
#include "support/TestProgram.h"
#include "support/UdpService.h"

#include <QScopeGuard>
#include <QUdpSocket>

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <sys/resource.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

struct Owner final : ServicePort::Owner
{
    void answered(std::span<const Outbound> some) override
    {
        answers.insert(answers.end(), some.begin(), some.end());
    }
    void assigned(const SessionHandle &session, std::uint64_t word) override
    {
        words.emplace_back(session.id, word);
    }
    void told(const ServiceEvent &event) override
    {
        if (const auto *lost = std::get_if<ServiceUnreachable>(&event))
            unreachable.push_back(*lost);
        else
            ++reachable;
    }

    std::vector<Outbound> answers;
    std::vector<std::pair<SessionId, std::uint64_t>> words;
    std::vector<ServiceUnreachable> unreachable;
    int reachable = 0;
};

using Targets = std::vector<std::pair<QByteArray, SocketAddress>>;

std::shared_ptr<const ForwardSettings>
settings(const Targets &targets, ForwardOptions::Header header = ForwardOptions::Header::None)
{
    auto store = std::make_shared<PskStore>();
    for (const auto &[name, target] : targets) {
        PskIdentity identity;
        identity.key = PskKey(QByteArray(16, 'k'));
        identity.forward = target;
        store->add(name, identity);
    }
    return std::make_shared<const ForwardSettings>(ForwardOptions{.target = {}, .header = header},
                                                   store);
}

SessionInfo sessionOf(const QByteArray &identity, std::uint64_t id)
{
    SessionInfo info = session();
    info.identity = identity;
    info.id = SessionId{id};
    info.path.peer = info.path.peer.withPort(static_cast<std::uint16_t>(id));
    return info;
}

/// A port with a service for `a` and `b`.
struct Stage
{
    UdpService service;
    Owner owner;
    std::shared_ptr<SharedServices> shared = std::make_shared<SharedServices>();
    ServicePort port;
    const SessionInfo a = sessionOf("a", 1);
    const SessionInfo b = sessionOf("b", 2);

    explicit Stage(const QHostAddress &host = QHostAddress(QHostAddress::LocalHost))
        : service(host)
        , port(toService(), shared, owner)
    {
    }
    [[nodiscard]] std::shared_ptr<const ForwardSettings> toService() const
    {
        return settings({{"a", service.address()}, {"b", service.address()}});
    }
    void say(const SessionInfo &session, const QByteArray &text)
    {
        if (!port.expects(session))
            qFatal("it goes to no service");
        port.deliver(session, text);
    }
    /// Says @p text, and returns where the service sees it from.
    SocketAddress sourceOf(const SessionInfo &session, const QByteArray &text = "?")
    {
        say(session, text);
        const auto questions = service.take();
        return questions.empty() ? SocketAddress() : questions.back().from;
    }
    [[nodiscard]] std::uint64_t dropped(ForwardDrop cause) const
    {
        return port.statistics().dropped[cause];
    }
    [[nodiscard]] std::int64_t sockets() const { return port.statistics().sockets; }
};

/// Whether a socket is bound to @p address.
bool isTaken(const SocketAddress &address)
{
    QUdpSocket socket;
    return !socket.bind(address.address(), address.port());
}

} // namespace

class TestServicePort : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatASessionSaysArrivesInOrderFromOneAddress();
    void eachSessionHasAnAddressOfItsOwn();
    void aPortThatAnotherProcessHasIsPassed();
    void aServicesAddressIsNeverTaken();
    void answersGoToTheSessionThatAsked();
    void answersOfManySessionsAreInTheirOrder();
    void onlyTheServiceIsHeard();
    void anIdentityWithoutAServiceIsNotExpected();
    void whatIsAwaitedAtTheEndIsDelivered();
    void anAnswerAfterTheEndIsNoOnesAny();
    void whatTheLogLosesIsWithheld();
    void aServiceThatIsNotThereIsToldAndFoundAgain();
    void aServiceThatNeverAnswersIsFoundAgain();
    void anotherServiceIsAnotherAddress();
    void aServiceThatIsTakenAwayIsHeardNoMore();
    void theHeaderIsBeforeEachDatagram();
    void aNextProcessGoesOnFromTheSameAddress_data();
    void aNextProcessGoesOnFromTheSameAddress();
    void whatCannotBeResumedGetsAnotherAddress_data();
    void whatCannotBeResumedGetsAnotherAddress();
    void whatCannotBeResumedRests();
    void withoutDescriptorsTheRestOfTheProcessGoesOn();
};

void TestServicePort::whatASessionSaysArrivesInOrderFromOneAddress()
{
    Stage stage;
    for (int i = 0; i < 50; ++i)
        QVERIFY(stage.port.expects(stage.a)); // the log settles them later
    for (int i = 0; i < 50; ++i)
        stage.port.deliver(stage.a, QByteArray::number(i));
    const auto questions = stage.service.take();
    QCOMPARE(questions.size(), std::size_t{50});
    for (int i = 0; i < 50; ++i) {
        const auto &question = questions[static_cast<std::size_t>(i)];
        QCOMPARE(question.text, QByteArray::number(i));
        QCOMPARE(question.from, questions[0].from);
    }
    QCOMPARE(stage.port.statistics().toService.datagrams, std::uint64_t{50});
    QCOMPARE(stage.port.statistics().toService.bytes, std::uint64_t{90});
    QCOMPARE(stage.sockets(), std::int64_t{1});
    // The next process can find it.
    QCOMPARE(stage.owner.words.size(), std::size_t{1});
    QCOMPARE(stage.owner.words[0].first, stage.a.id);
    QCOMPARE(SourceAddresses::addressOf(stage.owner.words[0].second), questions[0].from);
}

void TestServicePort::eachSessionHasAnAddressOfItsOwn()
{
    Stage stage;
    std::set<SocketAddress> sources;
    for (std::uint64_t i = 1; i <= 200; ++i) {
        const SessionInfo session = sessionOf("a", i);
        QVERIFY(sources.insert(stage.sourceOf(session)).second);
        if (i % 2 == 0) // nor is one used again
            stage.port.end(session.id);
    }
    QCOMPARE(stage.sockets(), std::int64_t{100});
}

/// As one that is bound to 0.0.0.0 has it at each of our addresses.
void TestServicePort::aPortThatAnotherProcessHasIsPassed()
{
    QUdpSocket other;
    for (quint16 port = 61'001; other.state() != QAbstractSocket::BoundState; ++port) {
        QVERIFY(port != 0);
        other.bind(QHostAddress(QHostAddress::AnyIPv4), port);
    }
    // It is the next one's port: an hour ahead, addresses follow each other, whatever the time.
    Stage stage;
    const auto ahead = TimeSource::sinceBoot() + 1h;
    while (stage.shared->ipv4.next(ahead).value().port() != other.localPort() - 1) {
    }
    for (std::uint64_t i = 1; i <= 100; ++i)
        QVERIFY(stage.sourceOf(sessionOf("a", i)) != SocketAddress());
    QCOMPARE(stage.dropped(ForwardDrop::NoSource), std::uint64_t{0});
}

/// Not even while it is not there: a session would be connected to itself.
void TestServicePort::aServicesAddressIsNeverTaken()
{
    Owner owner;
    const auto shared = std::make_shared<SharedServices>();
    const SocketAddress next = shared->ipv6.next(TimeSource::sinceBoot()).value();
    const int place = (next.port() - 61'000 + 5) % static_cast<int>(sourcesForIPv6);
    const SocketAddress service = next.withPort(static_cast<std::uint16_t>(61'000 + place));
    ServicePort port(settings({{"a", service}}), shared, owner);
    port.resume(sessionOf("a", 1), SourceAddresses::wordOf(service));
    for (std::uint64_t i = 2; i <= 20; ++i) {
        QVERIFY(port.expects(sessionOf("a", i)));
        port.deliver(sessionOf("a", i), "?");
    }
    QCOMPARE(port.statistics().sockets, std::int64_t{19});
    QVERIFY(!isTaken(service));
}

void TestServicePort::answersGoToTheSessionThatAsked()
{
    Stage stage;
    const SocketAddress fromA = stage.sourceOf(stage.a);
    const SocketAddress fromB = stage.sourceOf(stage.b);
    stage.service.answer(fromB, "for b");
    stage.service.answer(fromA, "");
    stage.service.answer(fromA, QByteArray(16'384, 'a'));
    QTRY_COMPARE(stage.owner.answers.size(), std::size_t{3});
    std::vector<QByteArray> toA;
    for (const Outbound &answer : stage.owner.answers) {
        const bool isOfB = answer.session.id == stage.b.id;
        QVERIFY(isOfB || answer.session.id == stage.a.id);
        QCOMPARE(answer.session.path, isOfB ? stage.b.path : stage.a.path);
        if (isOfB)
            QCOMPARE(answer.payload, QByteArray("for b"));
        else
            toA.push_back(answer.payload);
    }
    QVERIFY((toA == std::vector<QByteArray>{"", QByteArray(16'384, 'a')}));
    QCOMPARE(stage.port.statistics().fromService.datagrams, std::uint64_t{3});
    QCOMPARE(stage.port.statistics().fromService.bytes, std::uint64_t{16'389});
}

void TestServicePort::answersOfManySessionsAreInTheirOrder()
{
    Stage stage;
    constexpr std::uint64_t sessions = 150; // more than a turn takes
    std::vector<SocketAddress> sources;
    for (std::uint64_t i = 1; i <= sessions; ++i)
        sources.push_back(stage.sourceOf(sessionOf("a", i)));
    for (int number = 0; number < 3; ++number) {
        for (const SocketAddress &source : sources)
            stage.service.answer(source, QByteArray::number(number));
    }
    QTRY_COMPARE(stage.owner.answers.size(), 3 * sessions);
    std::vector<int> heard(sessions + 1);
    for (const Outbound &answer : stage.owner.answers) {
        int &next = heard[static_cast<std::size_t>(answer.session.id)];
        QCOMPARE(answer.payload.toInt(), next++);
    }
}

void TestServicePort::onlyTheServiceIsHeard()
{
    Stage stage;
    const SocketAddress source = stage.sourceOf(stage.a);
    UdpService stranger;
    for (int i = 0; i < 100; ++i)
        stranger.answer(source, "foreign");
    stage.service.answer(source, "right");
    QTRY_VERIFY(!stage.owner.answers.empty());
    QCOMPARE(stage.owner.answers.size(), std::size_t{1});
    QCOMPARE(stage.owner.answers[0].payload, QByteArray("right"));
}

void TestServicePort::anIdentityWithoutAServiceIsNotExpected()
{
    Stage stage;
    QVERIFY(!stage.port.expects(sessionOf("stranger", 3)));
    stage.port.end(SessionId{3}); // of which nothing is known
    stage.port.use(settings({}));
    QVERIFY(!stage.port.isUsed());
    QVERIFY(!stage.port.expects(stage.a));
    QVERIFY(stage.service.take().empty());
}

void TestServicePort::whatIsAwaitedAtTheEndIsDelivered()
{
    Stage stage;
    const SocketAddress source = stage.sourceOf(stage.a);
    QVERIFY(stage.port.expects(stage.a));
    QVERIFY(stage.port.expects(stage.a));
    QVERIFY(stage.port.expects(stage.b)); // has said nothing before
    stage.port.end(stage.a.id);
    stage.port.end(stage.b.id);
    QVERIFY(isTaken(source));
    stage.port.deliver(stage.a, "last but one");
    stage.port.deliver(stage.b, "the first and last");
    QVERIFY(isTaken(source));
    stage.port.deliver(stage.a, "last");
    const auto questions = stage.service.take();
    QCOMPARE(questions.size(), std::size_t{3});
    QCOMPARE(questions[0].text, QByteArray("last but one"));
    QCOMPARE(questions[0].from, source);
    QCOMPARE(questions[1].text, QByteArray("the first and last"));
    QVERIFY(questions[1].from != source);
    QCOMPARE(questions[2].text, QByteArray("last"));
    QCOMPARE(questions[2].from, source);
    QVERIFY(!isTaken(source));
    QVERIFY(!isTaken(questions[1].from));
    QCOMPARE(stage.sockets(), std::int64_t{0});
}

void TestServicePort::anAnswerAfterTheEndIsNoOnesAny()
{
    Stage stage;
    const SocketAddress source = stage.sourceOf(stage.a);
    stage.service.answer(source, "in time, but not read");
    stage.port.end(stage.a.id);
    stage.service.answer(source, "late");
    const SocketAddress ofB = stage.sourceOf(stage.b);
    QVERIFY(ofB != source);
    stage.service.answer(ofB, "for b");
    QTRY_VERIFY(!stage.owner.answers.empty());
    QCOMPARE(stage.owner.answers.size(), std::size_t{1});
    QCOMPARE(stage.owner.answers[0].session.id, stage.b.id);
    QCOMPARE(stage.owner.answers[0].payload, QByteArray("for b"));
}

void TestServicePort::whatTheLogLosesIsWithheld()
{
    Stage stage;
    QVERIFY(stage.port.expects(stage.a));
    QVERIFY(stage.port.expects(stage.a));
    QVERIFY(stage.port.expects(stage.b));
    stage.port.withhold(stage.a);
    stage.port.deliver(stage.a, "kept");
    stage.port.end(stage.b.id);
    stage.port.withhold(stage.b);
    const auto questions = stage.service.take();
    QCOMPARE(questions.size(), std::size_t{1});
    QCOMPARE(questions[0].text, QByteArray("kept"));
    QCOMPARE(stage.dropped(ForwardDrop::NotLogged), std::uint64_t{2});
    stage.port.end(stage.a.id);
    QCOMPARE(stage.sockets(), std::int64_t{0});
    QVERIFY(stage.owner.unreachable.empty()); // the service is well
}

void TestServicePort::aServiceThatIsNotThereIsToldAndFoundAgain()
{
    Stage stage;
    const SocketAddress source = stage.sourceOf(stage.a);
    stage.service.stop();
    stage.say(stage.a, "lost");
    QTRY_COMPARE(stage.owner.unreachable.size(), std::size_t{1});
    QVERIFY(!stage.shared->health.isReachable(stage.service.address()));
    QCOMPARE(stage.owner.unreachable[0].target, stage.service.address());
    QVERIFY(stage.owner.unreachable[0].cause == ForwardDrop::Refused);
    QCOMPARE(stage.owner.unreachable[0].datagrams, std::uint64_t{1});
    for (int i = 0; i < 10; ++i)
        stage.say(stage.a, "lost");
    QTRY_COMPARE(stage.dropped(ForwardDrop::Refused), std::uint64_t{11});
    QCOMPARE(stage.owner.unreachable.size(), std::size_t{1}); // a minute has not passed

    stage.service.start();
    stage.say(stage.a, "found");
    const auto questions = stage.service.take();
    QCOMPARE(questions.size(), std::size_t{1});
    QCOMPARE(questions[0].text, QByteArray("found"));
    QCOMPARE(questions[0].from, source);
    stage.service.answer(source, "again");
    QTRY_COMPARE(stage.owner.answers.size(), std::size_t{1});
    QVERIFY(stage.shared->health.isReachable(stage.service.address()));
    QTRY_COMPARE(stage.owner.reachable, 1); // with what was lost since
    QCOMPARE(stage.dropped(ForwardDrop::Refused), std::uint64_t{11});
}

void TestServicePort::aServiceThatNeverAnswersIsFoundAgain()
{
    Stage stage;
    stage.service.stop();
    stage.say(stage.a, "lost");
    QTRY_COMPARE(stage.owner.unreachable.size(), std::size_t{1});
    stage.service.start();
    stage.say(stage.a, "found");
    QTRY_COMPARE(stage.owner.reachable, 1); // although nobody says anything more
}

void TestServicePort::anotherServiceIsAnotherAddress()
{
    Stage stage;
    const SocketAddress before = stage.sourceOf(stage.a);
    const SocketAddress ofB = stage.sourceOf(stage.b);
    QVERIFY(stage.port.expects(stage.a)); // is on its way to the log
    UdpService next;
    stage.port.use(settings({{"a", next.address()}, {"b", stage.service.address()}}));
    stage.service.answer(before, "of the former service");
    stage.port.deliver(stage.a, "for the new one");
    const auto questions = next.take();
    QCOMPARE(questions.size(), std::size_t{1});
    QVERIFY(questions[0].from != before);
    QVERIFY(!isTaken(before));
    QCOMPARE(stage.owner.words.back().second, SourceAddresses::wordOf(questions[0].from));
    QCOMPARE(stage.sourceOf(stage.b), ofB); // as before
    next.answer(questions[0].from, "of the new one");
    stage.service.answer(before, "late");
    QTRY_VERIFY(!stage.owner.answers.empty());
    QCOMPARE(stage.owner.answers.size(), std::size_t{1});
    QCOMPARE(stage.owner.answers[0].payload, QByteArray("of the new one"));
}

void TestServicePort::aServiceThatIsTakenAwayIsHeardNoMore()
{
    Stage stage;
    const SocketAddress ofA = stage.sourceOf(stage.a);
    const SocketAddress ofB = stage.sourceOf(stage.b);
    QVERIFY(stage.port.expects(stage.a)); // is on its way to the log
    stage.port.use(settings({{"a", {}}, {"b", stage.service.address()}}));
    stage.service.answer(ofA, "of a service that is no more");
    stage.service.answer(ofB, "for b");
    QTRY_VERIFY(!stage.owner.answers.empty());
    QTRY_VERIFY(!isTaken(ofA)); // nobody waits there
    QCOMPARE(stage.owner.answers.size(), std::size_t{1});
    QCOMPARE(stage.owner.answers[0].session.id, stage.b.id);
    QCOMPARE(stage.owner.words.back().first, stage.a.id);
    QCOMPARE(stage.owner.words.back().second, std::uint64_t{0});
    stage.port.deliver(stage.a, "for nobody");
    QVERIFY(stage.service.take().empty());

    stage.port.use(stage.toService()); // and back
    const SocketAddress again = stage.sourceOf(stage.a);
    QVERIFY(again != SocketAddress());
    QVERIFY(again != ofA);
    QCOMPARE(stage.sockets(), std::int64_t{2});
}

void TestServicePort::theHeaderIsBeforeEachDatagram()
{
    Stage stage;
    const QByteArray signature("\r\n\r\n\0\r\nQUIT\n", 12);
    const QByteArray forged = signature + "\x21\x12 and what a device makes up";
    const auto heard = [&](const SessionInfo &session, const QByteArray &text) {
        stage.say(session, text);
        return stage.service.take().at(0).text;
    };
    QCOMPARE(heard(stage.a, forged), forged);
    stage.port.use(settings({{"a", stage.service.address()}, {"b", stage.service.address()}},
                            ForwardOptions::Header::Proxy));
    QCOMPARE(heard(stage.a, forged), proxyHeader(stage.a) + forged);
    QCOMPARE(heard(stage.b, ""), proxyHeader(stage.b));
    SessionInfo moved = stage.a;
    moved.path.peer = SocketAddress::parse(u"198.51.100.9:1024").value();
    QCOMPARE(heard(moved, "x"), proxyHeader(moved) + 'x');
    QCOMPARE(stage.port.statistics().toService.bytes,
             static_cast<std::uint64_t>(2 * forged.size() + 1)); // without headers
}

void TestServicePort::aNextProcessGoesOnFromTheSameAddress_data()
{
    QTest::addColumn<QHostAddress>("host");
    QTest::newRow("IPv4") << QHostAddress(QHostAddress::LocalHost);
    QTest::newRow("IPv6") << QHostAddress(QHostAddress::LocalHostIPv6);
}

void TestServicePort::aNextProcessGoesOnFromTheSameAddress()
{
    QFETCH(QHostAddress, host);
    Stage stage(host);
    SocketAddress ofA;
    SocketAddress ofB;
    std::vector<std::pair<SessionId, std::uint64_t>> words;
    {
        Owner owner;
        ServicePort former(stage.toService(), std::make_shared<SharedServices>(), owner);
        for (const SessionInfo *session : {&stage.a, &stage.b}) {
            QVERIFY(former.expects(*session));
            former.deliver(*session, "before");
        }
        const auto questions = stage.service.take();
        QCOMPARE(questions.size(), std::size_t{2});
        ofA = questions[0].from;
        ofB = questions[1].from;
        words = owner.words;
    }
    stage.service.answer(ofA, "while nobody is there");
    stage.port.resume(stage.a, words[0].second);
    stage.port.resume(stage.b, words[1].second);
    QVERIFY(stage.owner.words.empty()); // nothing has changed
    stage.service.answer(ofA, "without a question");
    QTRY_COMPARE(stage.owner.answers.size(), std::size_t{1});
    QCOMPARE(stage.owner.answers[0].session.id, stage.a.id);
    QCOMPARE(stage.owner.answers[0].payload, QByteArray("without a question"));
    QCOMPARE(stage.sourceOf(stage.b), ofB);
    QCOMPARE(stage.sourceOf(stage.a), ofA);
    QCOMPARE(stage.sockets(), std::int64_t{2});
    stage.port.end(stage.a.id);
    QVERIFY(!isTaken(ofA));
}

void TestServicePort::whatCannotBeResumedGetsAnotherAddress_data()
{
    QTest::addColumn<QByteArray>("source");
    QTest::addColumn<bool>("isTaken");
    QTest::newRow("which another process has taken") << QByteArray("127.77.1.2:61234") << true;
    QTest::newRow("which is of the other family") << QByteArray("[::1]:61234") << false;
    QTest::newRow("which is a service's") << QByteArray("127.0.0.1:61234") << false;
    QTest::newRow("which is another machine's") << QByteArray("192.0.2.1:61234") << false;
    QTest::newRow("which is nothing") << QByteArray("0.0.0.0:1") << false;
}

void TestServicePort::whatCannotBeResumedGetsAnotherAddress()
{
    QFETCH(QByteArray, source);
    QFETCH(bool, isTaken);
    const SocketAddress address = SocketAddress::parse(QString::fromLatin1(source)).value();
    QUdpSocket other;
    QVERIFY(!isTaken || other.bind(address.address(), address.port()));
    Stage stage;
    stage.port.resume(stage.a, SourceAddresses::wordOf(address));
    QCOMPARE(stage.sockets(), std::int64_t{0});
    QCOMPARE(stage.owner.words.size(), std::size_t{1});
    QCOMPARE(stage.owner.words[0].second, std::uint64_t{0});
    const SocketAddress now = stage.sourceOf(stage.a);
    QVERIFY(now != SocketAddress());
    QVERIFY(now != address);
    QCOMPARE(stage.owner.words.back().second, SourceAddresses::wordOf(now));
    stage.port.end(stage.a.id);
    QCOMPARE(stage.sockets(), std::int64_t{0});
}

/// Late answers for it may come to that address.
void TestServicePort::whatCannotBeResumedRests()
{
    Stage stage;
    const SocketAddress former = SocketAddress::parse(u"[::1]:61234").value();
    stage.port.resume(stage.a, SourceAddresses::wordOf(former)); // its service is at 127.0.0.1 now
    std::set<SocketAddress> given;
    const auto now = TimeSource::sinceBoot();
    for (std::int64_t i = 0; i < sourcesForIPv6 - 1; ++i)
        given.insert(stage.shared->ipv6.next(now).value());
    QCOMPARE(given.size(), static_cast<std::size_t>(sourcesForIPv6 - 1));
    QVERIFY(!given.contains(former));
}

void TestServicePort::withoutDescriptorsTheRestOfTheProcessGoesOn()
{
    rlimit before{};
    QCOMPARE(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit few = before;
    few.rlim_cur = 200;
    QCOMPARE(setrlimit(RLIMIT_NOFILE, &few), 0);
    const auto restore = qScopeGuard([&] { setrlimit(RLIMIT_NOFILE, &before); });
    Stage stage;
    std::uint64_t sessions = 0;
    while (stage.owner.unreachable.empty() && sessions < 1000)
        stage.say(sessionOf("a", ++sessions), "?");
    QCOMPARE(stage.owner.unreachable.size(), std::size_t{1});
    QVERIFY(stage.owner.unreachable[0].cause == ForwardDrop::NoSource);
    QCOMPARE(stage.owner.unreachable[0].detail, QStringLiteral("Too many open files"));
    QCOMPARE(static_cast<std::uint64_t>(stage.sockets()), sessions - 1);
    QVERIFY(stage.sockets() > 0);
    std::vector<std::unique_ptr<QUdpSocket>> others;
    for (int i = 0; i < 50; ++i) {
        others.push_back(std::make_unique<QUdpSocket>());
        QVERIFY(others.back()->bind());
    }
    // A session that ends makes room.
    stage.port.end(SessionId{1});
    stage.say(sessionOf("a", sessions), "!");
    QCOMPARE(static_cast<std::uint64_t>(stage.sockets()), sessions - 1);
}

DTLSD_TEST(TestServicePort)
#include "tst_serviceport.moc"
