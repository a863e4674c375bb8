// SPDX-License-Identifier: Apache-2.0
//
// SourceAddresses: the addresses of the sockets that stand for sessions at a local service, shared
// by the workers. A late answer must not reach another device, so an address is not given out again
// before it has rested; see rest.
//
// The addresses are a ring, and the clock that runs from the machine's start says where the next
// one is. For IPv4 the ring has 75 billion places in 127.0.0.0/8 and comes round in nine days; an
// address of a session older than that is remembered while it rests. A next process goes on where
// this one stopped. [::1] is one address, with 4536 ports that are all remembered; a next process
// is told of them where sessions are kept, and else may use one that rests.
//
// The ports lie above those that the kernel gives to clients, which lack none for them.
#pragma once

#include "core/SocketAddress.h"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace dtlsd {

class SourceAddresses
{
public:
    using BootTime = std::chrono::microseconds; ///< CLOCK_BOOTTIME

    /// How long an address is not used after its session has ended.
    static constexpr std::chrono::minutes rest{5};
    enum class Family { IPv4, IPv6 };

    explicit SourceAddresses(Family family);

    /// The next address that has rested, though another process may use it; nullopt: all that were
    /// looked at have not.
    [[nodiscard]] std::optional<SocketAddress> next(BootTime now);
    /// @p address is no longer used; any other value than one of this ring does nothing.
    void giveBack(const SocketAddress &address, BootTime now);
    [[nodiscard]] bool has(const SocketAddress &address) const;

    /// A bit of the words of [::1]. A next process must be told of those that rest.
    static constexpr std::uint64_t ipv6Word = std::uint64_t{1} << 48;
    /// An address as a word that a SessionSlot can hold, and back; 0, or any other value that is
    /// none: SocketAddress().
    [[nodiscard]] static std::uint64_t wordOf(const SocketAddress &address);
    [[nodiscard]] static SocketAddress addressOf(std::uint64_t word);

private:
    using Place = std::int64_t; // from 0 on

    void follow(BootTime now);
    [[nodiscard]] SocketAddress at(Place place) const;
    [[nodiscard]] Place placeOf(const SocketAddress &address) const;

    const Family m_family;
    const Place m_size;
    const BootTime m_step;                         // in which the clock goes one place on
    std::mutex m_mutex;                            // guards the others
    Place m_next = 0;                              // not yet taken modulo m_size
    std::unordered_map<Place, BootTime> m_resting; // until when
};

} // namespace dtlsd
