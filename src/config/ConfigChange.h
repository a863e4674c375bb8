// SPDX-License-Identifier: Apache-2.0
//
// ConfigChange: the difference between two configurations, by name; never a key or a value.
#pragma once

#include "config/Config.h"

#include <QByteArray>
#include <QList>
#include <QString>
#include <QStringList>

namespace dtlsd {

struct ConfigChange
{
    // The wildcard is `*`.
    QList<QByteArray> addedIdentities;
    QList<QByteArray> removedIdentities;
    QList<QByteArray> changedIdentities; ///< another key, or other options
    QStringList keys;                    ///< `[limits] idle_timeout`; without identity sections

    static ConfigChange between(const Config &before, const Config &after);

    /// `1 identity added (a); [limits] idle_timeout changed`, or `nothing changed`: one line,
    /// escaped and bounded.
    [[nodiscard]] QString toString() const;
};

/// Puts the values of @p before that need a restart back into @p after, and returns the names of
/// the keys it put back.
QStringList keepUntilRestart(const Config &before, Config &after);

} // namespace dtlsd
