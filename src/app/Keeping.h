// SPDX-License-Identifier: Apache-2.0
//
// Keeping: what outlives this process in the service manager's store: the workers' sessions and
// their UDP sockets. Its names say what a descriptor is: keptPrefix, `sessions-` or `udp-`, for a
// socket the number of its worker, and random digits.
#pragma once

#include "core/Descriptor.h"
#include "core/KeptSessions.h"
#include "core/Result.h"
#include "dtls/store/SessionStore.h"
#include "dtls/store/Takeover.h"
#include "events/DaemonEvents.h"
#include "net/DatagramSocket.h"
#include "systemd/DescriptorStore.h"

#include <QByteArray>

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace dtlsd {

class Keeping
{
public:
    /// A UDP socket that a former process has left.
    struct Socket
    {
        QByteArray name;
        int worker = 0;
        Descriptor descriptor;

        [[nodiscard]] SocketAddress address() const
        {
            return DatagramSocket::addressOf(descriptor.number());
        }
    };

    /// Owns @p left, what a former process has left. Unless @p use is InForce, nothing is stored,
    /// and nothing stays in the store; if it is Inert, no session is taken over.
    Keeping(KeepSessionsUse use, const std::vector<KeptDescriptor> &left);

    /// Whether sessions outlive this process; known after confirm().
    [[nodiscard]] bool isInForce() const { return m_isInForce; }
    /// Whether they do if it ends now, by a signal: that does not tell whether the service manager
    /// will start the service again. Without a bus nothing does.
    [[nodiscard]] bool isForARestart() const;

    /// The stores that a former process has left and that can be used, once.
    [[nodiscard]] std::vector<std::unique_ptr<SessionStore>> takeStores();
    /// The sockets that it has left; the caller takes what it uses.
    [[nodiscard]] std::vector<Socket> &sockets() { return m_sockets; }
    /// What cannot be used, and why, and what the takeover of the rest has lost.
    [[nodiscard]] std::vector<SessionsLost> lost(const Takeover::Count &count) const;

    /// A store for worker @p worker, which is stored; nullptr: not wanted, or impossible, which
    /// confirm() tells.
    [[nodiscard]] std::unique_ptr<SessionStore> newStore(std::size_t worker, std::size_t slots);
    /// Stores a socket of worker @p worker under the name that is returned; empty: not wanted.
    QByteArray keep(std::size_t worker, const Descriptor &socket);
    /// Removes what has that name from the store.
    void forget(const QByteArray &name);

    /// Waits until what was forgotten is closed.
    void awaitForgotten();
    /// Whether something was stored since confirm().
    [[nodiscard]] bool isUnconfirmed() const { return m_isUnconfirmed; }
    /// Waits until the service manager has taken everything. If it has not, nothing is kept from
    /// then on, and the error says why.
    Result<> confirm();
    /// Removes everything from the store.
    void forgetAll();

private:
    void takeIn(const QByteArray &name, Descriptor descriptor);
    void refuse(const QByteArray &name, const QString &why);
    void refuseTwin(const QByteArray &name, Descriptor twin, const SessionStore &store);
    [[nodiscard]] QByteArray store(const QByteArray &kind, int descriptor);

    const bool m_canTakeOver;
    bool m_isWanted; // until it turns out to be impossible
    bool m_isInForce = false;
    bool m_isUnconfirmed = false;
    DescriptorStore m_store;
    std::vector<std::unique_ptr<SessionStore>> m_stores;
    std::vector<Socket> m_sockets;
    std::vector<Descriptor> m_twins; // open until the process ends: see SessionStore::open()
    std::vector<SessionsLost> m_lost;
    std::vector<QByteArray> m_names; // of what is in the store
    std::optional<Error> m_failure;  // the first
};

} // namespace dtlsd
