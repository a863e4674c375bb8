// SPDX-License-Identifier: Apache-2.0
//
// Quantities as a person reads them at a glance.
#pragma once

#include <QString>

#include <cstdint>

namespace dtlsd {

/// `1.5s`, `42s`, `12min 5s`, `3h 12min`, `2d 5h`: two units at most.
QString spanText(double seconds);

/// `60 B`, `1.2 KiB`, `34 MiB`
QString bytesText(std::int64_t bytes);

/// `1 session`, `2 sessions`; @p many where an `s` does not make the plural.
QString counted(std::int64_t count, const QString &one, const QString &many = {});

} // namespace dtlsd
