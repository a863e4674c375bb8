// SPDX-License-Identifier: Apache-2.0
//
// Time of day as lines have it: UTC, so that it sorts, never jumps and is the same everywhere.
#pragma once

#include <QByteArray>

#include <chrono>

namespace dtlsd {

/// `2026-01-02T03:04:05.123456Z` (RFC 3339).
QByteArray machineTimestamp(std::chrono::system_clock::time_point time);

/// `2026-01-02 03:04:05.123Z`.
QByteArray humanTimestamp(std::chrono::system_clock::time_point time);

} // namespace dtlsd
