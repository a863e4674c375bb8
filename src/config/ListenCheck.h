// SPDX-License-Identifier: Apache-2.0
//
// ListenCheck: `[server] listen` against what the machine has.
#pragma once

#include "config/Diagnostics.h"
#include "config/Machine.h"
#include "core/SocketAddress.h"

#include <QList>

namespace dtlsd {

/// The interface that an element of `listen` names behind a `%`; empty = none.
QStringView scopeOf(QStringView element);

/// Takes [::] from @p listen where there is no IPv6, with a warning, as long as another address
/// stays. What else the machine does not have is told as missing. @p elements is @p listen as it
/// was written; empty = it is the default.
void checkListen(const QStringList &elements, const IniPlace &place, const Machine &machine,
                 QList<SocketAddress> &listen, Diagnostics &diagnostics);

} // namespace dtlsd
