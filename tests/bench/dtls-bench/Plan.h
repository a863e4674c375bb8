// SPDX-License-Identifier: Apache-2.0
//
// Plan: what is to be measured, and how. Target: whom it is measured of.
#pragma once

#include "core/SocketAddress.h"
#include "tools/device/DeviceKey.h"

#include <QByteArray>

#include <chrono>
#include <optional>

#include <sys/types.h>

namespace dtlsd::bench {

enum class Mode { Echo, Churn, Ramp, Blast, Storm };

struct Plan
{
    Mode mode = Mode::Echo;
    DeviceKey credentials;
    QByteArray ciphers = "PSK-AES128-GCM-SHA256";
    std::size_t clients = 10;
    std::size_t payload = 64;   ///< bytes of a message
    std::size_t window = 1;     ///< messages of a client under way
    std::size_t underWay = 256; ///< messages of all clients under way
    std::size_t atATime = 64;   ///< handshakes under way
    std::size_t storm = 5000;   ///< clients that reconnect
    std::size_t rate = 2000;    ///< messages per second of the established clients in a storm
    std::chrono::milliseconds duration = std::chrono::seconds(5);
    std::chrono::milliseconds warmUp = std::chrono::seconds(1);
    std::chrono::milliseconds timeout = std::chrono::seconds(5); ///< of a handshake
};

struct Target
{
    SocketAddress server;
    std::optional<pid_t> processId; ///< without, nothing is said of processor time and memory
};

} // namespace dtlsd::bench
