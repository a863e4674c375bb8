// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace dtlsd::test {

/// Enough for anything that works, on a busy machine and under a sanitizer.
inline constexpr std::chrono::seconds patience{20};

/// The same in milliseconds, for Qt 6.4, which takes no durations: QSignalSpy::wait() and the like.
inline constexpr int qtPatience{std::chrono::milliseconds(patience).count()};

} // namespace dtlsd::test
