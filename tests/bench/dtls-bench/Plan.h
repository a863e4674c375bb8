// SPDX-License-Identifier: Apache-2.0
//
// Plan: what to measure, and the server. Parameters common to all measurements are constants, so
// that their figures can be compared.
#pragma once

#include "tools/device/DeviceKey.h"

#include <chrono>

#include <sys/types.h>

namespace dtlsd::bench {

struct Plan
{
    static constexpr std::size_t payload = 64;   ///< bytes of a message
    static constexpr std::size_t underWay = 256; ///< messages of all clients without a reply
    static constexpr std::size_t atATime = 64;   ///< handshakes under way while sessions open
    static constexpr std::size_t rate = 2000;    ///< messages per second of all clients in a storm

    quint16 port = 0; ///< of the server, on 127.0.0.1
    pid_t processId = 0;
    pid_t serviceId = 0;   ///< the process that the server hands messages to; 0 = none
    DeviceKey credentials; ///< of all clients; in `plain` none
    std::size_t clients = 0;
    std::size_t window = 0;      ///< messages of a client without a reply
    std::size_t storm = 0;       ///< clients that reconnect
    std::size_t echoClients = 0; ///< beside the sessions that are held
    bool areAnswered = false; ///< held sessions: each says a message once, and waits for its reply
    std::chrono::milliseconds duration{};
    std::chrono::milliseconds warmUp{};
    std::chrono::milliseconds timeout{}; ///< of a handshake
};

} // namespace dtlsd::bench
