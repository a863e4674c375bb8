// SPDX-License-Identifier: Apache-2.0
//
// A network namespace for this process and its children, with loopback, where kernel settings can
// be changed without changing the host's.
#pragma once

#include "core/Result.h"

namespace dtlsd::bench {

/// Call it before any thread starts. Needs root.
Result<> enterOwnNetwork();

/// Sets net.unix.max_dgram_qlen for sockets created later: how many datagrams wait in a Unix socket
/// before its senders block.
Result<> setUnixQueueLength(int length);

} // namespace dtlsd::bench
