// SPDX-License-Identifier: Apache-2.0
//
// ListenCheck: checks `[server] listen` against the machine.
#pragma once

#include "config/Diagnostics.h"
#include "config/Machine.h"
#include "core/SocketAddress.h"

#include <QList>

namespace dtlsd {

/// The interface after the `%` of an element of `listen`; empty = none.
QStringView scopeOf(QStringView element);

/// Without IPv6, removes [::] from @p listen with a warning if another address remains. Anything
/// else that the machine lacks is reported as missing. @p elements is @p listen as written; empty =
/// the default.
void checkListen(const QStringList &elements, const IniPlace &place, const Machine &machine,
                 QList<SocketAddress> &listen, Diagnostics &diagnostics);

} // namespace dtlsd
