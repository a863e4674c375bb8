// SPDX-License-Identifier: Apache-2.0
//
// ConfigSchema: the one table of sections and keys. Reading, suggestions, --show-config and
// reloading all follow it, so that a key is added in one place.
#pragma once

#include "config/Config.h"
#include "core/Result.h"

#include <QString>
#include <QStringList>

#include <functional>
#include <vector>

namespace dtlsd {

/// A key whose value ends in a @p Target.
template <class Target>
struct ConfigKey
{
    QString section;
    QString name;
    bool needsRestart = false; ///< a reload leaves it as it is
    /// Puts the value into its place, or says `what is wrong; what is accepted`.
    std::function<Result<>(Target &, const QString &)> read;
    /// The value as read() takes it.
    std::function<QString(const Target &)> write;
    std::function<bool(const Target &, const Target &)> isSame;
    std::function<void(const Target &from, Target &to)> copy;
};

/// All but the identities, in the order in which they are shown.
const std::vector<ConfigKey<Config>> &configKeys();

/// `allow_from` and `reply` of `[identity NAME]`; its keys need more than a table
/// (IdentitySection).
const std::vector<ConfigKey<PskIdentity>> &identityKeys();

/// `server`, `tls`, …
QStringList sectionNames();
/// Of one section.
QStringList keyNames(QStringView section);
/// Which section has the key @p name; empty = none or several.
QString sectionOf(QStringView name);

} // namespace dtlsd
