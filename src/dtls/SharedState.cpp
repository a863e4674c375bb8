// SPDX-License-Identifier: Apache-2.0
#include "dtls/SharedState.h"

#include "dtls/DtlsServer.h"

#include <utility>

namespace dtlsd {

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
    m_workers.push_back(std::move(post));
    return static_cast<int>(m_workers.size()) - 1;
}

void SharedState::leave(int worker)
{
    const std::lock_guard lock(m_mutex);
    m_workers[static_cast<std::size_t>(worker)] = nullptr;
}

template <class Key>
void SharedState::askWorker(Accounts<Key> &accounts, const typename Accounts<Key>::Claim &claim)
{
    const std::lock_guard lock(m_mutex);
    if (const Post &post = m_workers[static_cast<std::size_t>(claim.worker)])
        post([claim](DtlsServer &server) { server.giveWay(claim); });
    else
        accounts.settle(claim);
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
