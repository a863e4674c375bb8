// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace dtlsd::test {

/// Enough for anything that works, on a busy machine and under a sanitizer.
inline constexpr std::chrono::seconds patience{20};

/// The same in milliseconds, for who takes no durations: QSignalSpy::wait() of Qt 6.4, poll(2).
inline constexpr int qtPatience{std::chrono::milliseconds(patience).count()};

} // namespace dtlsd::test
