// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/dtls-bench/Plan.h"

#include <QString>

#include <optional>

namespace dtlsd::bench {

/// As a command line and JSON have it.
QString modeName(Mode mode);
std::optional<Mode> parseMode(const QString &name);

/// Clients when nothing else was said.
std::size_t usualClients(Mode mode);

} // namespace dtlsd::bench
