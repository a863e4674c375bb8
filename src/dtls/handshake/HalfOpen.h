// SPDX-License-Identifier: Apache-2.0
//
// HalfOpen: the handshakes under way of one worker, in the order in which they began and by network
// (RFC 6347 §4.2.4).
#pragma once

#include "core/SocketAddress.h"
#include "dtls/limits/Accounts.h"
#include "dtls/limits/AgeOrder.h"

#include <QRandomGenerator>

#include <chrono>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace dtlsd {

class DtlsSession;

class HalfOpen
{
public:
    using Clock = AgeOrder::Clock;
    using End = Accounts<SocketAddress>::End;

    /// For so long a handshake never gives way. The next flight of a device far away takes part of
    /// it, and a device repeats a hello that was not answered only after this time, but a flight
    /// of a handshake that has given way is repeated in vain (RFC 6347 §4.2.4.1).
    static constexpr std::chrono::seconds grace{1};

    /// Enters them in @p networks, which outlive it, as those of @p worker.
    HalfOpen(Accounts<SocketAddress> &networks, int worker)
        : m_networks(networks)
        , m_worker(worker)
    {
    }
    HalfOpen(const HalfOpen &) = delete;
    HalfOpen &operator=(const HalfOpen &) = delete;

    /// A handshake that begins now. false: all workers together have @p limit already.
    [[nodiscard]] bool add(DtlsSession &session, Clock::time_point now, std::int64_t limit);
    void remove(DtlsSession &session, End end);

    /// The oldest comes first.
    [[nodiscard]] const AgeOrder::Sessions &all() const { return m_all; }
    [[nodiscard]] DtlsSession *oldest() const { return m_all.empty() ? nullptr : m_all.front(); }
    /// When the oldest will have taken @p timeout; the end of time if there is none.
    [[nodiscard]] Clock::time_point due(std::chrono::milliseconds timeout) const;

    /// The one to give way: by chance, of the heaviest network that has one beyond its grace;
    /// preferably one that has sent nothing since its hello. nullptr if all are within it.
    [[nodiscard]] DtlsSession *toGiveWay(Clock::time_point now);

private:
    /// In the order in which they began.
    using Neighbours = std::vector<DtlsSession *>;

    Accounts<SocketAddress> &m_networks;
    const int m_worker;
    AgeOrder::Sessions m_all;
    std::unordered_map<SocketAddress, Neighbours> m_byNetwork;
    QRandomGenerator m_random = QRandomGenerator::securelySeeded();
};

} // namespace dtlsd
