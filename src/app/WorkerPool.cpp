// SPDX-License-Identifier: Apache-2.0
#include "app/WorkerPool.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <numeric>
#include <optional>
#include <utility>

#include <malloc.h>

namespace dtlsd {

namespace {

// A worker's longest turn takes a tenth of a second on a busy machine.
constexpr std::chrono::seconds patience{2};

/// A worker without a socket would have nothing to do.
int workerCount(std::int64_t configured, std::size_t passed)
{
    const int wanted = configured > 0 ? static_cast<int>(configured) : QThread::idealThreadCount();
    return passed > 0 ? std::min(wanted, static_cast<int>(passed)) : wanted;
}

std::shared_ptr<SharedState> sharedBy(const Config &config)
{
    const PskKey &secret = config.cookies.secret;
    return std::make_shared<SharedState>(config.settings.limits,
                                         secret.isEmpty() ? randomSecret() : secret.bytes());
}

} // namespace

WorkerPool::WorkerPool(const Config &config, LogWriter &writer, const std::vector<int> &passed)
    : m_hasPassedSockets(!passed.empty())
    , m_receiveBuffer(static_cast<int>(config.server.receiveBuffer))
    , m_shared(sharedBy(config))
{
    const int count = workerCount(config.server.workers, passed.size());
    // One worker takes its memory where the first thread does: an arena of its own glibc enlarges
    // by a few pages at a time, with a system call for each. Several would wait for each other.
    if (count == 1)
        mallopt(M_ARENA_MAX, 1);
    m_settings = std::make_shared<const ServerSettings>(config.settings);
    for (int i = 0; i < count; ++i)
        m_workers.push_back(std::make_unique<Worker>(QStringLiteral("worker-%1").arg(i), m_settings,
                                                     m_shared, EventLog(config.log), writer));
    deal(passed);
}

void WorkerPool::deal(const std::vector<int> &passed)
{
    for (const int descriptor : passed) {
        const SocketAddress address = DatagramSocket::addressOf(descriptor);
        if (!addresses().contains(address))
            m_listening.push_back({address, address});
    }
    // The kernel spreads peers over the sockets of an address: these go to different workers.
    std::size_t next = 0;
    for (const Listening &listening : m_listening) {
        for (const int descriptor : passed) {
            if (!listening.isAt(DatagramSocket::addressOf(descriptor)))
                continue;
            m_workers[next++ % m_workers.size()]->call([descriptor](DtlsServer &server) {
                server.listen(DatagramSocket::adopt(descriptor));
            });
        }
    }
}

Result<> WorkerPool::bind(const QList<SocketAddress> &wanted)
{
    if (m_hasPassedSockets)
        return success();
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
    if (m_hasPassedSockets)
        return;
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
    const auto before =
        std::exchange(m_settings, std::make_shared<const ServerSettings>(config.settings));
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

template <class T>
Result<std::vector<T>> WorkerPool::ask(const std::function<T(Worker &)> &question)
{
    std::vector<std::future<T>> answers;
    for (const auto &worker : m_workers)
        answers.push_back(worker->ask(question));
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::vector<T> values;
    for (std::future<T> &answer : answers) {
        if (answer.wait_until(deadline) != std::future_status::ready)
            return Error{QStringLiteral("worker %1 does not answer").arg(values.size())};
        values.push_back(answer.get());
    }
    return values;
}

Result<std::vector<WorkerState>> WorkerPool::states()
{
    return ask<WorkerState>([](Worker &worker) { return worker.state(); });
}

Result<std::vector<std::vector<SessionReport>>> WorkerPool::sessions()
{
    return ask<std::vector<SessionReport>>(
        [](Worker &worker) { return worker.server().sessions(); });
}

Result<std::int64_t> WorkerPool::close(const std::function<bool(const SessionInfo &)> &isMeant)
{
    std::int64_t closed = 0;
    for (const auto &worker : m_workers) {
        std::promise<std::int64_t> count;
        worker->call([&](DtlsServer &server) {
            server.closeSessions(isMeant, [&](std::int64_t ended) { count.set_value(ended); });
        });
        closed += count.get_future().get();
    }
    return closed;
}

Result<int> WorkerPool::receivingSockets()
{
    const auto counts = ask<int>([](Worker &worker) { return worker.server().receivingSockets(); });
    if (!counts)
        return counts.error();
    const auto deaf = std::ranges::find(counts.value(), 0);
    if (deaf != counts.value().end())
        return Error{QStringLiteral("worker %1 does not receive from each of its sockets")
                         .arg(deaf - counts.value().begin())};
    return std::accumulate(counts.value().begin(), counts.value().end(), 0);
}

int WorkerPool::receiveBufferSize()
{
    int size = 0;
    m_workers.front()->call([&size](DtlsServer &server) { size = server.receiveBufferSize(); });
    return size;
}

} // namespace dtlsd
