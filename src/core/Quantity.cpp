// SPDX-License-Identifier: Apache-2.0
#include "core/Quantity.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

namespace dtlsd {

namespace {

struct Unit
{
    QStringView name;
    std::int64_t factor = 1;
};

// Smallest first; the first is the unit in which a value is stored.
constexpr std::array durationUnits{Unit{u"ms", 1}, Unit{u"s", 1000}, Unit{u"min", 60'000},
                                   Unit{u"h", 3'600'000}, Unit{u"d", 86'400'000}};
constexpr std::array byteUnits{Unit{u"", 1}, Unit{u"K", 1LL << 10}, Unit{u"M", 1LL << 20},
                               Unit{u"G", 1LL << 30}};

bool isDigit(QChar c)
{
    return c >= u'0' && c <= u'9';
}

std::optional<std::int64_t> parseWithUnit(QStringView text, std::span<const Unit> units)
{
    const auto digitsEnd = std::find_if_not(text.begin(), text.end(), isDigit);
    const qsizetype digits = digitsEnd - text.begin();
    const auto number = parseWholeNumber(text.first(digits));
    const QStringView name = text.sliced(digits);
    if (!number)
        return std::nullopt;
    if (*number == 0 && name.isEmpty())
        return 0;
    for (const Unit &unit : units) {
        if (unit.name == name && *number <= std::numeric_limits<std::int64_t>::max() / unit.factor)
            return *number * unit.factor;
    }
    return std::nullopt;
}

QString formatWithUnit(std::int64_t value, std::span<const Unit> units)
{
    if (value == 0)
        return QStringLiteral("0");
    const auto largest = std::find_if(units.rbegin(), units.rend(), [value](const Unit &unit) {
        return value % unit.factor == 0;
    });
    return QString::number(value / largest->factor).append(largest->name);
}

} // namespace

std::optional<std::int64_t> parseWholeNumber(QStringView text)
{
    if (text.isEmpty() || !std::all_of(text.begin(), text.end(), isDigit))
        return std::nullopt;
    bool ok = false;
    const qlonglong number = text.toLongLong(&ok);
    return ok ? std::optional<std::int64_t>(number) : std::nullopt;
}

std::optional<std::chrono::milliseconds> parseDuration(QStringView text)
{
    const auto count = parseWithUnit(text, durationUnits);
    return count ? std::optional(std::chrono::milliseconds(*count)) : std::nullopt;
}

QString formatDuration(std::chrono::milliseconds duration)
{
    return formatWithUnit(duration.count(), durationUnits);
}

QString inWords(std::chrono::microseconds time)
{
    const double milliseconds = static_cast<double>(time.count()) / 1000;
    return time < std::chrono::seconds(1)
               ? QStringLiteral("%1 ms").arg(milliseconds, 0, 'f', 1)
               : QStringLiteral("%1 s").arg(milliseconds / 1000, 0, 'f', 1);
}

QString counted(const QString &number, const char *one, const char *many)
{
    const bool isOne = number == u'1';
    return number + u' ' + QLatin1StringView(isOne || !many ? one : many) +
           QLatin1StringView(isOne || many ? "" : "s");
}

std::optional<std::int64_t> parseByteSize(QStringView text)
{
    return parseWithUnit(text, byteUnits);
}

QString formatByteSize(std::int64_t bytes)
{
    return formatWithUnit(bytes, byteUnits);
}

} // namespace dtlsd
