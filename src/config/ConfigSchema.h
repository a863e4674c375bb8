// SPDX-License-Identifier: Apache-2.0
//
// ConfigSchema: the one table of sections and keys. Reading, suggestions, --show-config and
// reloading all use it, so that a key is added in one place.
#pragma once

#include "config/Config.h"
#include "config/Diagnostics.h"
#include "core/Result.h"

#include <QString>
#include <QStringList>

#include <functional>
#include <vector>

namespace dtlsd {

/// A key whose value is stored in a @p Target.
template <class Target>
struct ConfigKey
{
    QString section;
    QString name;
    bool needsRestart = false; ///< a reload does not change it
    /// Stores the value, or fails with `what is wrong; what is accepted`.
    std::function<Result<>(Target &, const QString &)> read;
    /// The value in the form that read() accepts.
    std::function<QString(const Target &)> write;
    std::function<bool(const Target &, const Target &)> isSame;
    std::function<void(const Target &from, Target &to)> copy;
};

/// All keys but those of identities, in the order in which they are shown.
const std::vector<ConfigKey<Config>> &configKeys();

/// The keys of `[identity NAME]` except `key` and `next_key`, which IdentitySections reads.
const std::vector<ConfigKey<PskIdentity>> &identityKeys();

/// `server`, `tls`, …
QStringList sectionNames();
/// The keys of one section.
QStringList keyNames(QStringView section);
/// The section that has the key @p name; empty = none or several.
QString sectionOf(QStringView name);
/// An error: the key of @p place is none of @p names; see Diagnostics::unknownKey(). Says where it
/// belongs, if another section has it.
void reportUnknownKey(const IniPlace &place, const QStringList &names, bool maybeSecret,
                      Diagnostics &diagnostics);

} // namespace dtlsd
