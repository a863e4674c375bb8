// SPDX-License-Identifier: Apache-2.0
//
// WorkerPool: the workers, and the addresses that they listen on together.
#pragma once

#include "app/Worker.h"
#include "config/Config.h"
#include "core/Result.h"

#include <memory>
#include <vector>

namespace dtlsd {

class WorkerPool
{
public:
    /// Starts the threads; nobody listens yet.
    WorkerPool(const Config &config, const EventLog &events, LogWriter &writer);

    /// Binds every worker to every address; returns where, with the ports that the kernel picked.
    Result<QList<SocketAddress>> listen();

    /// Says goodbye to every peer and ends the threads.
    void stop();

    [[nodiscard]] int size() const { return static_cast<int>(m_workers.size()); }
    /// The sum over the workers.
    [[nodiscard]] Statistics statistics();
    /// What the kernel granted a socket, in bytes; after listen().
    [[nodiscard]] int receiveBufferSize();

private:
    Result<SocketAddress> listen(Worker &worker, const SocketAddress &address,
                                 DatagramSocket::Sharing sharing) const;

    const ListenOptions m_options;
    std::vector<std::unique_ptr<Worker>> m_workers;
};

} // namespace dtlsd
