// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/BackendKind.h"

#include <QString>

#include <cstdint>
#include <utility>

namespace dtlsd {

/// What `[server] keep_sessions` comes to.
enum class KeepSessionsUse {
    Off,
    Inert,       ///< wanted, but Qt's own backend cannot
    Unavailable, ///< wanted, but no service manager keeps our descriptors
    InForce
};

struct KeptSessions
{
    KeepSessionsUse use = KeepSessionsUse::Off;
    QString obstacle = {};      ///< why they are wanted but not kept; else empty
    std::int64_t takenOver = 0; ///< sessions of the process before, at the start

    [[nodiscard]] bool areKept() const { return use == KeepSessionsUse::InForce; }
};

/// @p obstacle says why the service manager keeps nothing; empty: it does.
inline KeptSessions keptSessions(bool areWanted, BackendKind backend, QString obstacle)
{
    if (!areWanted)
        return {};
    if (backend == BackendKind::Qt)
        return {KeepSessionsUse::Inert, QStringLiteral("the TLS backend is Qt's own")};
    if (!obstacle.isEmpty())
        return {KeepSessionsUse::Unavailable, std::move(obstacle)};
    return {KeepSessionsUse::InForce};
}

} // namespace dtlsd
