// SPDX-License-Identifier: Apache-2.0
#include "app/WorkerPool.h"

#include "app/LogEvent.h"
#include "config/ForwardCheck.h"

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

Worker::Shared sharedBy(const Config &config)
{
    const PskKey &secret = config.cookies.secret;
    return {std::make_shared<SharedState>(config.settings.limits,
                                          secret.isEmpty() ? randomSecret() : secret.bytes()),
            std::make_shared<SharedServices>()};
}

Worker::Settings settingsOf(const Config &config)
{
    return {std::make_shared<const ServerSettings>(config.settings),
            std::make_shared<const ForwardSettings>(config.forward, config.settings.identities),
            EventLog(config.log)};
}

} // namespace

WorkerPool::WorkerPool(const Config &config, LogWriter &writer, Mailbox &mainThread,
                       const std::vector<int> &passed, Keeping &keeping,
                       std::chrono::milliseconds patience)
    : m_writer(writer)
    , m_mainThread(mainThread)
    , m_patience(patience)
    , m_configFile(config.file)
    , m_keeping(keeping)
    , m_shared(sharedBy(config))
    , m_settings(settingsOf(config))
    , m_listeners(listening(config, workerCount(config.server.workers, passed.size())), keeping)
{
    const int count = workerCount(config.server.workers, passed.size());
    // A single worker shares the main thread's malloc arena: glibc grows any other arena by a few
    // pages at a time, with a system call for each. Several workers would contend for it.
    if (count == 1)
        mallopt(M_ARENA_MAX, 1);
    while (size() < count)
        m_workers.push_back(
            std::make_unique<Worker>(m_workers.size(), m_settings, m_shared, writer));
    m_slots.resize(m_workers.size());
    handOver(m_listeners.take(passed));
}

Listeners::Options WorkerPool::listening(const Config &config, int workers)
{
    return {.workers = static_cast<std::size_t>(workers),
            .receiveBuffer = static_cast<int>(config.server.receiveBuffer),
            .warn = [this](const QString &why) {
                logEvent(m_settings.events, m_writer,
                         ConfigMessage{m_configFile, 0,
                                       QStringLiteral("[server] workers: %1; workers hand records "
                                                      "with a connection ID to each other instead")
                                           .arg(why)});
            }};
}

void WorkerPool::handOver(std::vector<Listeners::Socket> sockets)
{
    for (Listeners::Socket &socket : sockets) {
        const auto held = std::make_shared<Listeners::Socket>(std::move(socket));
        m_workers[held->worker]->post([held](Worker &worker) {
            auto adopted = DatagramSocket::adopt(std::move(held->descriptor));
            adopted->setGroup(held->group);
            worker.server().listen(std::move(adopted));
        });
    }
}

Result<> WorkerPool::bind(const QList<SocketAddress> &wanted)
{
    auto sockets = m_listeners.bind(wanted, [this](const ListenFailed &failed) {
        logEvent(m_settings.events, m_writer, failed);
    });
    if (!sockets)
        return sockets.error();
    handOver(std::move(sockets).value());
    return success();
}

Result<> WorkerPool::checkForward(const Config &config) const
{
    if (!m_listeners.arePassed())
        return success();
    const auto forward = settingsOf(config).forward;
    for (const SocketAddress &target : forward->targets()) {
        // A passed socket for [::] may be for IPv4 as well.
        const SocketAddress both(QHostAddress(QHostAddress::AnyIPv6), target.port());
        for (const SocketAddress &listen : m_listeners.addresses()) {
            if (listen == both || receivesFor(listen, target))
                return Error{QStringLiteral("forward: %1 is an address of this dtlsd, which "
                                            "systemd has passed; that of a service is accepted")
                                 .arg(target.toString())};
        }
    }
    return success();
}

void WorkerPool::takeOver(Then<Takeover::Count> then)
{
    using Stores = std::vector<std::unique_ptr<SessionStore>>;
    const auto stores = std::make_shared<std::vector<Stores>>(m_workers.size());
    for (auto &store : m_keeping.takeStores()) {
        const std::size_t worker = store->worker() % m_workers.size();
        if (store->worker() == worker)
            m_slots[worker] += store->size();
        (*stores)[worker].push_back(std::move(store));
    }
    keepMore(m_settings.server->limits);
    const auto turn = [stores](Worker &worker, const auto &answer) {
        answer(worker.takeOver(std::move((*stores)[worker.number()])));
    };
    ask<Takeover::Count>(turn, {}, [then = std::move(then)](const auto &counts) {
        const auto &all = counts.value(); // never an error without a patience
        then(std::accumulate(all.begin(), all.end(), Takeover::Count()));
    });
}

void WorkerPool::keepMore(const Limits &limits)
{
    // Any worker may have them all, beside the handshakes, and those that end in this turn.
    constexpr std::size_t slack = 1024;
    const std::size_t slots =
        static_cast<std::size_t>(limits.maxSessions + limits.maxHalfOpen) + slack;
    for (const auto &worker : m_workers) {
        std::size_t &its = m_slots[worker->number()];
        auto store = slots > its ? m_keeping.newStore(worker->number(), slots - its) : nullptr;
        if (!store)
            continue;
        its += store->size();
        worker->post([held = std::make_shared<std::unique_ptr<SessionStore>>(std::move(store))](
                         Worker &it) { it.server().sessions().memory().add(std::move(*held)); });
    }
}

void WorkerPool::leave(std::function<void()> then)
{
    const auto leave = [](Worker &worker, const Then<std::int64_t> &done) { worker.leave(done); };
    askToAct(leave, [then = std::move(then)](std::int64_t) { then(); });
}

void WorkerPool::serve(const QList<SocketAddress> &wanted, std::function<void()> then)
{
    // Not before all sockets are bound: each socket that joins a port moves some peers to other
    // workers, where a handshake under way would be lost.
    for (const auto &worker : m_workers)
        worker->post([](Worker &its) { its.server().resume(); });
    leaveAllBut(wanted, std::move(then));
}

void WorkerPool::leaveAllBut(const QList<SocketAddress> &wanted, std::function<void()> then)
{
    QList<SocketAddress> addresses;
    QList<QByteArray> names;
    for (const Listeners::Left &left : m_listeners.leaveAllBut(wanted)) {
        addresses += QList<SocketAddress>(static_cast<qsizetype>(left.sockets), left.address);
        names += QList<QByteArray>(left.names.begin(), left.names.end());
    }
    const auto turn = [addresses](Worker &worker, const Then<std::int64_t> &done) {
        if (addresses.isEmpty())
            return done(0);
        for (const SocketAddress &address : addresses.first(addresses.size() - 1))
            worker.server().leave(address);
        worker.server().leave(addresses.constLast(), done); // finishes after the others
    };
    askToAct(turn, [this, names, then = std::move(then)](std::int64_t) {
        for (const QByteArray &name : names)
            m_keeping.forget(name);
        if (then)
            then();
    });
}

void WorkerPool::apply(const Config &config, Then<std::int64_t> then)
{
    const Worker::Settings before = std::exchange(m_settings, settingsOf(config));
    SharedState &shared = *m_shared.server;
    shared.handshakes.set(config.settings.limits.handshakesPerSecond,
                          config.settings.limits.handshakesPerSecond);
    shared.keyRotation.forgetChanged(*before.server->identities, *m_settings.server->identities);
    shared.rates.keepOnly(*m_settings.server->identities);
    m_shared.services->health.keepOnly(m_settings.forward->targets());
    const auto apply = [settings = m_settings](Worker &worker, const Then<std::int64_t> &done) {
        worker.apply(settings, done);
    };
    askToAct(apply, std::move(then));
    keepMore(config.settings.limits);
}

void WorkerPool::closeSessions(const std::function<bool(const SessionInfo &)> &isMeant,
                               Then<std::int64_t> then)
{
    const auto close = [isMeant](Worker &worker, const Then<std::int64_t> &done) {
        worker.server().closeSessions(isMeant, done);
    };
    askToAct(close, std::move(then));
}

void WorkerPool::send(const std::function<bool(const SessionInfo &)> &isMeant,
                      const QByteArray &payload, Then<std::vector<Delivery>> then)
{
    using Deliveries = std::vector<Delivery>;
    const auto send = [isMeant, payload](Worker &worker, const Then<Deliveries> &answer) {
        worker.send({worker.server().list({}), isMeant, payload, answer});
    };
    ask<Deliveries>(send, {}, [then = std::move(then)](const auto &gathered) {
        Deliveries all;
        for (const Deliveries &some : gathered.value()) // never an error without a patience
            all.insert(all.end(), some.begin(), some.end());
        then(std::move(all));
    });
}

std::vector<ServiceState> WorkerPool::services() const
{
    std::vector<ServiceState> services;
    for (const SocketAddress &target : m_settings.forward->targets())
        services.push_back({target, m_shared.services->health.isReachable(target)});
    return services;
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
