// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/Names.h"

namespace dtlsd {

/// A TLS backend under QDtls; the names are those of `[tls] backend`.
enum class BackendKind {
    Dtlsd, ///< ours
    Qt     ///< Qt's own
};

inline constexpr Names<BackendKind, 2> backendNames{
    {{QLatin1StringView("dtlsd"), BackendKind::Dtlsd}, {QLatin1StringView("qt"), BackendKind::Qt}}};

/// What `[tls] connection_ids` comes to.
enum class ConnectionIdUse {
    Off,
    Inert, ///< wanted, but Qt's own backend has none
    InForce
};

constexpr ConnectionIdUse connectionIdUse(bool areWanted, BackendKind backend)
{
    if (!areWanted)
        return ConnectionIdUse::Off;
    return backend == BackendKind::Dtlsd ? ConnectionIdUse::InForce : ConnectionIdUse::Inert;
}

} // namespace dtlsd
