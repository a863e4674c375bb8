// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace dtlsd {

/// How much memory this process takes up, in bytes; 0 if /proc does not say.
[[nodiscard]] std::int64_t residentMemory();

} // namespace dtlsd
