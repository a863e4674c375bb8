// SPDX-License-Identifier: Apache-2.0
//
// SharedState: the little that the workers of one process have in common. Each part is immutable
// or guards itself.
#pragma once

#include "core/Random.h"
#include "dtls/Accounts.h"
#include "dtls/CookieVerifier.h"
#include "dtls/Credentials.h"
#include "dtls/Events.h"
#include "dtls/IdentityRates.h"
#include "dtls/RateLimit.h"
#include "dtls/ServerOptions.h"
#include "dtls/TimeSource.h"

#include <QByteArray>

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

namespace dtlsd {

class DtlsServer;

/// Random ones, made many at a time: it takes as long for one.
class SessionIds
{
public:
    SessionId next();

private:
    std::array<SessionId, 64> m_ids{};
    std::size_t m_left = 0;
};

class SharedState
{
public:
    using IdentityClaim = Accounts<QByteArray>::Claim;
    using NetworkClaim = Accounts<SocketAddress>::Claim;

    /// Runs a function in a server's thread.
    using Post = std::function<void(std::function<void(DtlsServer &)>)>;

    /// @p limits of the process; @p cookieSecret as for CookieSecrets.
    explicit SharedState(const Limits &limits, QByteArray cookieSecret = randomSecret(),
                         TimeSource time = {});

    /// A server begins; it can be reached by @p post. Returns its number, which counts from 0.
    int join(Post post);
    /// It ends: @p post is not called any more.
    void leave(int worker);

    /// Lets the worker that a claim names give way. What is claimed of a worker that has ended is
    /// settled at once: its members have gone as well.
    void ask(const IdentityClaim &claim);
    void ask(const NetworkClaim &claim);

    const TimeSource time;
    const CookieSecrets cookieSecrets;
    const QByteArray decoySecret = randomSecret();
    KeyRotation keyRotation;
    RateLimit handshakes;
    Accounts<QByteArray> identities;  ///< open sessions, by PskStore::account()
    Accounts<SocketAddress> networks; ///< handshakes under way, by SocketAddress::network()
    IdentityRates rates;

private:
    template <class Key>
    void askWorker(Accounts<Key> &accounts, const typename Accounts<Key>::Claim &claim);

    std::mutex m_mutex;
    std::vector<Post> m_workers; // guarded by m_mutex; empty ones have left
};

} // namespace dtlsd
