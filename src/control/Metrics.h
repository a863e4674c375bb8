// SPDX-License-Identifier: Apache-2.0
//
// metricsText(): the daemon's state as metrics. Families, their order and the values of their
// labels are always the same: an event that has not happened counts 0, so rate() sees the first.
#pragma once

#include "control/DaemonState.h"

#include <QByteArray>

namespace dtlsd {

/// The label `config`, the name of the configuration file without directory and `.ini`, tells
/// several daemons of one machine apart.
[[nodiscard]] QByteArray metricsText(const DaemonState &state);

} // namespace dtlsd
