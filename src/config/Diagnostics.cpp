// SPDX-License-Identifier: Apache-2.0
#include "config/Diagnostics.h"

#include "core/Escape.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace dtlsd {

namespace {

constexpr qsizetype shownLimit = 64; // characters of a value in a message

QList<ConfigMessage> inLineOrder(QList<ConfigMessage> messages)
{
    std::stable_sort(
        messages.begin(), messages.end(),
        [](const ConfigMessage &a, const ConfigMessage &b) { return a.line < b.line; });
    return messages;
}

/// People often get the case and the hyphens of a name wrong.
QString normalised(QStringView name)
{
    return name.toString().toLower().replace(u'-', u'_');
}

/// The Levenshtein distance: insertions, deletions and substitutions from @p a to @p b.
std::size_t editDistance(QStringView a, QStringView b)
{
    std::vector<std::size_t> row(static_cast<std::size_t>(b.size()) + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (qsizetype i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 1; j < row.size(); ++j) {
            const bool same = a[i] == b[static_cast<qsizetype>(j - 1)];
            const std::size_t replaced = diagonal + (same ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

/// The closest match for @p name in @p names; empty = none is close.
QString nearestName(QStringView name, const QStringList &names)
{
    const QString wanted = normalised(name.first(std::min<qsizetype>(name.size(), shownLimit)));
    QString nearest;
    // Up to a third of the letters may be wrong; with more, a suggestion would be a guess.
    std::size_t limit = std::max<std::size_t>(1, static_cast<std::size_t>(wanted.size()) / 3) + 1;
    for (const QString &candidate : names) {
        const std::size_t distance = editDistance(wanted, normalised(candidate));
        if (distance < limit) {
            limit = distance;
            nearest = candidate;
        }
    }
    return nearest;
}

} // namespace

void Diagnostics::error(const IniPlace &place, const QString &text)
{
    m_errors.append(message(place, text));
}

void Diagnostics::warning(const IniPlace &place, const QString &text)
{
    m_warnings.append(message(place, text));
}

void Diagnostics::unknownKey(const IniPlace &place, const QStringList &names, bool maybeSecret)
{
    const QString guess = suggestion(place.key, names);
    if (maybeSecret && guess.isEmpty())
        error({place.line, place.section, {}},
              QStringLiteral("there is an unknown key; ") + acceptedNames(names));
    else
        error(place, QStringLiteral("is unknown%1; %2").arg(guess, acceptedNames(names)));
}

void Diagnostics::missing(const IniPlace &place, const QString &text)
{
    m_missing.append(message(place, text));
}

ConfigMessage Diagnostics::message(const IniPlace &place, const QString &text) const
{
    QStringList where;
    if (!place.section.isEmpty())
        where += QStringLiteral("[%1]").arg(escaped(place.section.toUtf8()));
    if (!place.key.isEmpty())
        where += escaped(place.key.toUtf8(), shownLimit);
    const QString prefix = where.isEmpty() ? QString() : where.join(u' ') + QStringLiteral(": ");
    return {m_file, place.line, prefix + text};
}

QList<ConfigMessage> Diagnostics::errors() const
{
    QList<ConfigMessage> errors = inLineOrder(m_errors);
    if (const qsizetype more = errors.size() - maximumPerFile; more > 0) {
        errors.resize(maximumPerFile);
        errors.append({m_file, 0, QStringLiteral("%1 more errors").arg(more)});
    }
    return errors + m_otherErrors;
}

QList<ConfigMessage> Diagnostics::warnings() const
{
    return inLineOrder(m_warnings) + m_otherWarnings;
}

QString ConfigMessage::toString() const
{
    const QString where = line == 0 ? file : QStringLiteral("%1:%2").arg(file).arg(line);
    return where.isEmpty() ? text : where + QStringLiteral(": ") + text;
}

QString shown(QStringView text)
{
    return u'"' + escaped(text.toUtf8(), shownLimit) + u'"';
}

QString suggestion(QStringView name, const QStringList &names, const QString &shape)
{
    const QString near = nearestName(name, names);
    return near.isEmpty() ? QString() : QStringLiteral(" (did you mean %1?)").arg(shape.arg(near));
}

QString acceptedNames(const QStringList &names)
{
    return enumeration(names) +
           (names.size() == 1 ? QStringLiteral(" is accepted") : QStringLiteral(" are accepted"));
}

QString enumeration(QStringList names, const QString &conjunction)
{
    if (names.size() < 2)
        return names.join(QString());
    const QString last = names.takeLast();
    return QStringLiteral("%1 %2 %3").arg(names.join(QStringLiteral(", ")), conjunction, last);
}

} // namespace dtlsd
