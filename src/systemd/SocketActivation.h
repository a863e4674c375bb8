// SPDX-License-Identifier: Apache-2.0
//
// Socket activation: sockets that systemd has bound and passes to a process (sd_listen_fds(3)).
#pragma once

#include "core/Result.h"

#include <vector>

namespace dtlsd {

/// The descriptors of the UDP sockets passed to this process, in the order of the socket unit;
/// empty without socket activation. They are close-on-exec, and the caller closes them. This
/// removes the variables from the environment, so it is called once, before any thread starts. The
/// error names a descriptor that is no UDP socket, and what is accepted.
Result<std::vector<int>> passedSockets();

} // namespace dtlsd
