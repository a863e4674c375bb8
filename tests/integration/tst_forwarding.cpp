// SPDX-License-Identifier: Apache-2.0
//
// dtlsd between devices and local services: services that stop, go away and come back, floods, and
// what else is between a datagram and its service.
#include "ForwardStage.h"
#include "support/DaemonLog.h"
#include "support/ForbiddenFamily.h"
#include "support/FreePort.h"
#include "support/JsonFields.h"
#include "support/KeyedLink.h"
#include "support/PassedSockets.h"
#include "support/TestProgram.h"

#include <QJsonArray>
#include <QSignalSpy>
#include <QStandardPaths>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <memory>

#include <sys/socket.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

const QString unreachable = QStringLiteral("service-unreachable");
const QString reachable = QStringLiteral("service-reachable");
const QByteArray signature("\r\n\r\n\0\r\nQUIT\n", 12); // of the PROXY protocol, version 2

/// A service in a process of its own, which answers each datagram with itself.
class EchoProcess
{
public:
    explicit EchoProcess(const SocketAddress &address)
        : m_address(address)
    {
    }

    [[nodiscard]] bool start()
    {
        const QString script =
            QStringLiteral("import socket, sys\n"
                           "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                           "s.bind(('%1', %2))\n"
                           "print('ready', flush=True)\n"
                           "while True:\n"
                           "    s.sendto(*s.recvfrom(65535))\n")
                .arg(m_address.address().toString())
                .arg(m_address.port());
        m_process = std::make_unique<ChildProcess>();
        return m_process->run({QStringLiteral("python3"), {QStringLiteral("-c"), script}}) &&
               waitUntil([this] { return m_process->readAllStandardOutput().contains("ready"); },
                         QDeadlineTimer(patience));
    }
    void sendSignal(int signal) { m_process->sendSignal(signal); }
    bool kill()
    {
        m_process->kill();
        return m_process->waitForEnd();
    }

private:
    const SocketAddress m_address;
    std::unique_ptr<ChildProcess> m_process;
};

/// Asks until an answer comes, and waits for those to all other questions; how often. 0: none came.
int askUntilAnswered(HearingDevice &device, const QByteArray &text)
{
    const auto count = [&] {
        return std::ranges::count_if(
            device.heard(), [&](const QByteArray &answer) { return answer.startsWith(text); });
    };
    const auto before = count();
    int asked = 0;
    QDeadlineTimer due(0);
    const bool isAnswered = waitUntil(
        [&] {
            if (due.hasExpired()) {
                device.send(text + ' ' + QByteArray::number(++asked));
                due.setRemainingTime(100);
            }
            return count() > before;
        },
        QDeadlineTimer(patience));
    const bool areAllAnswered = isAnswered && waitUntil([&] { return count() == before + asked; },
                                                        QDeadlineTimer(patience));
    return areAllAnswered ? asked : 0;
}

} // namespace

class TestForwarding : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aServiceThatIsKilledIsToldAndFoundAgain();
    void aServiceThatStandsHoldsUpNobodyElse();
    void aFloodOfOneDeviceIsCountedAndHoldsUpNobodyElse();
    void whatIsOverTheRateIsNotForwarded();
    void withoutEntriesItGoesAtOnce();
    void replyAndAnswerBothGoOut();
    void anAnswerThatIsTooLongIsSaidToBeDropped();
    void aForgedHeaderIsPayload_data();
    void aForgedHeaderIsPayload();
    void anotherServiceAfterAReload();
    void aDeviceThatComesBackIsAnotherPeer();
    void aSandboxWithoutIPv4IsAConfigurationError();
    void aPassedSocketsOwnAddressIsNoService();
};

void TestForwarding::aServiceThatIsKilledIsToldAndFoundAgain()
{
    if (QStandardPaths::findExecutable(QStringLiteral("python3")).isEmpty())
        QSKIP("python3 is not installed");
    ForwardStage stage({.identities = "[identity other]\nforward = 127.0.0.1:9\nreply = ack\n" +
                                      ForwardStage::keyLine()});
    EchoProcess service(stage.service().address());
    stage.service().stop();
    QVERIFY(service.start());
    QVERIFY2(stage.start(), qPrintable(stage.daemon().errorText()));
    const QByteArray target = stage.service().address().toUtf8();
    const auto isReachable = [&] {
        return stage.metric("dtlsd_service_reachable", "service=\"" + target + '"');
    };
    HearingDevice device(stage.server(), "one");
    HearingDevice unforwarded(stage.server(), "three");
    QVERIFY(device.isConnected() && unforwarded.isConnected());
    const int before = askUntilAnswered(device, "before");
    QVERIFY(before > 0);
    QCOMPARE(isReachable(), 1);
    QCOMPARE(stage.metric("dtlsd_forward_sockets"), 1);

    QVERIFY(service.kill());
    const qint64 sentBefore = stage.forwarded("datagrams_to_service");
    constexpr int lost = 20;
    for (int i = 1; i <= lost; ++i) { // one by one: for a socket the kernel remembers one refusal
        device.send("lost");
        QTRY_COMPARE(stage.dropped("refused"), i);
    }
    QCOMPARE(stage.metric("dtlsd_forward_dropped_datagrams_total", "cause=\"refused\""), lost);
    QCOMPARE(stage.forwarded("datagrams_to_service"), sentBefore + lost); // the kernel took them
    QCOMPARE(isReachable(), 0);
    const auto told = stage.daemon().waitForEvent(unreachable);
    QVERIFY(told);
    QCOMPARE(text(*told, "service").toLatin1(), target);
    QCOMPARE(text(*told, "reason"), QStringLiteral("refused"));
    // Who has no service gets receipts all the time.
    unforwarded.send("no service needed");
    QTRY_COMPARE(unforwarded.heard().size(), std::size_t{1});

    QVERIFY(service.start());
    const int after = askUntilAnswered(device, "after");
    QVERIFY(after > 0);
    QTRY_COMPARE(isReachable(), 1);
    QVERIFY(service.kill());
    constexpr int again = 200;
    for (int i = 0; i < again; ++i)
        device.send("lost again");
    QTRY_COMPARE(stage.metric("dtlsd_received_datagrams_total"), before + lost + 1 + after + again);
    QTRY_VERIFY(stage.dropped("refused") > lost);
    QVERIFY(stage.dropped("refused") <= lost + again);
    // The second outage, and the first one's end, belong to the next minute.
    QCOMPARE(stage.daemon().events(unreachable).size(), 1);
    QVERIFY(stage.daemon().events(reachable).size() <= 1);
    QCOMPARE(stage.daemon().stop(), 0);
}

void TestForwarding::aServiceThatStandsHoldsUpNobodyElse()
{
    if (QStandardPaths::findExecutable(QStringLiteral("python3")).isEmpty())
        QSKIP("python3 is not installed");
    UdpService others;
    others.handleBy([&](const UdpService::Question &question) {
        others.answer(question.from, "answer to " + question.text);
    });
    ForwardStage stage({.identities = "[identity other]\nforward = " + others.address().toUtf8() +
                                      '\n' + ForwardStage::keyLine()});
    EchoProcess service(stage.service().address());
    stage.service().stop();
    QVERIFY(service.start());
    QVERIFY2(stage.start(), qPrintable(stage.daemon().errorText()));
    HearingDevice device(stage.server(), "one");
    HearingDevice other(stage.server(), "other");
    HearingDevice unforwarded(stage.server(), "three");
    QVERIFY(device.isConnected() && other.isConnected() && unforwarded.isConnected());
    QVERIFY(askUntilAnswered(device, "before") > 0);

    service.sendSignal(SIGSTOP);
    for (int i = 0; i < 20; ++i)
        device.send("waits " + QByteArray::number(i));
    other.send("goes on");
    unforwarded.send("goes on");
    QTRY_VERIFY(other.hasHeard("answer to goes on"));
    QTRY_COMPARE(unforwarded.heard().size(), std::size_t{1});
    const HearingDevice another(stage.server(), "two");
    QVERIFY(another.isConnected());
    QVERIFY(!device.hasHeard("waits 0"));

    service.sendSignal(SIGCONT); // its queue has kept them
    QTRY_VERIFY(device.hasHeard("waits 19"));
    QVERIFY(stage.daemon().events(unreachable).isEmpty());
    QCOMPARE(stage.daemon().stop(), 0);
}

void TestForwarding::aFloodOfOneDeviceIsCountedAndHoldsUpNobodyElse()
{
    UdpService others;
    others.handleBy([&](const UdpService::Question &question) {
        others.answer(question.from, "answer to " + question.text);
    });
    // The flooded service reads nothing: its queue overflows, as of a slow one.
    ForwardStage stage({.identities = "[identity other]\nforward = " + others.address().toUtf8() +
                                      '\n' + ForwardStage::keyLine()});
    DaemonLog log(stage.daemon());
    QVERIFY2(log.start(), qPrintable(stage.daemon().errorText()));
    const SocketAddress server = log.address();
    HearingDevice device(server, "one");
    HearingDevice other(server, "other");
    QVERIFY(device.isConnected() && other.isConnected());
    constexpr int flood = 4000;
    for (int i = 0; i < flood; ++i) {
        device.send(QByteArray(500, 'f'));
        if (i % 400 != 0)
            continue;
        const QByteArray question = "question " + QByteArray::number(i);
        // What the kernel drops before dtlsd reads it is asked again.
        QDeadlineTimer due(0);
        const auto isAnswered = [&] {
            if (due.hasExpired()) {
                other.send(question);
                due.setRemainingTime(500);
            }
            return other.hasHeard("answer to " + question);
        };
        QVERIFY(waitUntil(isAnswered, QDeadlineTimer(patience)));
    }
    const auto kept = [&] {
        int count = 0;
        for (const int times : log.payloads())
            count += times;
        return count;
    };
    // Every datagram with an entry was sent to a service, and no other.
    QTRY_COMPARE(stage.forwarded("datagrams_to_service"), kept());
    QVERIFY(log.payloads()[QByteArray(500, 'f')] > flood / 2);
    QCOMPARE(stage.metric("dtlsd_forwarded_datagrams_total", "direction=\"to-service\""), kept());
    QTRY_COMPARE(stage.metric("dtlsd_forwarded_datagrams_total", "direction=\"from-service\""),
                 static_cast<qint64>(other.heard().size()));
    const auto arrived = stage.service().take().size();
    QVERIFY2(arrived > 0 && arrived < flood, "the service's queue has not overflowed");
    QCOMPARE(stage.daemon().stop(), 0);
}

void TestForwarding::whatIsOverTheRateIsNotForwarded()
{
    ForwardStage stage(
        {.identities = "[identity slow]\ndatagrams_per_second = 5\n" + ForwardStage::keyLine()});
    QVERIFY2(stage.start(), qPrintable(stage.daemon().errorText()));
    HearingDevice device(stage.server(), "slow");
    QVERIFY(device.isConnected());
    constexpr int sent = 200;
    for (int i = 0; i < sent; ++i)
        device.send(QByteArray::number(i));
    const auto over = [&] {
        return stage.metric("dtlsd_dropped_datagrams_total", "cause=\"identity-limited\"");
    };
    QTRY_VERIFY(over() + stage.forwarded("datagrams_to_service") == sent);
    QVERIFY(over() > sent / 2);
    qint64 seen = 0;
    for (const UdpService::Question &question : stage.service().take()) {
        QCOMPARE(stage.daemon().events(QStringLiteral("datagram-received")).at(seen)[u"payload"],
                 QString::fromLatin1(question.text));
        ++seen;
    }
    QCOMPARE(seen, sent - over());
    QCOMPARE(stage.daemon().stop(), 0);
}

void TestForwarding::withoutEntriesItGoesAtOnce()
{
    ForwardStage stage(
        {.server = "reply = none\n",
         .sections = "[log]\nlevel = warning\n",
         .identities = "[identity echoing]\nreply = echo\n" + ForwardStage::keyLine()});
    // `started` is a notice, which such a log has not.
    QVERIFY(stage.daemon().launch());
    QTRY_VERIFY(!stage.status().isEmpty());
    const SocketAddress server =
        SocketAddress::parse(stage.status()[QStringLiteral("listen")].toArray().at(0).toString())
            .value_or(SocketAddress());
    QVERIFY2(server != SocketAddress(), "status has no address");
    HearingDevice device(server, "one");
    HearingDevice echoing(server, "echoing");
    QVERIFY(device.isConnected() && echoing.isConnected());
    stage.service().handleBy([&](const UdpService::Question &question) {
        stage.service().answer(question.from, "answer to " + question.text);
    });
    device.send("x");
    echoing.send("y");
    QTRY_VERIFY(device.hasHeard("answer to x"));
    QTRY_VERIFY(echoing.hasHeard("answer to y") && echoing.hasHeard("y"));
    QVERIFY(stage.daemon().events(QStringLiteral("datagram-received")).isEmpty());
    QCOMPARE(stage.daemon().stop(), 0);
}

void TestForwarding::replyAndAnswerBothGoOut()
{
    ForwardStage stage(
        {.server = "reply = ack\n",
         .identities = "[identity silent]\nreply = none\n" + ForwardStage::keyLine()});
    stage.service().handleBy([&](const UdpService::Question &question) {
        stage.service().answer(question.from, "answer to " + question.text);
    });
    QVERIFY2(stage.start(), qPrintable(stage.daemon().errorText()));
    HearingDevice device(stage.server(), "one");
    HearingDevice silent(stage.server(), "silent");
    QVERIFY(device.isConnected() && silent.isConnected());
    for (int i = 0; i < 10; ++i) {
        device.send(QByteArray::number(i));
        silent.send(QByteArray::number(i));
    }
    QTRY_COMPARE(device.heard().size(), std::size_t{20});
    QTRY_COMPARE(silent.heard().size(), std::size_t{10});
    const auto acknowledged = std::ranges::count_if(
        device.heard(), [](const QByteArray &text) { return text.endsWith(": ACK"); });
    QCOMPARE(acknowledged, 10);
    for (int i = 0; i < 10; ++i) {
        QVERIFY(device.hasHeard("answer to " + QByteArray::number(i)));
        QCOMPARE(silent.heard()[static_cast<std::size_t>(i)], "answer to " + QByteArray::number(i));
    }
    QCOMPARE(stage.daemon().stop(), 0);
}

void TestForwarding::anAnswerThatIsTooLongIsSaidToBeDropped()
{
    ForwardStage stage({});
    QVERIFY2(stage.start(), qPrintable(stage.daemon().errorText()));
    KeyedLink device(KeyedClient::Options{.identity = "one", .fragments = 1}); // 512 bytes
    QList<QByteArray> heard;
    bool isConnected = false;
    connect(&device, &DeviceLink::connected, this, [&] { isConnected = true; });
    connect(&device, &DeviceLink::received, this, [&](const QByteArray &text) { heard << text; });
    device.start(stage.server());
    QTRY_VERIFY(isConnected);
    stage.service().handleBy([&](const UdpService::Question &question) {
        for (const int size : {513, 16'385, 65'507, 0, 512}) // one record has 16,384 at most
            stage.service().answer(question.from, QByteArray(size, 'a'));
    });
    device.send("?");
    QTRY_COMPARE(heard, QList<QByteArray>{QByteArray(512, 'a')});
    const auto dropped = stage.daemon().waitForEvent(QStringLiteral("reply-dropped"));
    QVERIFY(dropped);
    QCOMPARE(text(*dropped, "identity"), QStringLiteral("one"));
    QVERIFY2(text(*dropped, "message").contains(QStringLiteral("of 513 bytes")),
             qPrintable(text(*dropped, "message")));
    QCOMPARE(stage.forwarded("datagrams_from_service"), 5);
    QCOMPARE(stage.daemon().events(QStringLiteral("reply-dropped")).size(), 1);
    QCOMPARE(stage.daemon().stop(), 0);
}

void TestForwarding::aForgedHeaderIsPayload_data()
{
    QTest::addColumn<bool>("hasHeader");
    QTest::newRow("without a header before it") << false;
    QTest::newRow("behind a header of dtlsd") << true;
}

void TestForwarding::aForgedHeaderIsPayload()
{
    QFETCH(bool, hasHeader);
    ForwardStage stage({.server = hasHeader ? "forward_header = proxy\n" : ""});
    QVERIFY2(stage.start(), qPrintable(stage.daemon().errorText()));
    HearingDevice device(stage.server(), "one");
    QVERIFY(device.isConnected());
    // A whole header of `root`, PROXY and LOCAL, one that is cut, and the signature alone.
    const QByteArray addresses = QByteArray::fromHex("c0000201c000020204d20016");
    const QByteArray name = QByteArray::fromHex("20000c01000000002200") + "\x04root";
    const QList<QByteArray> forged{signature + "\x21\x12" + QByteArray::fromHex("001b") +
                                       addresses + name + "order",
                                   signature + QByteArray::fromHex("20000000"), signature + "\x21",
                                   signature, "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"};
    for (const QByteArray &payload : forged)
        QVERIFY(device.send(payload));
    std::vector<UdpService::Question> seen;
    QTRY_VERIFY([&] {
        for (UdpService::Question &question : stage.service().take())
            seen.push_back(std::move(question));
        return std::ssize(seen) == forged.size();
    }());
    for (qsizetype i = 0; i < forged.size(); ++i) {
        QByteArray datagram = seen[static_cast<std::size_t>(i)].text;
        if (hasHeader) { // whose length ends it, whatever comes
            QVERIFY(datagram.startsWith(signature));
            const auto byte = [&](qsizetype at) {
                return static_cast<unsigned char>(datagram[at]);
            };
            QCOMPARE(byte(12), 0x21);
            QCOMPARE(byte(13), 0x12);
            const qsizetype length = 16 + byte(14) * 256 + byte(15);
            const QByteArray header = datagram.first(length);
            QVERIFY(header.contains(QByteArray::fromHex("220003") + "one"));
            QVERIFY(!header.contains("root"));
            datagram = datagram.sliced(length);
        }
        QCOMPARE(datagram, forged[i]);
    }
    QCOMPARE(stage.daemon().stop(), 0);
}

void TestForwarding::anotherServiceAfterAReload()
{
    ForwardStage stage({});
    QVERIFY2(stage.start(), qPrintable(stage.daemon().errorText()));
    HearingDevice device(stage.server(), "one");
    QVERIFY(device.isConnected());
    const auto nextOf = [&](UdpService &service, const QByteArray &text) {
        device.send(text);
        std::vector<UdpService::Question> seen;
        waitUntil([&] { return !(seen = service.take()).empty(); }, QDeadlineTimer(patience));
        return seen.empty() ? UdpService::Question() : seen[0];
    };
    const auto reload = [&](const QByteArray &service) {
        const qsizetype before = stage.daemon().events(QStringLiteral("reloaded")).size();
        stage.setService(service);
        stage.daemon().process().sendSignal(SIGHUP);
        return waitUntil(
            [&] { return stage.daemon().events(QStringLiteral("reloaded")).size() > before; },
            QDeadlineTimer(patience));
    };
    const UdpService::Question first = nextOf(stage.service(), "first");
    QCOMPARE(first.text, QByteArray("first"));

    UdpService next;
    QVERIFY(reload(next.address().toUtf8()));
    stage.service().answer(first.from, "too late");
    const UdpService::Question second = nextOf(next, "second");
    QCOMPARE(second.text, QByteArray("second"));
    QVERIFY(second.from != first.from);
    next.answer(second.from, "in time");
    QTRY_VERIFY(device.hasHeard("in time"));
    QVERIFY(!device.hasHeard("too late"));

    QVERIFY(reload("none"));
    device.send("third");
    QTRY_VERIFY(std::ranges::any_of( // a receipt, now that no service answers
        device.heard(), [](const QByteArray &text) { return text.endsWith(": ACK"); }));
    QVERIFY(stage.service().take().empty());
    QVERIFY(next.take().empty());
    QTRY_COMPARE(stage.forwarded("sockets"), 0);

    QVERIFY(reload(stage.service().address().toUtf8()));
    const UdpService::Question fourth = nextOf(stage.service(), "fourth");
    QCOMPARE(fourth.text, QByteArray("fourth"));
    QVERIFY(fourth.from != first.from && fourth.from != second.from);
    QCOMPARE(stage.daemon().stop(), 0);
}

/// A device that was reset: the same port, a new session.
void TestForwarding::aDeviceThatComesBackIsAnotherPeer()
{
    ForwardStage stage({});
    QVERIFY2(stage.start(), qPrintable(stage.daemon().errorText()));
    const SocketAddress here(QHostAddress(QHostAddress::LocalHost), freePort());
    std::vector<SocketAddress> seen;
    stage.service().handleBy(
        [&](const UdpService::Question &question) { seen.push_back(question.from); });
    for (std::size_t life = 1; life <= 3; ++life) {
        DtlsClient device(DtlsClient::Options{
            .identity = "one",
            .key = PskKey(QByteArray::fromHex("00112233445566778899aabbccddeeff")),
            .ciphers = {}});
        QSignalSpy connected(&device, &DtlsClient::connected);
        device.connectTo(stage.server(), DatagramSocket::bind(here, {}).value());
        QVERIFY(connected.wait(qtPatience) || !connected.isEmpty());
        device.send("hello");
        QTRY_COMPARE(seen.size(), life);
    }
    QVERIFY(seen[0] != seen[1] && seen[1] != seen[2] && seen[0] != seen[2]);
    QCOMPARE(stage.daemon().stop(), 0);
}

void TestForwarding::aSandboxWithoutIPv4IsAConfigurationError()
{
    ForwardStage stage({});
    stage.daemon().process().prepareChild(forbidFamily<AF_INET>);
    QVERIFY(stage.daemon().launch());
    QCOMPARE(stage.daemon().waitForExit(), std::optional(78));
    const QString words = stage.daemon().errorText();
    QVERIFY2(words.contains(stage.daemon().configFile() +
                            QStringLiteral(":4: [server] forward: \"") +
                            stage.service().address().toString() + u'"'),
             qPrintable(words));
    QVERIFY2(words.contains(QStringLiteral("RestrictAddressFamilies=")), qPrintable(words));
}

/// Which the configuration cannot know.
void TestForwarding::aPassedSocketsOwnAddressIsNoService()
{
    const std::vector<int> sockets = socketsAt("a");
    const QByteArray own = DatagramSocket::addressOf(sockets[0]).toUtf8();
    const auto passTo = [&](DaemonProcess &daemon) { daemon.pass({{sockets[0], "dtlsd.socket"}}); };
    {
        ForwardStage stage(
            {.identities = "[identity loop]\nforward = " + own + '\n' + ForwardStage::keyLine()});
        passTo(stage.daemon());
        QVERIFY(stage.daemon().launch());
        QCOMPARE(stage.daemon().waitForExit(), std::optional(69));
        QVERIFY2(stage.daemon().errorText().contains(QString::fromLatin1(own)) ||
                     !stage.daemon().events(QStringLiteral("listen-failed")).isEmpty(),
                 qPrintable(stage.daemon().errorText()));
    }
    ForwardStage stage({});
    passTo(stage.daemon());
    QVERIFY2(stage.start(), qPrintable(stage.daemon().errorText()));
    stage.setService(own);
    stage.daemon().process().sendSignal(SIGHUP);
    const auto rejected = stage.daemon().waitForEvent(QStringLiteral("reload-rejected"));
    QVERIFY(rejected);
    QVERIFY2(text(*rejected, "message").contains(QString::fromLatin1(own)),
             qPrintable(text(*rejected, "message")));
    HearingDevice device(stage.server(), "one");
    QVERIFY(device.isConnected());
    int seen = 0;
    stage.service().handleBy([&](const UdpService::Question &) { ++seen; });
    device.send("as before");
    QTRY_COMPARE(seen, 1);
    QCOMPARE(stage.daemon().stop(), 0);
    close(sockets[0]);
}

DTLSD_TEST(TestForwarding)
#include "tst_forwarding.moc"
