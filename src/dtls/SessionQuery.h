// SPDX-License-Identifier: Apache-2.0
//
// SessionQuery: which sessions an operator wants to see.
#pragma once

#include "dtls/Events.h"

#include <QByteArray>

#include <optional>
#include <tuple>

namespace dtlsd {

struct SessionQuery
{
    /// The largest limit: a worker looks up so many sessions in a turn.
    static constexpr int maximumLimit = 1000;

    /// Of this identity only, byte for byte; a handshake may only claim it.
    std::optional<QByteArray> identity = {};
    /// So many at most, of all workers together: those that come first. 0: all.
    int limit = 0;

    [[nodiscard]] bool isMeant(const SessionInfo &info) const
    {
        return !identity || (info.hasIdentity() && info.identity == *identity);
    }
};

/// The order of a list with a limit: open sessions, then handshakes; the last active first.
inline bool comesFirst(const SessionReport &one, const SessionReport &other)
{
    return std::tie(other.isEstablished, one.idle) < std::tie(one.isEstablished, other.idle);
}

} // namespace dtlsd
