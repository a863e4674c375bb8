// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/BackendKind.h"
#include "core/Result.h"

#include <optional>

namespace dtlsd {

/// Puts `[tls] backend` in force, with the preconditions of TlsBackend::activate(). None = auto:
/// ours if this build has it. If ours does not work, Qt's stays in force; the error says why.
Result<> useTlsBackend(std::optional<BackendKind> choice);

} // namespace dtlsd
