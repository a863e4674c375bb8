// SPDX-License-Identifier: Apache-2.0
//
// WorkerPool: the workers, and the addresses that they listen on together.
//
// It never waits for a worker: what the main thread asks is answered by a call in that thread. A
// question about the state of the workers is given up after a while, and the error names a worker
// that does not answer. A command that changes something is not: it is answered when every worker
// has carried it out.
#pragma once

#include "app/Gathering.h"
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
#include <utility>
#include <vector>

namespace dtlsd {

class WorkerPool
{
public:
    using Patience = std::optional<std::chrono::milliseconds>; // none: for ever

    /// Starts the threads; nobody listens yet. Answers come through @p mainThread, which outlives
    /// it. @p passed: descriptors of UDP sockets that are bound already. If there are any, they
    /// are dealt to the workers, and are all that these ever listen on. @p patience is for
    /// questions about the workers' state; their longest turn takes a tenth of a second on a busy
    /// machine.
    WorkerPool(const Config &config, LogWriter &writer, Mailbox &mainThread,
               const std::vector<int> &passed,
               std::chrono::milliseconds patience = std::chrono::seconds(2));

    /// Binds every worker to each address of @p wanted that they are not bound to yet; there they
    /// receive nothing before serve(). All or none: after a failure, which is logged, they are
    /// bound as before.
    Result<> bind(const QList<SocketAddress> &wanted);
    /// Receives on the addresses of @p wanted, which are bound, and leaves all others; @p then is
    /// called when the sessions there have ended.
    void serve(const QList<SocketAddress> &wanted, std::function<void()> then = {});
    [[nodiscard]] bool hasPassedSockets() const { return m_hasPassedSockets; }
    /// Where they are bound, with the ports that the kernel picked.
    [[nodiscard]] QList<SocketAddress> addresses() const;
    /// What the kernel granted the first socket, in bytes.
    [[nodiscard]] int receiveBufferSize() const { return m_grantedBuffer; }

    /// Puts a new configuration in force, but for its addresses; each worker has all of it or
    /// nothing. @p then hears how many sessions it revoked; it may be called again after that.
    void apply(const Config &config, Then<std::int64_t> then);
    /// Closes the open sessions that @p isMeant picks, in any thread; @p then hears how many there
    /// were.
    void closeSessions(const std::function<bool(const SessionInfo &)> &isMeant,
                       Then<std::int64_t> then);
    /// Says goodbye to every peer; @p then is called when all have heard it.
    void close(std::function<void()> then);
    /// Ends the threads, and waits for them: after close() for next to nothing.
    void stop();

    [[nodiscard]] int size() const { return static_cast<int>(m_workers.size()); }
    void states(Then<Result<std::vector<WorkerState>>> then);
    /// By worker.
    void sessions(Then<Result<std::vector<std::vector<SessionReport>>>> then);
    /// How many sockets they receive from, together; an error too if one has none.
    void receivingSockets(Then<Result<int>> then);

    /// Answers in the worker's thread, now or later, by a call of its second argument.
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
        if (!timer)
            return;
        timer->setSingleShot(true);
        // By the mailbox: what was answered while the main thread was busy comes before it.
        QObject::connect(timer, &QTimer::timeout, timer,
                         [this, answers] { m_mainThread.post([answers] { answers->giveUp(); }); });
        timer->start(*patience);
    }

private:
    struct Listening
    {
        SocketAddress wanted;
        SocketAddress bound;

        [[nodiscard]] bool isAt(const SocketAddress &address) const
        {
            return address == wanted || address == bound;
        }
    };

    void deal(const std::vector<int> &passed);
    /// A socket at @p wanted for each worker, appended to @p descriptors. Returns where they are.
    Result<SocketAddress> openAt(const SocketAddress &wanted,
                                 std::vector<Descriptor> &descriptors) const;
    /// Hands each worker its share of @p descriptors, in turns.
    void handOver(std::vector<Descriptor> descriptors);
    void askToAct(const Question<std::int64_t> &command, Then<std::int64_t> then);

    LogWriter &m_writer;
    Mailbox &m_mainThread;
    QObject m_timers; // which end with it
    const std::chrono::milliseconds m_patience;
    const bool m_hasPassedSockets;
    const int m_receiveBuffer; // of every socket, also of those that are bound later
    int m_grantedBuffer = 0;
    const std::shared_ptr<SharedState> m_shared;
    std::shared_ptr<const ServerSettings> m_settings; // in force
    EventLog m_events;                                // the same
    std::vector<std::unique_ptr<Worker>> m_workers;
    std::vector<Listening> m_listening;
};

} // namespace dtlsd
