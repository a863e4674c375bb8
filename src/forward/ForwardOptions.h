// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/SocketAddress.h"

#include <cstdint>

namespace dtlsd {

/// How many sessions a service at [::1] can tell apart: each needs a port of its own there.
inline constexpr std::int64_t sourcesForIPv6 = 65'536 - 61'000;

/// `[server] forward` and `forward_header`
struct ForwardOptions
{
    enum class Header {
        None,
        Proxy ///< see proxyHeader()
    };

    SocketAddress target; ///< SocketAddress() = none
    Header header = Header::None;
};

} // namespace dtlsd
