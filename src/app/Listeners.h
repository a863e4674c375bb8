// SPDX-License-Identifier: Apache-2.0
//
// Listeners: the addresses that the workers listen on together, and which worker gets which socket
// of an address. Sockets are passed by systemd, left by a former process, or bound.
#pragma once

#include "app/Keeping.h"
#include "config/Config.h"
#include "core/Descriptor.h"
#include "core/Result.h"
#include "core/SocketAddress.h"
#include "dtls/Events.h"

#include <QByteArray>
#include <QList>
#include <QStringList>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace dtlsd {

class Listeners
{
public:
    struct Socket
    {
        Descriptor descriptor;
        std::size_t worker = 0;
        std::uint64_t group = 0; ///< see DatagramSocket::group()
    };
    struct Options
    {
        std::size_t workers = 1;
        int receiveBuffer = 0;                     ///< SO_RCVBUF of what is bound, in bytes
        std::function<void(const QString &)> warn; ///< about `[server] workers`
    };

    /// @p keeping outlives it.
    Listeners(Options options, Keeping &keeping)
        : m_options(std::move(options))
        , m_keeping(keeping)
    {
    }

    /// Takes the UDP sockets that systemd has passed; if there are any, there are no others.
    std::vector<Socket> take(const std::vector<int> &passed);
    [[nodiscard]] bool arePassed() const { return m_arePassed; }

    /// A socket for each worker at each new address of @p wanted, of all or none. The error is a
    /// failure of one of them, which @p hear gets too.
    Result<std::vector<Socket>> bind(const QList<SocketAddress> &wanted,
                                     const std::function<void(const ListenFailed &)> &hear);

    /// What the workers have to leave.
    struct Left
    {
        SocketAddress address;
        std::size_t sockets = 0;       ///< of a worker, at most
        std::vector<QByteArray> names; ///< in the service manager's store
    };
    /// Gives up all addresses but @p wanted.
    std::vector<Left> leaveAllBut(const QList<SocketAddress> &wanted);

    /// The bound addresses, with the ports that the kernel picked.
    [[nodiscard]] QList<SocketAddress> addresses() const;
    /// What the operator wanted and the sockets lack, for a warning each.
    [[nodiscard]] QStringList lacksOf(const ListenOptions &wanted) const;
    /// Whether each record with a connection ID comes to the worker named in it.
    [[nodiscard]] bool isSteered() const;

private:
    struct Listening
    {
        SocketAddress wanted;
        SocketAddress bound;
        bool isPassed = false; // by systemd
        bool isSteered = false;
        std::size_t ofOneWorker = 0;        // sockets, at most
        std::vector<QByteArray> names = {}; // in the service manager's store

        [[nodiscard]] bool isAt(const SocketAddress &address) const
        {
            return address == wanted || address == bound;
        }
    };

    [[nodiscard]] static Listening at(const SocketAddress &address)
    {
        return {.wanted = address, .bound = address};
    }
    Result<> openAt(const SocketAddress &wanted, std::vector<Socket> &dealt,
                    std::vector<QByteArray> &made);
    [[nodiscard]] std::vector<Descriptor> keptAt(Listening &listening);
    void deal(Listening &listening, std::vector<Descriptor> sockets, std::size_t first,
              std::vector<Socket> &dealt);
    bool dropUnwanted(const QList<SocketAddress> &wanted);
    [[nodiscard]] static std::vector<std::uint64_t> groupsOf(std::span<const Descriptor> sockets);
    [[nodiscard]] bool steer(std::span<const Descriptor> sockets);

    const Options m_options;
    Keeping &m_keeping;
    bool m_arePassed = false;
    int m_grantedBuffer = 0; // SO_RCVBUF of the first, as the kernel reports it
    std::vector<Listening> m_listening;
};

} // namespace dtlsd
