// SPDX-License-Identifier: Apache-2.0
//
// Usage: goodbyes [SESSIONS [stop | stalled]]
// A daemon with 20,000 sessions of one identity, or SESSIONS, closes all of them by one command of
// the control socket; with `stop`, by SIGTERM; with `stalled`, by SIGTERM while its journal takes
// nothing. Prints how long that took, how many datagrams went to the devices, which are no longer
// there, and how long another device, which sends messages one after the other, waited for answers
// before and meanwhile. The answers are receipts, which wait for the log too.
#include "support/ControlPeer.h"
#include "support/DaemonProcess.h"
#include "support/JournalInstance.h"

#include "dtls/DtlsClient.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFile>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <deque>
#include <iterator>
#include <memory>

#include <sys/resource.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

const QByteArray configuration = "[server]\nlisten = 127.0.0.1:0\nreply = echo\n"
                                 "[limits]\nmax_sessions = 1000000\nidle_timeout = 1h\n"
                                 "[psk]\nfile =\n[identity talker]\nkey = text:TTTTTTTTTTTTTTTT\n"
                                 "[identity crowd]\nkey = text:CCCCCCCCCCCCCCCC\n";

constexpr std::size_t handshakesAtOnce = 50;

DtlsClient::Options device(const QByteArray &identity, char letter)
{
    return {.identity = identity, .key = PskKey(QByteArray(16, letter)), .ciphers = {}};
}

/// Each client has its own address, so that none replaces another.
std::unique_ptr<DtlsClient> connecting(int number, const SocketAddress &server)
{
    const auto host = 0x7f010001U + static_cast<quint32>(number); // 127.1.0.1
    auto socket = DatagramSocket::bind({QHostAddress(host), 0}, {});
    if (!socket)
        return nullptr;
    auto client = std::make_unique<DtlsClient>(device("crowd", 'C'));
    client->connectTo(server, std::move(socket).value());
    return client;
}

/// Opens the sessions of devices that then fall silent.
bool openCrowd(int size, const SocketAddress &server)
{
    std::deque<std::unique_ptr<DtlsClient>> underWay;
    for (int i = 0; i < size || !underWay.empty();) {
        while (i < size && underWay.size() < handshakesAtOnce)
            underWay.push_back(connecting(i++, server));
        const auto isFirstThere = [&] {
            return !underWay.front() || underWay.front()->isConnected();
        };
        if (!waitUntil(isFirstThere, QDeadlineTimer(patience)) || !underWay.front())
            return false;
        underWay.pop_front();
    }
    return true;
}

/// A device that sends a message as soon as it has the answer to the one before.
class Talker
{
public:
    explicit Talker(const SocketAddress &server)
        : m_client(device("talker", 'T'))
    {
        QObject::connect(&m_client, &DtlsClient::connected, &m_client, [this] { talk(); });
        QObject::connect(&m_client, &DtlsClient::closed, &m_client, [this] {
            note();
            m_isClosed = true;
        });
        QObject::connect(&m_client, &DtlsClient::received, &m_client, [this] {
            ++m_answers;
            note();
            talk();
        });
        static_cast<void>(m_client.connectTo(server));
    }

    [[nodiscard]] bool talksFor(std::chrono::milliseconds duration)
    {
        reset();
        static_cast<void>(waitUntil([] { return false; }, QDeadlineTimer(duration)));
        return m_answers > 0;
    }
    void reset()
    {
        m_answers = 0;
        m_longest = 0;
    }
    /// Prints the waits since reset(), with that of the present message.
    void print(const char *when)
    {
        if (!m_isClosed)
            note();
        std::printf("%s: %d answers, the longest wait %.2f ms%s\n", when, m_answers,
                    static_cast<double>(m_longest) / 1e6, m_isClosed ? ", then closed" : "");
    }

private:
    void note() { m_longest = std::max(m_longest, m_since.nsecsElapsed()); }
    void talk()
    {
        m_since.start();
        m_client.send("hello");
    }

    DtlsClient m_client;
    QElapsedTimer m_since;
    int m_answers = 0;
    qint64 m_longest = 0; // ns
    bool m_isClosed = false;
};

/// The processor time of a process until now, in seconds.
double processorTime(qint64 processId)
{
    QFile file(QStringLiteral("/proc/%1/stat").arg(processId));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    const QByteArray stat = file.readAll();
    const QByteArrayList fields = stat.mid(stat.lastIndexOf(')') + 2).split(' ');
    return (fields.value(11).toDouble() + fields.value(12).toDouble()) /
           static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Of all children that have ended.
double processorTimeOfChildren()
{
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    const auto seconds = [](const timeval &time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Datagrams that found nobody at their port, on the whole machine since its start.
qint64 datagramsForNobody()
{
    QFile file(QStringLiteral("/proc/net/snmp"));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    const QList<QByteArray> lines = file.readAll().split('\n');
    const auto isUdp = [](const QByteArray &line) { return line.startsWith("Udp:"); };
    const auto names = std::ranges::find_if(lines, isUdp);
    const auto column = names->split(' ').indexOf("NoPorts");
    return std::next(names)->split(' ').value(column).toLongLong();
}

int fail(const char *what)
{
    std::printf("FAILED: %s\n", what);
    return 1;
}

enum class Way { Command, Stop, Stalled };

/// Closes all sessions; false: the daemon has not ended well.
bool sayGoodbye(DaemonProcess &daemon, Way way)
{
    if (way == Way::Command) {
        ControlPeer client(daemon.controlSocket());
        client.send("{\"command\":\"close-identity\",\"identity\":\"crowd\"}\n");
        const auto answer = client.readAll(QDeadlineTimer(10min));
        std::printf("%s", answer.value_or(QByteArray()).constData());
        return answer.has_value();
    }
    daemon.process().sendSignal(SIGTERM);
    return daemon.waitForExit(QDeadlineTimer(10min)) == 0;
}

int measure(int sessions, Way way)
{
    JournalInstance journal;
    QString why;
    const bool hasJournal = JournalInstance::isAvailable(&why) && journal.start();
    if (!hasJournal)
        std::printf("JSON lines instead of a journal: %s\n", qPrintable(why));
    DaemonProcess daemon(configuration, hasJournal ? &journal : nullptr);
    if (!daemon.start())
        return fail("the daemon does not start");
    const SocketAddress server = daemon.addresses().constFirst();
    if (!openCrowd(sessions, server))
        return fail("the sessions do not open");
    Talker talker(server);
    if (!talker.talksFor(3s))
        return fail("the talker gets no answer");
    talker.print("before");

    if (way == Way::Stalled)
        journal.pause();
    talker.reset();
    const qint64 before = datagramsForNobody();
    const qint64 processId = daemon.process().processId();
    const double busy = processorTime(processId) + processorTimeOfChildren();
    QElapsedTimer clock;
    clock.start();
    const bool isDone = sayGoodbye(daemon, way);
    const double took = static_cast<double>(clock.nsecsElapsed()) / 1e9;
    talker.print("meanwhile");
    std::printf("%.2f s, of the processor %.2f s, %lld datagrams to devices\n", took,
                processorTime(processId) + processorTimeOfChildren() - busy,
                static_cast<long long>(datagramsForNobody() - before));
    if (way == Way::Stalled)
        journal.resume();
    const bool isGood = isDone && (way != Way::Command || daemon.stop() == 0);
    std::printf("%s", qPrintable(daemon.errorText()));
    const auto dropped = daemon.events(QStringLiteral("entries-dropped"));
    const auto closed = daemon.events(QStringLiteral("session-closed"));
    std::printf("%lld entries of closed sessions, %lld times entries were dropped\n",
                static_cast<long long>(closed.size()), static_cast<long long>(dropped.size()));
    return isGood ? 0 : fail("the daemon does not stop cleanly");
}

} // namespace

int main(int argc, char *argv[])
{
    QCoreApplication application(argc, argv);
    bool isNumber = true;
    const int sessions = argc > 1 ? QByteArray(argv[1]).toInt(&isNumber) : 20'000;
    const QByteArray way = argc > 2 ? argv[2] : "command";
    const QByteArrayList ways{"command", "stop", "stalled"}; // as in Way
    if (argc > 3 || !isNumber || sessions < 1 || !ways.contains(way)) {
        static_cast<void>(std::fprintf(stderr, "Usage: goodbyes [SESSIONS [stop | stalled]]\n"));
        return 64;
    }
    return measure(sessions, static_cast<Way>(ways.indexOf(way)));
}
