// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/Result.h"
#include "log/LogWriter.h"
#include "log/SinkChoice.h"

#include <chrono>

namespace dtlsd {

/// Longer than the log thread ever takes to return to its queue, time in its sink excepted.
inline constexpr std::chrono::seconds lifePatience{2};

/// Whether entries get into the log, so that datagrams get receipts. The error says why not.
[[nodiscard]] Result<> checkLog(LogWriter &writer, LogTarget target);

} // namespace dtlsd
