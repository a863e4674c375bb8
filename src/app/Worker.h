// SPDX-License-Identifier: Apache-2.0
//
// Worker: a thread with the whole server in it, and its way to the log and back.
#pragma once

#include "app/Mailbox.h"
#include "app/ReceiptDesk.h"
#include "control/DaemonState.h"
#include "dtls/DtlsServer.h"
#include "events/EventLog.h"
#include "log/LogWriter.h"

#include <QThread>

#include <functional>
#include <latch>
#include <memory>
#include <utility>

namespace dtlsd {

class Worker : public QThread
{
public:
    /// Starts the thread, which is called @p name; its server listens to nothing yet.
    Worker(const QString &name, std::shared_ptr<const ServerSettings> settings,
           std::shared_ptr<SharedState> shared, const EventLog &events, LogWriter &writer);
    ~Worker() override;

    /// Runs @p task in the worker, and does not wait for it.
    void post(std::function<void(Worker &)> task)
    {
        m_mailbox.post([this, task = std::move(task)] { task(*this); });
    }

    // In the worker's thread:
    [[nodiscard]] WorkerState state() const;
    [[nodiscard]] DtlsServer &server() { return *m_server; }
    /// Puts new settings and a new log in force; @p done hears how many sessions were revoked.
    void apply(std::shared_ptr<const ServerSettings> settings, const EventLog &events,
               DtlsServer::Done done);
    /// Says goodbye to every peer; @p done is called when all have heard it.
    void close(DtlsServer::Done done);

    /// Ends the thread, and waits for it. From another one; may be called again. The log may still
    /// settle entries of the worker's afterwards, as long as it is not destroyed.
    void stop();

protected:
    void run() override;

private:
    void serve();
    void logDatagram(const Datagram &datagram);

    std::shared_ptr<const ServerSettings> m_settings; // until the server has them
    const std::shared_ptr<SharedState> m_shared;
    EventLog m_events; // worker's thread, once it runs
    LogWriter &m_writer;
    Mailbox m_mailbox;
    ReceiptDesk m_desk;
    DtlsServer *m_server = nullptr; // lives in serve()
    // What QThread::start() and wait() promise, they promise to Qt; these also to tools that watch
    // threads.
    std::latch m_began{1};
    std::latch m_ended{1};
};

} // namespace dtlsd
