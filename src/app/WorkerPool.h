// SPDX-License-Identifier: Apache-2.0
//
// WorkerPool: the workers, and the addresses that they listen on together.
//
// It never waits for a worker: answers come as calls in the main thread. A question about the
// workers' state is given up after a while, and the error names a worker that does not answer. A
// command that changes something is never given up: its answer comes when every worker has carried
// it out.
#pragma once

#include "app/Gathering.h"
#include "app/Keeping.h"
#include "app/Listeners.h"
#include "app/Worker.h"
#include "config/Config.h"
#include "core/Result.h"

#include <QObject>
#include <QPointer>
#include <QTimer>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace dtlsd {

class WorkerPool
{
public:
    using Patience = std::optional<std::chrono::milliseconds>; // nullopt: for ever

    /// Starts the threads; no worker listens yet. Answers come through @p mainThread, which
    /// outlives the pool, and so does @p keeping. @p passed are descriptors of bound UDP sockets;
    /// if there are any, they are dealt to the workers, which never listen on others. @p patience
    /// is for questions about the workers' state; a worker's longest turn takes 0.1 s on a busy
    /// machine.
    WorkerPool(const Config &config, LogWriter &writer, Mailbox &mainThread,
               const std::vector<int> &passed, Keeping &keeping,
               std::chrono::milliseconds patience = std::chrono::seconds(2));

    /// Binds a socket of every worker to each new address of @p wanted; it receives nothing before
    /// serve(). All or none: after a failure, which is logged, the workers are bound as before.
    Result<> bind(const QList<SocketAddress> &wanted);
    /// Fails if a service of @p config is at a socket that systemd has passed; the others are
    /// compared when a configuration is read.
    [[nodiscard]] Result<> checkForward(const Config &config) const;
    /// Takes the sessions over that former processes have left, before serve(), and keeps those to
    /// come; @p then gets their number.
    void takeOver(Then<Takeover::Count> then);
    /// Receives on the addresses of @p wanted, which are bound, and leaves all others; calls @p
    /// then when the sessions at the others have ended.
    void serve(const QList<SocketAddress> &wanted, std::function<void()> then = {});
    /// The second half of it.
    void leaveAllBut(const QList<SocketAddress> &wanted, std::function<void()> then = {});
    [[nodiscard]] const Listeners &listeners() const { return m_listeners; }
    /// The local services, and whether they take what they are sent.
    [[nodiscard]] std::vector<ServiceState> services() const;

    /// Puts a new configuration in force, except its addresses; each worker has all of it or
    /// nothing. @p then gets the number of revoked sessions; only then may apply() be called again.
    void apply(const Config &config, Then<std::int64_t> then);
    /// Closes the open sessions that @p isMeant picks (called in any thread); @p then gets their
    /// number.
    void closeSessions(const std::function<bool(const SessionInfo &)> &isMeant,
                       Then<std::int64_t> then);
    /// Sends @p payload to each open session that @p isMeant picks (called in any thread); @p then
    /// gets what became of each.
    void send(const std::function<bool(const SessionInfo &)> &isMeant, const QByteArray &payload,
              Then<std::vector<Delivery>> then);
    /// Closes every session with close_notify; calls @p then when all are closed.
    void close(std::function<void()> then);
    /// Instead of close(): nothing is received any more, and stop() will leave the kept sessions to
    /// the next process; calls @p then when the receipts on their way are given.
    void leave(std::function<void()> then);
    /// Ends the threads and waits for them, after close() for next to no time.
    void stop();

    [[nodiscard]] int size() const { return static_cast<int>(m_workers.size()); }
    void states(Then<Result<std::vector<WorkerState>>> then);

    /// The listings of all workers for one query.
    struct Listings
    {
        SessionQuery query;
        /// An element for each worker, which only that worker reads and writes; at first empty.
        std::vector<std::optional<SessionListing>> ofWorker;
    };
    /// The next slice of each worker's listing; @p listings keeps them from call to call. An error
    /// ends the listings.
    void list(const std::shared_ptr<Listings> &listings, std::size_t most,
              Then<Result<std::vector<SessionListing::Slice>>> then);
    /// How many sockets all workers receive from; an error also if one misses any of its sockets.
    void receivingSockets(Then<Result<int>> then);

    /// Answers in the worker's thread, now or later, by calling its second argument.
    template <class T>
    using Question = std::function<void(Worker &, Then<T>)>;
    /// Asks all workers at once.
    template <class T>
    void ask(const Question<T> &question, Patience patience,
             Then<typename Gathering<T>::Answers> then)
    {
        const QPointer timer(patience ? new QTimer(&m_timers) : nullptr);
        const auto conclude = [timer, then = std::move(then)](auto gathered) {
            delete timer;
            then(std::move(gathered));
        };
        const auto answers = std::make_shared<Gathering<T>>(m_workers.size(), conclude);
        for (std::size_t i = 0; i < m_workers.size(); ++i) {
            m_workers[i]->post([this, answers, i, question](Worker &worker) {
                question(worker, [this, answers, i](T answer) {
                    m_mainThread.post([answers, i, answer = std::move(answer)]() mutable {
                        answers->take(i, std::move(answer));
                    });
                });
            });
        }
        if (!timer || !patience)
            return;
        timer->setSingleShot(true);
        // Through the mailbox: answers posted while the main thread was busy come before it.
        QObject::connect(timer, &QTimer::timeout, timer,
                         [this, answers] { m_mainThread.post([answers] { answers->giveUp(); }); });
        timer->start(*patience);
    }

private:
    [[nodiscard]] Listeners::Options listening(const Config &config, int workers);
    void handOver(std::vector<Listeners::Socket> sockets);
    /// Makes stores for what @p limits admit beyond what there are slots for.
    void keepMore(const Limits &limits);
    void askToAct(const Question<std::int64_t> &command, Then<std::int64_t> then);

    LogWriter &m_writer;
    Mailbox &m_mainThread;
    QObject m_timers; // parent of the timers of ask()
    const std::chrono::milliseconds m_patience;
    const QString m_configFile;
    Keeping &m_keeping;
    const Worker::Shared m_shared;
    Worker::Settings m_settings; // in force
    Listeners m_listeners;
    std::vector<std::size_t> m_slots; // of each worker, in stores
    std::vector<std::unique_ptr<Worker>> m_workers;
};

} // namespace dtlsd
