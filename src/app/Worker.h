// SPDX-License-Identifier: Apache-2.0
//
// Worker: a thread that runs a whole server, logs its events and sends its receipts.
#pragma once

#include "app/Mailbox.h"
#include "app/ReceiptDesk.h"
#include "control/DaemonState.h"
#include "dtls/DtlsServer.h"
#include "events/EventLog.h"
#include "log/LogWriter.h"

#include <QThread>

#include <cstddef>
#include <functional>
#include <latch>
#include <memory>
#include <utility>

namespace dtlsd {

class Worker : public QThread
{
public:
    /// Starts the thread of worker @p number, from 0; its server does not listen yet.
    Worker(std::size_t number, std::shared_ptr<const ServerSettings> settings,
           std::shared_ptr<SharedState> shared, const EventLog &events, LogWriter &writer);
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
    /// Puts new settings and log options in force; @p done gets the number of revoked sessions.
    void apply(std::shared_ptr<const ServerSettings> settings, const EventLog &events,
               DtlsServer::Done done);
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
    void logDatagram(const Datagram &datagram);

    const std::size_t m_number;
    std::shared_ptr<const ServerSettings> m_settings; // until the server has them
    const std::shared_ptr<SharedState> m_shared;
    EventLog m_events; // worker's thread, once it runs
    LogWriter &m_writer;
    Mailbox m_mailbox;
    ReceiptDesk m_desk;
    DtlsServer *m_server = nullptr; // lives in serve()
    bool m_leaves = false;
    // ThreadSanitizer does not see the ordering that QThread::start() and wait() guarantee; it sees
    // that of these.
    std::latch m_began{1};
    std::latch m_ended{1};
};

} // namespace dtlsd
