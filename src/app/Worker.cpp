// SPDX-License-Identifier: Apache-2.0
#include "app/Worker.h"

#include "app/LogEvent.h"

#include <utility>

#include <openssl/crypto.h>
#include <time.h>

namespace dtlsd {

Worker::Worker(const QString &name, std::shared_ptr<const ServerSettings> settings,
               std::shared_ptr<SharedState> shared, const EventLog &events, LogWriter &writer)
    : m_settings(std::move(settings))
    , m_shared(std::move(shared))
    , m_events(events)
    , m_writer(writer)
    , m_desk(m_mailbox,
             [this](std::span<const Receipt> receipts) { m_server->sendReplies(receipts); })
{
    setObjectName(name); // which the kernel shows
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
    // OpenSSL would do so when the thread is gone, for which QThread::wait() does not wait: the
    // process could end in the middle of it.
    OPENSSL_thread_stop();
    m_ended.count_down();
}

void Worker::serve()
{
    DtlsServer server(std::move(m_settings), m_shared,
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
    server.setHeard(m_events.wants(kind::datagramReceived));
    m_mailbox.open();
    m_began.count_down();
    exec();
    m_mailbox.close();
    m_server = nullptr;
}

void Worker::call(const std::function<void(DtlsServer &)> &task)
{
    std::latch done(1);
    m_mailbox.post([&] {
        task(*m_server);
        done.count_down();
    });
    done.wait();
}

WorkerState Worker::state() const
{
    timespec cpu = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu); // fails for clocks that are not there only
    return {m_server->statistics(), m_desk.withheld(),
            std::chrono::seconds(cpu.tv_sec) +
                std::chrono::duration_cast<std::chrono::microseconds>(
                    std::chrono::nanoseconds(cpu.tv_nsec))};
}

std::int64_t Worker::apply(std::shared_ptr<const ServerSettings> settings, const EventLog &events)
{
    std::promise<std::int64_t> revoked;
    call([&](DtlsServer &server) {
        m_events = events;
        server.setHeard(m_events.wants(kind::datagramReceived));
        server.apply(std::move(settings), [&](std::int64_t count) { revoked.set_value(count); });
    });
    return revoked.get_future().get();
}

void Worker::stop()
{
    m_mailbox.post([this] { m_server->close([this](std::int64_t) { quit(); }); });
    m_ended.wait();
    wait();
}

void Worker::logDatagram(const Datagram &datagram)
{
    const Receipt &receipt = datagram.receipt;
    AcceptanceListener *listener = receipt.reply.isEmpty() ? nullptr : &m_desk;
    const bool isPushed =
        m_writer.push({m_events.describe(datagram), listener, datagram.session.source});
    if (listener && isPushed)
        m_desk.expect(receipt);
    else if (listener)
        m_desk.withhold();
}

} // namespace dtlsd
