// SPDX-License-Identifier: Apache-2.0
//
// What the messages of several events have in common.
#pragma once

#include <QString>

#include <chrono>
#include <cstdint>

namespace dtlsd {

/// `1 session`, `2 sessions`
[[nodiscard]] QString plural(std::uint64_t count, const char *noun);

/// `0.4 ms`, `12.0 ms`, `90.5 s`
[[nodiscard]] QString inWords(std::chrono::microseconds time);

} // namespace dtlsd
