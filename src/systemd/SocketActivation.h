// SPDX-License-Identifier: Apache-2.0
//
// Sockets that systemd has bound, and passes to whom it starts (sd_listen_fds(3)).
#pragma once

#include "core/Result.h"

#include <vector>

namespace dtlsd {

/// The descriptors of the UDP sockets that were passed to this process, in the order of the socket
/// unit; none, if it was started without any. They belong to the caller, and programs that it
/// starts do not get them. The environment no longer speaks of them, so this is called once, and
/// before any thread. The error names one that is no UDP socket, and what is accepted.
Result<std::vector<int>> passedSockets();

} // namespace dtlsd
