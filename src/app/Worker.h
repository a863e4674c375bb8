// SPDX-License-Identifier: Apache-2.0
//
// Worker: a thread with the whole server in it, and its way to the log and back.
#pragma once

#include "app/EventLog.h"
#include "app/Mailbox.h"
#include "app/ReceiptDesk.h"
#include "dtls/DtlsServer.h"
#include "log/LogWriter.h"

#include <QThread>

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <utility>

namespace dtlsd {

/// What a worker has done, and what it cost.
struct WorkerState
{
    Statistics statistics;
    std::uint64_t withheldReceipts = 0;
    std::chrono::microseconds cpuTime{};
};

class Worker : public QThread
{
public:
    /// Starts the thread, which is called @p name; its server listens to nothing yet.
    Worker(const QString &name, std::shared_ptr<const ServerSettings> settings,
           std::shared_ptr<SharedState> shared, const EventLog &events, LogWriter &writer);
    ~Worker() override;

    /// Runs @p task in the worker with its server, and waits for it. From another thread,
    /// before stop().
    void call(const std::function<void(DtlsServer &)> &task);

    /// Runs @p question in the worker, without waiting: one that hangs never answers. What it
    /// refers to must live as long as the worker.
    template <class T>
    [[nodiscard]] std::future<T> ask(std::function<T(Worker &)> question)
    {
        auto answer = std::make_shared<std::promise<T>>();
        std::future<T> future = answer->get_future();
        m_mailbox.post(
            [this, answer, question = std::move(question)] { answer->set_value(question(*this)); });
        return future;
    }

    // In the worker's thread:
    [[nodiscard]] WorkerState state() const;
    [[nodiscard]] DtlsServer &server() { return *m_server; }

    /// Puts new settings and a new log in force between two wake-ups of the worker; returns how
    /// many sessions were revoked. As call().
    std::int64_t apply(std::shared_ptr<const ServerSettings> settings, const EventLog &events);

    /// Says goodbye to every peer and ends the thread; waits for both. The log may still settle
    /// entries of the worker's afterwards, as long as it is not destroyed.
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
