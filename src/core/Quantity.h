// SPDX-License-Identifier: Apache-2.0
//
// Durations, byte sizes and counts of things as text.
#pragma once

#include <QString>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>

namespace dtlsd {

/// A whole number and one of ms, s, min, h, d (the units of systemd.time(7)); 0 needs no unit.
std::optional<std::chrono::milliseconds> parseDuration(QStringView text);

/// In the largest unit that keeps it whole: `90s`, `10min`, `0`. parseDuration() reads it back.
QString formatDuration(std::chrono::milliseconds duration);

/// A whole number of bytes, with K, M or G for powers of 1024.
std::optional<std::int64_t> parseByteSize(QStringView text);

/// In the largest unit that keeps it whole: `4M`, `1500`. parseByteSize() reads it back.
QString formatByteSize(std::int64_t bytes);

/// `0.4 ms`, `12.0 ms`, `90.5 s`
QString inWords(std::chrono::microseconds time);

/// `1 session`, `2 sessions`; @p many is the plural where an `s` does not make it.
QString counted(const QString &number, const char *one, const char *many = nullptr);
template <std::integral Number>
QString counted(Number number, const char *one, const char *many = nullptr)
{
    return counted(QString::number(number), one, many);
}

/// Decimal digits only: no sign, no blank, no overflow.
std::optional<std::int64_t> parseWholeNumber(QStringView text);

} // namespace dtlsd
