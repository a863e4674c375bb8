// SPDX-License-Identifier: Apache-2.0
#include "app/WorkerPool.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace dtlsd {

namespace {

std::shared_ptr<const ServerSettings> settingsOfEach(const ServerSettings &settings, int workers)
{
    auto share = std::make_shared<ServerSettings>(settings);
    share->limits = settings.limits.shareOf(workers);
    return share;
}

} // namespace

WorkerPool::WorkerPool(const Config &config, LogWriter &writer)
    : m_receiveBuffer(static_cast<int>(config.server.receiveBuffer))
    , m_shared(std::make_shared<SharedState>(config.settings.limits))
{
    const auto count = config.server.workers > 0 ? static_cast<int>(config.server.workers)
                                                 : QThread::idealThreadCount();
    m_settings = settingsOfEach(config.settings, count);
    for (int i = 0; i < count; ++i)
        m_workers.push_back(
            std::make_unique<Worker>(m_settings, m_shared, EventLog(config.log), writer));
}

Result<> WorkerPool::bind(const QList<SocketAddress> &wanted)
{
    const std::size_t before = m_listening.size();
    for (const SocketAddress &address : wanted) {
        const bool isThere =
            std::any_of(m_listening.begin(), m_listening.end(),
                        [&](const Listening &listening) { return listening.isAt(address); });
        if (isThere)
            continue;
        const auto bound = bindWorkers(address);
        if (!bound) {
            for (; m_listening.size() > before; m_listening.pop_back())
                leave(m_listening.back().bound);
            return bound.error();
        }
        m_listening.push_back({address, bound.value()});
    }
    return success();
}

Result<SocketAddress> WorkerPool::bindWorkers(const SocketAddress &wanted)
{
    SocketAddress address = wanted;
    DatagramSocket::Options options{DatagramSocket::Sharing::First, m_receiveBuffer, true};
    for (const auto &worker : m_workers) {
        std::optional<Result<SocketAddress>> bound;
        worker->call([&](DtlsServer &server) { bound = server.listen(address, options); });
        if (!*bound) {
            leave(address); // the workers that were bound before this one
            return *bound;
        }
        address = bound->value();
        options.sharing = DatagramSocket::Sharing::Sibling;
    }
    return address;
}

void WorkerPool::serve(const QList<SocketAddress> &wanted)
{
    // Each socket that joins a port moves some peers to other workers; a handshake that had begun
    // before would be lost.
    for (const auto &worker : m_workers)
        worker->call([](DtlsServer &server) { server.resume(); });
    std::erase_if(m_listening, [&](const Listening &listening) {
        const bool stays =
            std::any_of(wanted.begin(), wanted.end(),
                        [&](const SocketAddress &address) { return listening.isAt(address); });
        if (!stays)
            leave(listening.bound);
        return !stays;
    });
}

void WorkerPool::leave(const SocketAddress &bound)
{
    for (const auto &worker : m_workers)
        worker->call([&](DtlsServer &server) { server.leave(bound); });
}

QList<SocketAddress> WorkerPool::addresses() const
{
    QList<SocketAddress> addresses;
    for (const Listening &listening : m_listening)
        addresses += listening.bound;
    return addresses;
}

std::int64_t WorkerPool::apply(const Config &config)
{
    const auto before = std::exchange(m_settings, settingsOfEach(config.settings, size()));
    m_shared->handshakes.set(config.settings.limits.handshakesPerSecond,
                             config.settings.limits.handshakesPerSecond);
    m_shared->keyRotation.forgetChanged(*before->identities, *m_settings->identities);
    std::int64_t revoked = 0;
    for (const auto &worker : m_workers)
        revoked += worker->apply(m_settings, EventLog(config.log));
    return revoked;
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
