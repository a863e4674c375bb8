// SPDX-License-Identifier: Apache-2.0
#include "events/Wording.h"

namespace dtlsd {

QString plural(std::uint64_t count, const char *noun)
{
    return QStringLiteral("%1 %2%3").arg(count).arg(
        QLatin1String(noun), count == 1 ? QLatin1String() : QLatin1String("s"));
}

QString inWords(std::chrono::microseconds time)
{
    const double milliseconds = static_cast<double>(time.count()) / 1000;
    return time < std::chrono::seconds(1)
               ? QStringLiteral("%1 ms").arg(milliseconds, 0, 'f', 1)
               : QStringLiteral("%1 s").arg(milliseconds / 1000, 0, 'f', 1);
}

} // namespace dtlsd
