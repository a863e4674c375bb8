// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/Units.h"

#include "core/Escape.h"

#include <algorithm>
#include <array>

namespace dtlsd {

namespace {

struct Unit
{
    QLatin1StringView name;
    std::int64_t seconds = 1;
};

constexpr std::array units{Unit{QLatin1StringView("d"), 86'400}, Unit{QLatin1StringView("h"), 3600},
                           Unit{QLatin1StringView("min"), 60}, Unit{QLatin1StringView("s"), 1}};

QString withUnit(std::int64_t seconds, const Unit &unit)
{
    return QString::number(seconds / unit.seconds) + unit.name;
}

} // namespace

QString spanText(double seconds)
{
    // A server may send any number; whole seconds have to fit into 64 bits.
    const double bounded = std::clamp(seconds, 0.0, 1e15);
    if (bounded < 9.95)
        return QString::number(bounded, 'f', 1) + u's';
    const auto whole = static_cast<std::int64_t>(bounded);
    const auto *const unit = std::find_if(units.begin(), units.end() - 1,
                                          [whole](const Unit &u) { return whole >= u.seconds; });
    const QString first = withUnit(whole, *unit);
    const auto *const next = unit + 1;
    return next == units.end() ? first : first + u' ' + withUnit(whole % unit->seconds, *next);
}

QString bytesText(std::int64_t bytes)
{
    if (bytes < 1024)
        return QStringLiteral("%1 B").arg(bytes);
    auto amount = static_cast<double>(bytes);
    qsizetype prefix = -1;
    constexpr QLatin1StringView prefixes("KMGTPE");
    // 1023.5 would be shown as 1024.
    while (amount >= 1023.5 && prefix + 1 < prefixes.size()) {
        amount /= 1024;
        ++prefix;
    }
    return QStringLiteral("%1 %2iB")
        .arg(amount, 0, 'f', amount < 9.95 ? 1 : 0)
        .arg(prefixes[prefix]);
}

QString safe(const QString &text, qsizetype limit)
{
    return escaped(text.toUtf8(), limit);
}

} // namespace dtlsd
