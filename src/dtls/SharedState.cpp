// SPDX-License-Identifier: Apache-2.0
#include "dtls/SharedState.h"

#include "dtls/DtlsServer.h"

#include <utility>

namespace dtlsd {

namespace {

constexpr int handedOverPerTurn = 64;

} // namespace

SessionId SessionIds::next()
{
    if (m_left == 0) {
        fillWithRandom(m_ids.data(), sizeof m_ids);
        m_left = m_ids.size();
    }
    return m_ids[--m_left];
}

SharedState::SharedState(const Limits &limits, QByteArray cookieSecret, TimeSource timeSource)
    : time(std::move(timeSource))
    , cookieSecrets(std::move(cookieSecret))
    // One second's worth at once: a fleet that reconnects arrives in bursts.
    , handshakes(limits.handshakesPerSecond, limits.handshakesPerSecond)
{
}

int SharedState::join(Post post)
{
    const std::lock_guard lock(m_mutex);
    m_workers.push_back({std::move(post)});
    return static_cast<int>(m_workers.size()) - 1;
}

void SharedState::leave(int worker)
{
    const std::lock_guard lock(m_mutex);
    m_workers[static_cast<std::size_t>(worker)].post = nullptr;
}

template <class Key>
void SharedState::askWorker(Accounts<Key> &accounts, const typename Accounts<Key>::Claim &claim)
{
    const std::lock_guard lock(m_mutex);
    if (const Post &post = m_workers[static_cast<std::size_t>(claim.worker)].post)
        post([claim](DtlsServer &server) { server.giveWay(claim); });
    else
        accounts.settle(claim);
}

std::shared_ptr<HandOver> SharedState::handedTo(int worker)
{
    const std::lock_guard lock(m_mutex);
    return m_workers[static_cast<std::size_t>(worker)].handedOver;
}

int SharedState::workerOf(const ConnectionId &id)
{
    const std::lock_guard lock(m_mutex);
    return static_cast<int>(id.worker() % m_workers.size());
}

SharedState::Handed SharedState::handOver(int own, const ConnectionId &id, DatagramSocket &socket,
                                          const ReceivedDatagram &datagram)
{
    const int worker = workerOf(id);
    if (worker == own)
        return Handed::No;
    auto duplicate = socket.duplicate();
    if (!duplicate)
        return Handed::NoRoom;
    const HandOver::Added added =
        handedTo(worker)->add({datagram.path, datagram.bytes.toByteArray(), std::move(duplicate)});
    if (added == HandOver::Added::First)
        remindOfHandedOver(worker);
    return added == HandOver::Added::NoRoom ? Handed::NoRoom : Handed::Over;
}

void SharedState::remindOfHandedOver(int worker)
{
    const std::lock_guard lock(m_mutex); // under which leave() takes the post away
    if (const Post &post = m_workers[static_cast<std::size_t>(worker)].post)
        post([](DtlsServer &server) { server.takeHandedOver(); });
}

void SharedState::takeHandedOver(int worker,
                                 const std::function<void(const HandOver::Datagram &)> &handle)
{
    const auto waiting = handedTo(worker);
    for (int i = 0; i < handedOverPerTurn; ++i) {
        const auto taken = waiting->take();
        if (taken.empty())
            return;
        handle(taken.front());
    }
    remindOfHandedOver(worker);
}

void SharedState::ask(const IdentityClaim &claim)
{
    askWorker(identities, claim);
}

void SharedState::ask(const NetworkClaim &claim)
{
    askWorker(networks, claim);
}

} // namespace dtlsd
