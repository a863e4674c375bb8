// SPDX-License-Identifier: Apache-2.0
#include "app/WorkerPool.h"

#include "app/LogEvent.h"
#include "net/Steering.h"
#include "wire/Record.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include <malloc.h>

namespace dtlsd {

namespace {

/// No more workers than passed sockets: a worker without one would have nothing to do.
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

/// Takes records with a connection ID (RFC 9146) to the worker whose number is in it, modulo
/// @p workers: a former process may have had more.
Steering steeringTo(int workers)
{
    return {.firstByte = static_cast<std::uint8_t>(ContentType::WithId),
            .chooserPlace = Record::idPlace + ConnectionId::workerPlace,
            .sockets = static_cast<std::uint32_t>(workers)};
}

} // namespace

WorkerPool::WorkerPool(const Config &config, LogWriter &writer, Mailbox &mainThread,
                       const std::vector<int> &passed, std::chrono::milliseconds patience)
    : m_writer(writer)
    , m_mainThread(mainThread)
    , m_patience(patience)
    , m_configFile(config.file)
    , m_hasPassedSockets(!passed.empty())
    , m_receiveBuffer(static_cast<int>(config.server.receiveBuffer))
    , m_shared(sharedBy(config))
    , m_settings(std::make_shared<const ServerSettings>(config.settings))
    , m_events(config.log)
{
    const int count = workerCount(config.server.workers, passed.size());
    // A single worker shares the main thread's malloc arena: glibc grows any other arena by a few
    // pages at a time, with a system call for each. Several workers would contend for it.
    if (count == 1)
        mallopt(M_ARENA_MAX, 1);
    while (size() < count)
        m_workers.push_back(
            std::make_unique<Worker>(m_workers.size(), m_settings, m_shared, m_events, writer));
    deal(passed);
}

void WorkerPool::deal(const std::vector<int> &passed)
{
    for (const int descriptor : passed) {
        const SocketAddress address = DatagramSocket::addressOf(descriptor);
        if (!addresses().contains(address))
            m_listening.push_back({address, address});
    }
    // The kernel spreads peers over the sockets of an address, so these go to different workers. It
    // numbers them as they were bound, which is the order in which systemd passes them.
    std::vector<Descriptor> tooFew;
    for (Listening &listening : m_listening) {
        std::vector<Descriptor> sockets;
        for (const int descriptor : passed) {
            if (listening.isAt(DatagramSocket::addressOf(descriptor)))
                sockets.emplace_back(descriptor);
        }
        listening.isSteered = steer(sockets);
        if (std::ssize(sockets) < size())
            std::ranges::move(sockets, std::back_inserter(tooFew));
        else
            handOver(std::move(sockets));
    }
    // In one sequence over all such addresses: if each began at worker 0, the last workers might
    // have no socket at all.
    handOver(std::move(tooFew));
}

bool WorkerPool::steer(std::span<const Descriptor> sockets)
{
    if (size() == 1)
        return true;
    const int any = sockets.front().number();
    if (std::ssize(sockets) < size()) {
        Steering::detachFrom(any); // systemd's socket may have that of a former process
        return false;
    }
    const Result<> attached = steeringTo(size()).attachTo(any);
    if (!attached)
        logEvent(m_events, m_writer,
                 ConfigMessage{m_configFile, 0,
                               QStringLiteral("[server] workers: %1; workers hand records with a "
                                              "connection ID to each other instead")
                                   .arg(attached.error().message)});
    return attached.ok();
}

bool WorkerPool::isSteered() const
{
    return std::ranges::all_of(m_listening, &Listening::isSteered);
}

void WorkerPool::handOver(std::vector<Descriptor> descriptors)
{
    if (m_grantedBuffer == 0 && !descriptors.empty())
        m_grantedBuffer = DatagramSocket::receiveBufferOf(descriptors.front().number());
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
        const auto descriptor = std::make_shared<Descriptor>(std::move(descriptors[i]));
        m_workers[i % m_workers.size()]->post([descriptor](Worker &worker) {
            worker.server().listen(DatagramSocket::adopt(std::move(*descriptor)));
        });
    }
}

Result<> WorkerPool::bind(const QList<SocketAddress> &wanted)
{
    if (m_hasPassedSockets)
        return success();
    const std::size_t before = m_listening.size();
    std::vector<Descriptor> descriptors;
    for (const SocketAddress &address : wanted) {
        const bool isThere =
            std::any_of(m_listening.begin(), m_listening.end(),
                        [&](const Listening &listening) { return listening.isAt(address); });
        if (isThere)
            continue;
        const auto bound = openAt(address, descriptors);
        if (!bound) {
            m_listening.resize(before);
            logEvent(m_events, m_writer, ListenFailed{address, bound.error().message});
            return bound.error();
        }
        const auto opened = std::span(descriptors).last(m_workers.size());
        m_listening.push_back({address, bound.value(), steer(opened)});
    }
    handOver(std::move(descriptors));
    return success();
}

Result<SocketAddress> WorkerPool::openAt(const SocketAddress &wanted,
                                         std::vector<Descriptor> &descriptors) const
{
    SocketAddress address = wanted;
    auto sharing = DatagramSocket::Sharing::First;
    for (int i = 0; i < size(); ++i) {
        auto descriptor = DatagramSocket::open(address, {sharing, m_receiveBuffer});
        if (!descriptor)
            return descriptor.error();
        descriptors.push_back(std::move(descriptor).value());
        address = DatagramSocket::addressOf(descriptors.back().number());
        sharing = DatagramSocket::Sharing::Sibling;
    }
    return address;
}

void WorkerPool::serve(const QList<SocketAddress> &wanted, std::function<void()> then)
{
    QList<SocketAddress> left;
    if (!m_hasPassedSockets) {
        std::erase_if(m_listening, [&](const Listening &listening) {
            const bool stays =
                std::any_of(wanted.begin(), wanted.end(),
                            [&](const SocketAddress &address) { return listening.isAt(address); });
            if (!stays)
                left += listening.bound;
            return !stays;
        });
    }
    // Not before all sockets are bound: each socket that joins a port moves some peers to other
    // workers, where a handshake under way would be lost.
    const auto turn = [left](Worker &worker, const Then<std::int64_t> &done) {
        worker.server().resume();
        if (left.isEmpty())
            return done(0);
        for (const SocketAddress &address : left.first(left.size() - 1))
            worker.server().leave(address);
        worker.server().leave(left.constLast(), done); // finishes after the others
    };
    askToAct(turn, [then = std::move(then)](std::int64_t) {
        if (then)
            then();
    });
}

QList<SocketAddress> WorkerPool::addresses() const
{
    QList<SocketAddress> addresses;
    for (const Listening &listening : m_listening)
        addresses += listening.bound;
    return addresses;
}

void WorkerPool::apply(const Config &config, Then<std::int64_t> then)
{
    const auto before =
        std::exchange(m_settings, std::make_shared<const ServerSettings>(config.settings));
    m_events = EventLog(config.log);
    m_shared->handshakes.set(config.settings.limits.handshakesPerSecond,
                             config.settings.limits.handshakesPerSecond);
    m_shared->keyRotation.forgetChanged(*before->identities, *m_settings->identities);
    m_shared->rates.keepOnly(*m_settings->identities);
    const auto apply = [settings = m_settings, events = m_events](Worker &worker,
                                                                  const Then<std::int64_t> &done) {
        worker.apply(settings, events, done);
    };
    askToAct(apply, std::move(then));
}

void WorkerPool::closeSessions(const std::function<bool(const SessionInfo &)> &isMeant,
                               Then<std::int64_t> then)
{
    const auto close = [isMeant](Worker &worker, const Then<std::int64_t> &done) {
        worker.server().closeSessions(isMeant, done);
    };
    askToAct(close, std::move(then));
}

void WorkerPool::close(std::function<void()> then)
{
    const auto close = [](Worker &worker, const Then<std::int64_t> &done) { worker.close(done); };
    askToAct(close, [then = std::move(then)](std::int64_t) { then(); });
}

void WorkerPool::askToAct(const Question<std::int64_t> &command, Then<std::int64_t> then)
{
    ask<std::int64_t>(command, {},
                      [then = std::move(then)](const Result<std::vector<std::int64_t>> &counts) {
                          const auto &all = counts.value(); // never an error without a patience
                          then(std::accumulate(all.begin(), all.end(), std::int64_t{0}));
                      });
}

void WorkerPool::stop()
{
    for (const auto &worker : m_workers)
        worker->stop();
}

void WorkerPool::states(Then<Result<std::vector<WorkerState>>> then)
{
    ask<WorkerState>([](Worker &worker, const auto &answer) { answer(worker.state()); }, m_patience,
                     std::move(then));
}

void WorkerPool::list(const std::shared_ptr<Listings> &listings, std::size_t most,
                      Then<Result<std::vector<SessionListing::Slice>>> then)
{
    const auto next = [listings, most](Worker &worker, const auto &answer) {
        auto &listing = listings->ofWorker[worker.number()];
        if (!listing)
            listing.emplace(worker.server().list(listings->query));
        answer(listing->next(most));
    };
    ask<SessionListing::Slice>(next, m_patience, std::move(then));
}

void WorkerPool::receivingSockets(Then<Result<int>> then)
{
    const auto judge = [then = std::move(then)](const Result<std::vector<int>> &counts) {
        if (!counts)
            return then(counts.error());
        const auto deaf = std::ranges::find(counts.value(), 0);
        if (deaf != counts.value().end())
            return then(Error{QStringLiteral("worker %1 does not receive from each of its sockets")
                                  .arg(deaf - counts.value().begin())});
        then(std::accumulate(counts.value().begin(), counts.value().end(), 0));
    };
    ask<int>([](Worker &worker, const auto &answer) { answer(worker.server().receivingSockets()); },
             m_patience, judge);
}

} // namespace dtlsd
