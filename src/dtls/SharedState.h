// SPDX-License-Identifier: Apache-2.0
//
// SharedState: what the workers of one process share. Each part is immutable or thread-safe.
#pragma once

#include "core/Random.h"
#include "dtls/Events.h"
#include "dtls/ServerOptions.h"
#include "dtls/TimeSource.h"
#include "dtls/handshake/CookieVerifier.h"
#include "dtls/handshake/Credentials.h"
#include "dtls/limits/Accounts.h"
#include "dtls/limits/IdentityRates.h"
#include "dtls/limits/RateLimit.h"
#include "dtls/session/HandOver.h"
#include "net/DatagramSocket.h"

#include <QByteArray>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace dtlsd {

class DtlsServer;

/// Random IDs, generated in batches: a batch takes no longer than one ID.
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

    /// @p limits are the process's; @p cookieSecret as for CookieSecrets.
    explicit SharedState(const Limits &limits, QByteArray cookieSecret = randomSecret(),
                         TimeSource time = {});

    /// Registers a server, reached through @p post. Returns its number, from 0.
    int join(Post post);
    /// Unregisters it: @p post is not called any more.
    void leave(int worker);

    /// Asks the worker of a claim to evict a member. If that worker has ended, its members are
    /// gone, and the claim is settled at once.
    void ask(const IdentityClaim &claim);
    void ask(const NetworkClaim &claim);

    enum class Handed {
        No, ///< the worker itself gave the ID, or nobody did
        Over,
        NoRoom
    };
    /// Hands @p datagram, which came to @p socket of worker @p own, to the worker that gave @p id,
    /// if that is another; its takeHandedOver() is called soon.
    [[nodiscard]] Handed handOver(int own, const ConnectionId &id, DatagramSocket &socket,
                                  const ReceivedDatagram &datagram);
    /// Calls @p handle with some of the datagrams handed to @p worker; its takeHandedOver() is
    /// called again if there are more.
    void takeHandedOver(int worker, const std::function<void(const HandOver::Datagram &)> &handle);

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

    struct Member
    {
        Post post; // empty: it has left
        std::shared_ptr<HandOver> handedOver = std::make_shared<HandOver>();
    };
    [[nodiscard]] int workerOf(const ConnectionId &id);
    [[nodiscard]] std::shared_ptr<HandOver> handedTo(int worker);
    void remindOfHandedOver(int worker);

    std::mutex m_mutex;
    std::vector<Member> m_workers; // guarded by m_mutex
};

} // namespace dtlsd
