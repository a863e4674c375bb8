// SPDX-License-Identifier: Apache-2.0
//
// Steering: which of the sockets that share an address (SO_REUSEPORT) the kernel gives a datagram
// to, by a byte of the datagram. Without it the kernel picks by a hash of both addresses, so a peer
// whose address changes may come to another socket.
//
// The sockets of an address are numbered from 0 in the order in which they were bound. When one is
// closed, the last one takes its number.
#pragma once

#include "core/Result.h"

#include <cstdint>

namespace dtlsd {

struct Steering
{
    std::uint8_t firstByte = 0;     ///< of the datagrams that are steered
    std::uint32_t chooserPlace = 0; ///< where they have the byte that picks the socket
    std::uint32_t sockets = 1;      ///< that byte modulo this is the socket's number

    /// Puts it in force for all sockets at the address of the UDP socket @p descriptor, in place of
    /// any other. The kernel's hash still picks the socket for all other datagrams, for those that
    /// end before the chooser, and for numbers that no socket has. Needs no privilege. The error
    /// names the address and the reason.
    [[nodiscard]] Result<> attachTo(int descriptor) const;

    /// Ends any steering at the address of @p descriptor. A kernel older than 5.3 keeps it.
    static void detachFrom(int descriptor);
};

} // namespace dtlsd
