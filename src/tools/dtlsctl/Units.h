// SPDX-License-Identifier: Apache-2.0
//
// Quantities and texts in a form for people.
#pragma once

#include <QString>

#include <cstdint>

namespace dtlsd {

/// `1.5s`, `42s`, `12min 5s`, `3h 12min`, `2d 5h`: two units at most.
QString spanText(double seconds);

/// `60 B`, `1.2 KiB`, `34 MiB`
QString bytesText(std::int64_t bytes);

/// What a daemon said, made safe for a terminal.
QString safe(const QString &text, qsizetype limit = 1024);

} // namespace dtlsd
