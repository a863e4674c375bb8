// SPDX-License-Identifier: Apache-2.0
//
// ForwardCheck: checks `forward` of `[server]` and of the identities against the other keys
// and the machine.
#pragma once

#include "config/Config.h"
#include "config/Diagnostics.h"
#include "config/IniDocument.h"
#include "config/Machine.h"

namespace dtlsd {

/// @p config is what @p document says.
void checkForward(const IniDocument &document, const Config &config, const Machine &machine,
                  Diagnostics &diagnostics);

/// Whether a socket that is bound to @p listen gets what is sent to @p target.
[[nodiscard]] bool receivesFor(const SocketAddress &listen, const SocketAddress &target);

} // namespace dtlsd
