// SPDX-License-Identifier: Apache-2.0
//
// Events of the daemon and its log, as values. The events of a server are in dtls/Events.h.
#pragma once

#include "config/Config.h"
#include "config/ConfigChange.h"
#include "core/BackendKind.h"
#include "core/KeptSessions.h"
#include "core/SocketAddress.h"
#include "dtls/Events.h"
#include "log/LogState.h"

#include <QList>
#include <QString>

#include <chrono>
#include <cstdint>
#include <variant>

namespace dtlsd {

struct Started
{
    QString configFile; ///< empty: the embedded defaults
    QList<SocketAddress> addresses;
    int workers = 0;
    qsizetype identities = 0;
    bool isSocketActivated = false; ///< systemd has passed the sockets
    BackendKind tlsBackend = BackendKind::Qt;
    ConnectionIdUse connectionIds = ConnectionIdUse::Off;
    KeptSessions kept = {};
};

/// Sessions of the process before that could not be taken over safely. Their devices hear nothing.
struct SessionsLost
{
    std::int64_t count = 0; ///< DTLSD_COUNT; 0: not known
    QString why;            ///< DTLSD_REASON
};

struct Stopping
{
    QString reason;
    std::int64_t sessions = 0;
    bool areKept = false; ///< for the next process; else each is closed
};

struct Reloaded
{
    QString configFile; ///< empty: the embedded defaults
    ConfigChange change;
    std::int64_t revoked = 0;      ///< sessions that ended as Revoked; DTLSD_COUNT
    QList<ConfigMessage> warnings; ///< each logged as an entry of its own
};

/// The old configuration stays in force.
struct ReloadRejected
{
    ConfigMessage error;   ///< the first
    qsizetype further = 0; ///< errors beyond it
};

/// Logged, and sent to the client that asked for the reload.
using ReloadOutcome = std::variant<Reloaded, ReloadRejected>;

struct StatisticsTaken
{
    Statistics period; ///< its counters cover the period alone
    std::chrono::milliseconds length{};
};

using DaemonEvent = std::variant<Started, SessionsLost, Stopping, ConfigMessage, Reloaded,
                                 ReloadRejected, Losses, Verifiability, StatisticsTaken>;

} // namespace dtlsd
