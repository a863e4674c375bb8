// SPDX-License-Identifier: Apache-2.0
#include "app/Worker.h"

#include "app/LogEvent.h"

#include <QDeadlineTimer>
#include <QTimer>

#include <openssl/crypto.h>
#include <time.h>

namespace dtlsd {

namespace {

// How long a slow log may delay the close_notify messages at the end: devices come before entries.
// Without that delay they take a few seconds even for 100,000 sessions, and the log's last entries
// take five: together less than the 30 s that our files for containers grant, and the 90 s of a
// systemd unit without TimeoutStopSec=.
constexpr std::chrono::seconds longestGoodbye{5};

// A device repeats what it gets no receipt for, which makes a second entry.
constexpr std::chrono::seconds longestWaitForReceipts{1};

} // namespace

Worker::Worker(std::size_t number, std::shared_ptr<const ServerSettings> settings,
               std::shared_ptr<SharedState> shared, const EventLog &events, LogWriter &writer)
    : m_number(number)
    , m_settings(std::move(settings))
    , m_shared(std::move(shared))
    , m_events(events)
    , m_writer(writer)
    , m_desk(m_mailbox,
             [this](std::span<const Receipt> receipts) { m_server->sendReplies(receipts); })
{
    setObjectName(QStringLiteral("worker-%1").arg(number)); // the thread's name, as ps(1) shows it
    start();
    m_began.wait();
}

Worker::~Worker()
{
    stop();
}

void Worker::run()
{
    serve();
    // OpenSSL itself would do this at the thread's exit, for which QThread::wait() does not wait:
    // the process could end in the middle of it.
    OPENSSL_thread_stop();
    m_ended.count_down();
}

void Worker::serve()
{
    DtlsServer server(std::exchange(m_settings, nullptr), m_shared,
                      [this](std::function<void(DtlsServer &)> task) {
                          m_mailbox.post([this, task = std::move(task)] { task(*m_server); });
                      });
    m_server = &server;
    const auto log = [this](const ServerEvent &event) { logEvent(m_events, m_writer, event); };
    connect(&server, &DtlsServer::errorMessage, &server, log);
    connect(&server, &DtlsServer::warningMessage, &server, log);
    connect(&server, &DtlsServer::infoMessage, &server, log);
    connect(&server, &DtlsServer::datagramReceived, &server,
            [this](const Datagram &datagram) { logDatagram(datagram); });
    server.setHeard(m_events.wantsDatagrams());
    server.setPace([this] { return m_writer.keepsUp(); }); // each closed session is an entry
    m_mailbox.open();
    m_began.count_down();
    exec();
    m_mailbox.close();
    if (m_leaves)
        server.memory().leave();
    m_server = nullptr;
}

WorkerState Worker::state() const
{
    timespec cpu = {};
    // Fails only for unknown clocks.
    static_cast<void>(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu));
    return {m_server->statistics(), m_desk.withheld(),
            std::chrono::seconds(cpu.tv_sec) +
                std::chrono::duration_cast<std::chrono::microseconds>(
                    std::chrono::nanoseconds(cpu.tv_nsec))};
}

void Worker::apply(std::shared_ptr<const ServerSettings> settings, const EventLog &events,
                   DtlsServer::Done done)
{
    m_events = events;
    m_server->setHeard(m_events.wantsDatagrams());
    m_server->apply(std::move(settings), std::move(done));
}

void Worker::leave(DtlsServer::Done done)
{
    m_leaves = true;
    m_server->pause();
    auto *timer = new QTimer(m_server);
    const auto check = [this, timer, done = std::move(done),
                        deadline = QDeadlineTimer(longestWaitForReceipts)] {
        if (!m_desk.isClear() && !deadline.hasExpired())
            return;
        timer->stop();
        done(0);
    };
    connect(timer, &QTimer::timeout, m_server, check);
    timer->start(std::chrono::milliseconds(1));
}

void Worker::close(DtlsServer::Done done)
{
    const auto begun = std::chrono::steady_clock::now();
    m_server->setPace([this, begun] {
        return m_writer.keepsUp() || std::chrono::steady_clock::now() - begun > longestGoodbye;
    });
    m_server->close(std::move(done));
}

void Worker::stop()
{
    m_mailbox.post([this] { quit(); });
    m_ended.wait();
    wait();
}

void Worker::logDatagram(const Datagram &datagram)
{
    LogEntry entry{m_events.describe(datagram), nullptr, datagram.session.source};
    if (datagram.receipt.reply.isEmpty()) {
        static_cast<void>(m_writer.push(std::move(entry))); // it counts what it refuses
        return;
    }
    const std::uint64_t ticket = m_desk.expect(datagram.receipt);
    entry.listener = &m_desk;
    entry.ticket = ticket;
    if (!m_writer.push(std::move(entry)))
        m_desk.withhold(ticket);
}

} // namespace dtlsd
