// SPDX-License-Identifier: Apache-2.0
//
// Timestamps of log lines: in UTC, so they sort, never jump and are the same everywhere.
#pragma once

#include <QByteArray>

#include <chrono>

namespace dtlsd {

/// `2026-01-02T03:04:05.123456Z` (RFC 3339).
QByteArray machineTimestamp(std::chrono::system_clock::time_point time);

/// `2026-01-02 03:04:05.123Z`.
QByteArray humanTimestamp(std::chrono::system_clock::time_point time);

} // namespace dtlsd
