// SPDX-License-Identifier: Apache-2.0
//
// ConfigChange: what is different between two configurations, by name; never a key or a value.
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
    QList<QByteArray> changedIdentities; ///< another key, next_key, allow_from or reply
    QStringList keys;                    ///< `[limits] idle_timeout`; all but the identities'

    static ConfigChange between(const Config &before, const Config &after);

    /// `1 identity added (a); [limits] idle_timeout changed`, or `nothing changed`: one line,
    /// escaped and bounded.
    [[nodiscard]] QString toString() const;
};

/// Gives @p after the values of @p before that cannot change in a running process, and returns the
/// names of those that would have.
QStringList keepUntilRestart(const Config &before, Config &after);

} // namespace dtlsd
