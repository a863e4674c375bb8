// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/Result.h"
#include "core/SocketAddress.h"

#include <QString>

namespace dtlsd {

/// Resolves `HOST:PORT` of a command line. If HOST is a name, its first address counts. Blocks.
Result<SocketAddress> resolveServer(const QString &hostAndPort);

} // namespace dtlsd
