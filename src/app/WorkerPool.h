// SPDX-License-Identifier: Apache-2.0
//
// WorkerPool: the workers, and the addresses that they listen on together.
#pragma once

#include "app/Worker.h"
#include "config/Config.h"
#include "core/Result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace dtlsd {

class WorkerPool
{
public:
    /// Starts the threads; nobody listens yet. @p passed: descriptors of UDP sockets that are
    /// bound already. If there are any, they are dealt to the workers, and are all that these
    /// ever listen on.
    WorkerPool(const Config &config, LogWriter &writer, const std::vector<int> &passed);

    /// Binds every worker to each address of @p wanted that they are not bound to yet; there they
    /// receive nothing before serve(). All or none: after a failure they are bound as before.
    Result<> bind(const QList<SocketAddress> &wanted);
    /// Receives on the addresses of @p wanted, which are bound, and leaves all others.
    void serve(const QList<SocketAddress> &wanted);
    [[nodiscard]] bool hasPassedSockets() const { return m_hasPassedSockets; }
    /// Where they are bound, with the ports that the kernel picked.
    [[nodiscard]] QList<SocketAddress> addresses() const;

    /// Puts a new configuration in force in one worker after the other, but for its addresses;
    /// each has all of it or nothing. Returns how many sessions it revoked.
    std::int64_t apply(const Config &config);

    /// Says goodbye to every peer and ends the threads.
    void stop();

    [[nodiscard]] int size() const { return static_cast<int>(m_workers.size()); }
    // These ask all workers at once. The error says which does not answer, within two seconds.
    [[nodiscard]] Result<std::vector<WorkerState>> states();
    /// By worker.
    [[nodiscard]] Result<std::vector<std::vector<SessionReport>>> sessions();
    /// Closes the open sessions that @p isMeant picks, and returns how many there were.
    Result<std::int64_t> close(const std::function<bool(const SessionInfo &)> &isMeant);
    /// How many sockets they receive from, together; an error too if one has none.
    [[nodiscard]] Result<int> receivingSockets();

    /// What the kernel granted a socket, in bytes; while bound.
    [[nodiscard]] int receiveBufferSize();

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

    template <class T>
    Result<std::vector<T>> ask(const std::function<T(Worker &)> &question);

    void deal(const std::vector<int> &passed);
    Result<SocketAddress> bindWorkers(const SocketAddress &wanted);
    void leave(const SocketAddress &bound);

    const bool m_hasPassedSockets;
    const int m_receiveBuffer; // of every socket, also of those that are bound later
    const std::shared_ptr<SharedState> m_shared;
    std::shared_ptr<const ServerSettings> m_settings; // in force
    std::vector<std::unique_ptr<Worker>> m_workers;
    std::vector<Listening> m_listening;
};

} // namespace dtlsd
