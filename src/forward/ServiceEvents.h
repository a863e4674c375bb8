// SPDX-License-Identifier: Apache-2.0
//
// What a ServicePort tells, as values.
#pragma once

#include "core/SocketAddress.h"
#include "dtls/Events.h"

#include <QString>

#include <cstdint>
#include <variant>

namespace dtlsd {

/// Why a datagram did not get to its service, or the service's not to its device. (What is dropped
/// between dtlsd and the device is counted in Statistics.)
enum class ForwardDrop {
    NotLogged,   ///< its entry was not kept
    Refused,     ///< nobody listens at the target
    NoSource,    ///< no address or descriptor is left for a socket of its own
    AnswerQueue, ///< the kernel's queue for the service's answers was full
    Error        ///< any other error
};

struct ForwardStatistics
{
    Traffic toService;
    Traffic fromService;
    CountBy<ForwardDrop> dropped;
    std::int64_t sockets = 0; ///< a gauge

    ForwardStatistics &operator+=(const ForwardStatistics &other)
    {
        toService += other.toService;
        fromService += other.fromService;
        dropped += other.dropped;
        sockets += other.sockets;
        return *this;
    }
};

/// A target has not taken what it was sent.
struct ServiceUnreachable
{
    SocketAddress target;
    ForwardDrop cause = ForwardDrop::Error; ///< of the last one
    QString detail;                         ///< the kernel's words, unless the cause says it all
    std::uint64_t datagrams = 0;            ///< lost since the last such event
};

/// It has answered, or has not refused what was sent.
struct ServiceReachable
{
    SocketAddress target;
    std::uint64_t datagrams = 0; ///< lost since the last event
};

using ServiceEvent = std::variant<ServiceUnreachable, ServiceReachable>;

} // namespace dtlsd
