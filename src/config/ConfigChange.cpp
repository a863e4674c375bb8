// SPDX-License-Identifier: Apache-2.0
#include "config/ConfigChange.h"

#include "config/ConfigSchema.h"
#include "core/Escape.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace dtlsd {

namespace {

constexpr qsizetype listedNames = 8; // of each kind; --show-config lists all
constexpr qsizetype shownLength = 64;

QString nameOf(const ConfigKey<Config> &key)
{
    return QStringLiteral("[%1] %2").arg(key.section, key.name);
}

/// The keys whose values differ.
std::vector<ConfigKey<Config>> differences(const Config &before, const Config &after)
{
    std::vector<ConfigKey<Config>> result;
    std::copy_if(configKeys().begin(), configKeys().end(), std::back_inserter(result),
                 [&](const auto &key) { return !key.isSame(before, after); });
    return result;
}

/// Every identity of @p store for which @p isOne is true, sorted.
template <class Predicate>
QList<QByteArray> namesIf(const PskStore &store, Predicate isOne)
{
    QList<QByteArray> names;
    for (auto it = store.identities().begin(); it != store.identities().end(); ++it) {
        if (isOne(it.key(), it.value()))
            names += it.key();
    }
    std::sort(names.begin(), names.end());
    return names;
}

QString listed(const QList<QByteArray> &names)
{
    QStringList shown;
    for (const QByteArray &name : names.first(std::min(names.size(), listedNames)))
        shown += escapedName(name, shownLength);
    const QString rest = names.size() > listedNames
                             ? QStringLiteral(" and %1 more").arg(names.size() - listedNames)
                             : QString();
    return shown.join(u", ") + rest;
}

} // namespace

ConfigChange ConfigChange::between(const Config &before, const Config &after)
{
    const PskStore &was = *before.settings.identities;
    const PskStore &is = *after.settings.identities;
    const auto isNewTo = [](const PskStore &store) {
        return [&store](const QByteArray &name, const PskIdentity &) {
            return !store.identities().contains(name);
        };
    };
    ConfigChange change;
    change.addedIdentities = namesIf(is, isNewTo(was));
    change.removedIdentities = namesIf(was, isNewTo(is));
    change.changedIdentities = namesIf(is, [&](const QByteArray &name, const PskIdentity &entry) {
        const auto old = was.identities().constFind(name);
        return old != was.identities().constEnd() && *old != entry;
    });
    if (was.wildcard() != is.wildcard())
        (!was.wildcard()  ? change.addedIdentities
         : !is.wildcard() ? change.removedIdentities
                          : change.changedIdentities)
            .prepend("*");
    for (const auto &key : differences(before, after))
        change.keys += nameOf(key);
    return change;
}

QString ConfigChange::toString() const
{
    QStringList identities;
    for (const auto &[names, verb] : {std::pair{&addedIdentities, QStringLiteral("added")},
                                      std::pair{&removedIdentities, QStringLiteral("removed")},
                                      std::pair{&changedIdentities, QStringLiteral("changed")}}) {
        if (names->isEmpty())
            continue;
        const QString noun = !identities.isEmpty() ? QString()
                             : names->size() == 1  ? QStringLiteral("identity ")
                                                   : QStringLiteral("identities ");
        identities += QStringLiteral("%1 %2%3 (%4)")
                          .arg(QString::number(names->size()), noun, verb, listed(*names));
    }
    QStringList parts;
    if (!identities.isEmpty())
        parts += identities.join(u", ");
    if (!keys.isEmpty())
        parts += keys.join(u", ") + QStringLiteral(" changed");
    return parts.isEmpty() ? QStringLiteral("nothing changed") : parts.join(u"; ");
}

QStringList keepUntilRestart(const Config &before, Config &after)
{
    QStringList kept;
    for (const auto &key : differences(before, after)) {
        if (!key.needsRestart)
            continue;
        key.copy(before, after);
        kept += nameOf(key);
    }
    return kept;
}

} // namespace dtlsd
