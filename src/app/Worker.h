// SPDX-License-Identifier: Apache-2.0
//
// Worker: a thread that runs a whole server, logs its events, sends its receipts, and hands what
// was logged to local services.
#pragma once

#include "app/Mailbox.h"
#include "app/ReceiptDesk.h"
#include "control/DaemonState.h"
#include "dtls/DtlsServer.h"
#include "events/EventLog.h"
#include "forward/ServicePort.h"
#include "log/LogWriter.h"

#include <QThread>

#include <cstddef>
#include <functional>
#include <latch>
#include <memory>
#include <utility>

namespace dtlsd {

class Worker : public QThread, private ServicePort::Owner
{
public:
    /// What all workers have in common.
    struct Shared
    {
        std::shared_ptr<SharedState> server;
        std::shared_ptr<SharedServices> services;
    };
    struct Settings
    {
        std::shared_ptr<const ServerSettings> server;
        std::shared_ptr<const ForwardSettings> forward;
        EventLog events;
    };

    /// Starts the thread of worker @p number, from 0; its server does not listen yet.
    Worker(std::size_t number, Settings settings, Shared shared, LogWriter &writer);
    ~Worker() override;

    [[nodiscard]] std::size_t number() const { return m_number; }

    /// Runs @p task in the worker's thread; returns at once.
    void post(std::function<void(Worker &)> task)
    {
        m_mailbox.post([this, task = std::move(task)] { task(*this); });
    }

    // In the worker's thread:
    [[nodiscard]] WorkerState state() const;
    [[nodiscard]] DtlsServer &server() { return *m_server; }
    /// Puts new settings in force; @p done gets the number of revoked sessions.
    void apply(Settings settings, DtlsServer::Done done);
    /// See DtlsServer::takeOver(); their sockets to services are opened again, too.
    Takeover::Count takeOver(std::vector<std::unique_ptr<SessionStore>> stores);
    /// A datagram for each open session that `isMeant` picks; `then` gets what became of each.
    struct Message
    {
        SessionListing sessions; ///< DtlsServer::list() of all
        std::function<bool(const SessionInfo &)> isMeant;
        QByteArray payload;
        Then<std::vector<Delivery>> then;
        std::vector<Delivery> deliveries = {};
    };
    void send(Message message);
    /// Receives no more, and leaves the kept sessions to the next process at the end of the thread.
    /// Calls @p done when the receipts on their way are given, after a second at the latest.
    void leave(DtlsServer::Done done);
    /// Closes every session with close_notify; calls @p done when all are closed.
    void close(DtlsServer::Done done);

    /// Ends the thread and waits for it; called from another thread, may be called again. Until the
    /// worker is destroyed, the log may still settle its entries.
    void stop();

protected:
    void run() override;

private:
    void serve();
    void hear();
    void logDatagram(const Datagram &datagram);
    void settle(std::span<const ReceiptDesk::Held> kept, std::span<const ReceiptDesk::Held> lost);

    void answered(std::span<const Outbound> answers) override { m_server->send(answers); }
    void assigned(const SessionHandle &session, std::uint64_t word) override
    {
        m_server->sessions().noteService(session, word);
    }
    void told(const ServiceEvent &event) override;

    const std::size_t m_number;
    Settings m_settings; // worker's thread, once it runs
    const Shared m_shared;
    LogWriter &m_writer;
    Mailbox m_mailbox;
    ReceiptDesk m_desk;
    std::uint64_t m_withheld = 0;     // replies
    DtlsServer *m_server = nullptr;   // lives in serve()
    ServicePort *m_service = nullptr; // likewise
    bool m_leaves = false;
    // ThreadSanitizer does not see the ordering that QThread::start() and wait() guarantee; it sees
    // that of these.
    std::latch m_began{1};
    std::latch m_ended{1};
};

} // namespace dtlsd
