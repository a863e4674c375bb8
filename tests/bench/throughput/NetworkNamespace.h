// SPDX-License-Identifier: Apache-2.0
//
// A network of this process and its children alone, with loopback, where settings of the kernel can
// be changed that are the host's elsewhere.
#pragma once

#include "core/Result.h"

namespace dtlsd::bench {

/// Before there are threads. Needs root.
Result<> enterOwnNetwork();

/// How many datagrams wait in a Unix socket before its senders block: net.unix.max_dgram_qlen, for
/// sockets that are made from now on.
Result<> setUnixQueueLength(int length);

} // namespace dtlsd::bench
