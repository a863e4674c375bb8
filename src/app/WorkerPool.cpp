// SPDX-License-Identifier: Apache-2.0
#include "app/WorkerPool.h"

#include <optional>

namespace dtlsd {

WorkerPool::WorkerPool(const Config &config, const EventLog &events, LogWriter &writer)
    : m_options(config.server)
{
    const auto shared = std::make_shared<SharedState>(config.settings.limits);
    const auto count =
        m_options.workers > 0 ? static_cast<int>(m_options.workers) : QThread::idealThreadCount();
    auto settings = std::make_shared<ServerSettings>(config.settings);
    settings->limits = config.settings.limits.shareOf(count);
    for (int i = 0; i < count; ++i)
        m_workers.push_back(std::make_unique<Worker>(settings, shared, events, writer));
}

Result<QList<SocketAddress>> WorkerPool::listen()
{
    QList<SocketAddress> addresses;
    for (const SocketAddress &wanted : m_options.listen) {
        SocketAddress address = wanted;
        auto sharing = DatagramSocket::Sharing::First;
        for (const auto &worker : m_workers) {
            auto bound = listen(*worker, address, sharing);
            if (!bound)
                return bound.error();
            address = bound.value();
            sharing = DatagramSocket::Sharing::Sibling;
        }
        addresses += address;
    }
    // Each socket that joins a port moves some peers to other workers; a handshake that had begun
    // before would be lost.
    for (const auto &worker : m_workers)
        worker->call([](DtlsServer &server) { server.resume(); });
    return addresses;
}

Result<SocketAddress> WorkerPool::listen(Worker &worker, const SocketAddress &address,
                                         DatagramSocket::Sharing sharing) const
{
    const DatagramSocket::Options options{sharing, static_cast<int>(m_options.receiveBuffer), true};
    std::optional<Result<SocketAddress>> bound;
    worker.call([&](DtlsServer &server) { bound = server.listen(address, options); });
    return *bound;
}

void WorkerPool::stop()
{
    for (const auto &worker : m_workers)
        worker->stop();
}

Statistics WorkerPool::statistics()
{
    Statistics sum;
    for (const auto &worker : m_workers)
        worker->call([&sum](DtlsServer &server) { sum += server.statistics(); });
    return sum;
}

int WorkerPool::receiveBufferSize()
{
    int size = 0;
    m_workers.front()->call([&size](DtlsServer &server) { size = server.receiveBufferSize(); });
    return size;
}

} // namespace dtlsd
