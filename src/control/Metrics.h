// SPDX-License-Identifier: Apache-2.0
//
// metricsText(): the daemon's state as metrics. Families, their order and the values of their
// labels are always the same; what has not happened yet is there as 0, so that rates see it begin.
#pragma once

#include "control/DaemonState.h"

#include <QByteArray>

namespace dtlsd {

/// The label `config` tells daemons of one machine apart, which one collector would take for one:
/// it is the name of the configuration file, without its directory and `.ini`.
[[nodiscard]] QByteArray metricsText(const DaemonState &state);

} // namespace dtlsd
