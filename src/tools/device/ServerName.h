// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/Result.h"
#include "core/SocketAddress.h"

#include <QString>

namespace dtlsd {

/// `HOST:PORT` on a command line. HOST may be a name; the first of its addresses counts.
Result<SocketAddress> resolveServer(const QString &hostAndPort);

} // namespace dtlsd
