// SPDX-License-Identifier: Apache-2.0
//
// SessionReport: what a server tells about one of its sessions when it is asked.
#pragma once

#include "dtls/Events.h"

#include <chrono>
#include <cstdint>

namespace dtlsd {

struct SessionReport
{
    SessionInfo info;
    bool isEstablished = false;       ///< or its handshake is under way
    std::chrono::microseconds age{};  ///< since it was established, or its handshake began
    std::chrono::microseconds idle{}; ///< since it was last heard of
    Traffic received;
    Traffic sent;
    std::uint64_t badRecords = 0; ///< forged, repeated or incomplete
};

} // namespace dtlsd
