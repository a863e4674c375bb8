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

// To look at one takes a microsecond.
constexpr std::size_t sessionsAtOnce = 1024;

// A device repeats what it gets no receipt for, which makes a second entry.
constexpr std::chrono::seconds longestWaitForReceipts{1};

} // namespace

Worker::Worker(std::size_t number, Settings settings, Shared shared, LogWriter &writer)
    : m_number(number)
    , m_settings(std::move(settings))
    , m_shared(std::move(shared))
    , m_writer(writer)
    , m_desk(m_mailbox, [this](auto kept, auto lost) { settle(kept, lost); })
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
    DtlsServer server(m_settings.server, m_shared.server,
                      [this](std::function<void(DtlsServer &)> task) {
                          m_mailbox.post([this, task = std::move(task)] { task(*m_server); });
                      });
    ServicePort service(m_settings.forward, m_shared.services, *this);
    m_server = &server;
    m_service = &service;
    const auto log = [this](const ServerEvent &event) {
        logEvent(m_settings.events, m_writer, event);
        if (const auto *closed = std::get_if<SessionClosed>(&event))
            m_service->end(closed->session.id);
    };
    connect(&server, &DtlsServer::errorMessage, &server, log);
    connect(&server, &DtlsServer::warningMessage, &server, log);
    connect(&server, &DtlsServer::infoMessage, &server, log);
    connect(&server, &DtlsServer::datagramReceived, &server,
            [this](const Datagram &datagram) { logDatagram(datagram); });
    hear();
    server.setPace([this] { return m_writer.keepsUp(); }); // each closed session is an entry
    m_mailbox.open();
    m_began.count_down();
    exec();
    m_mailbox.close();
    if (m_leaves)
        server.sessions().memory().leave();
    m_server = nullptr;
    m_service = nullptr;
}

void Worker::hear()
{
    m_server->setHeard(m_settings.events.wantsDatagrams() || m_service->isUsed());
}

WorkerState Worker::state() const
{
    timespec cpu = {};
    // Fails only for unknown clocks.
    static_cast<void>(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu));
    return {m_server->statistics(), m_service->statistics(), m_withheld,
            std::chrono::seconds(cpu.tv_sec) +
                std::chrono::duration_cast<std::chrono::microseconds>(
                    std::chrono::nanoseconds(cpu.tv_nsec))};
}

void Worker::apply(Settings settings, DtlsServer::Done done)
{
    m_settings = std::move(settings);
    m_service->use(m_settings.forward);
    hear();
    m_server->apply(m_settings.server, std::move(done));
}

Takeover::Count Worker::takeOver(std::vector<std::unique_ptr<SessionStore>> stores)
{
    const Takeover::Count count = m_server->takeOver(std::move(stores));
    SessionListing listing = m_server->list({});
    for (bool isMore = m_service->isUsed(); isMore;) {
        const SessionListing::Slice slice = listing.next(sessionsAtOnce);
        for (const SessionReport &report : slice.reports) {
            if (report.service != 0)
                m_service->resume(report.info, report.service);
        }
        isMore = !slice.isLast;
    }
    static_assert(SessionSlot::rests == SourceAddresses::ipv6Word &&
                  SessionSlot::rest == SourceAddresses::rest);
    for (const auto &store : m_server->sessions().memory().stores()) {
        for (const SessionStore::Rested &rested : store->resting())
            m_service->rest(rested.service, rested.since);
    }
    return count;
}

void Worker::send(Message message)
{
    const SessionListing::Slice slice = message.sessions.next(sessionsAtOnce);
    for (const SessionReport &report : slice.reports) {
        const Outbound outbound{report.info.handle(), message.payload};
        if (report.isEstablished && message.isMeant(report.info))
            message.deliveries.push_back(m_server->send({&outbound, 1}));
    }
    if (slice.isLast)
        return message.then(std::move(message.deliveries));
    // The next turn goes on with it: datagrams do not wait.
    post([rest = std::make_shared<Message>(std::move(message))](Worker &worker) {
        worker.send(std::move(*rest));
    });
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
    const bool isForwarded = m_service->expects(datagram.session);
    if (!m_settings.events.wantsDatagrams()) {
        const ReceiptDesk::Held held{datagram, isForwarded};
        return settle({&held, 1}, {});
    }
    LogEntry entry{m_settings.events.describe(datagram), nullptr, datagram.session.source};
    if (datagram.reply.isEmpty() && !isForwarded) {
        static_cast<void>(m_writer.push(std::move(entry))); // it counts what it refuses
        return;
    }
    const std::uint64_t ticket = m_desk.hold({datagram, isForwarded});
    entry.listener = &m_desk;
    entry.ticket = ticket;
    if (!m_writer.push(std::move(entry)))
        m_desk.lose(ticket);
}

void Worker::settle(std::span<const ReceiptDesk::Held> kept,
                    std::span<const ReceiptDesk::Held> lost)
{
    std::vector<Outbound> replies;
    for (const auto &[datagram, isForwarded] : kept) {
        if (isForwarded)
            m_service->deliver(datagram.session, datagram.payload);
        if (!datagram.reply.isEmpty())
            replies.push_back(datagram.answer());
    }
    for (const auto &[datagram, isForwarded] : lost) {
        if (isForwarded)
            m_service->withhold(datagram.session);
        if (!datagram.reply.isEmpty())
            ++m_withheld;
    }
    if (!replies.empty())
        m_server->send(replies);
}

void Worker::told(const ServiceEvent &event)
{
    logEvent(m_settings.events, m_writer, event);
}

} // namespace dtlsd
