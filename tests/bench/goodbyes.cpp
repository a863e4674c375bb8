// SPDX-License-Identifier: Apache-2.0
//
// Usage: goodbyes [SESSIONS]
// A daemon with 20,000 sessions of one identity, or SESSIONS, closes all of them by one command of
// the control socket. Prints how long that took, and how long another device, which sends messages
// one after the other, waited for answers before and meanwhile. The answers are receipts, which
// wait for the log too.
#include "support/ControlPeer.h"
#include "support/DaemonProcess.h"
#include "support/JournalInstance.h"

#include "dtls/DtlsClient.h"

#include <QCoreApplication>
#include <QElapsedTimer>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <memory>

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
        QObject::connect(&m_client, &DtlsClient::received, &m_client, [this] {
            ++m_answers;
            m_longest = std::max(m_longest, m_since.nsecsElapsed());
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
    void print(const char *when) const
    {
        std::printf("%s: %d answers, the longest wait %.2f ms\n", when, m_answers,
                    static_cast<double>(std::max(m_longest, m_since.nsecsElapsed())) / 1e6);
    }

private:
    void talk()
    {
        m_since.start();
        m_client.send("hello");
    }

    DtlsClient m_client;
    QElapsedTimer m_since;
    int m_answers = 0;
    qint64 m_longest = 0; // ns
};

int fail(const char *what)
{
    std::printf("FAILED: %s\n", what);
    return 1;
}

int measure(int sessions)
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

    talker.reset();
    QElapsedTimer clock;
    clock.start();
    ControlPeer client(daemon.controlSocket());
    client.send("{\"command\":\"close-identity\",\"identity\":\"crowd\"}\n");
    const QByteArray answer = client.readAll(QDeadlineTimer(10min)).value_or(QByteArray());
    const double took = static_cast<double>(clock.nsecsElapsed()) / 1e9;
    talker.print("meanwhile");
    std::printf("after %.2f s: %s", took, answer.constData());
    const bool good = daemon.stop() == 0;
    const auto dropped = daemon.events(QStringLiteral("entries-dropped"));
    const auto closed = daemon.events(QStringLiteral("session-closed"));
    std::printf("%lld entries of closed sessions, %lld times entries were dropped\n",
                static_cast<long long>(closed.size()), static_cast<long long>(dropped.size()));
    return good ? 0 : fail("the daemon does not stop cleanly");
}

} // namespace

int main(int argc, char *argv[])
{
    QCoreApplication application(argc, argv);
    bool isNumber = true;
    const int sessions = argc > 1 ? QByteArray(argv[1]).toInt(&isNumber) : 20'000;
    if (argc > 2 || !isNumber || sessions < 1) {
        static_cast<void>(std::fprintf(stderr, "Usage: goodbyes [SESSIONS]\n"));
        return 64;
    }
    return measure(sessions);
}
