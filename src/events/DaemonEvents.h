// SPDX-License-Identifier: Apache-2.0
//
// What the daemon and its log have to say, as values; what a server has to say is in dtls/Events.h.
#pragma once

#include "config/Config.h"
#include "config/ConfigChange.h"
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
    bool isSocketActivated = false; ///< the addresses are those of sockets that systemd passed
};

struct Stopping
{
    QString reason;
    std::int64_t sessions = 0;
};

struct Reloaded
{
    QString configFile; ///< empty: the embedded defaults
    ConfigChange change;
    std::int64_t revoked = 0;      ///< sessions that ended as Revoked; DTLSD_COUNT
    QList<ConfigMessage> warnings; ///< entries of their own
};

/// The old configuration stays in force.
struct ReloadRejected
{
    ConfigMessage error;   ///< the first
    qsizetype further = 0; ///< errors beyond it
};

/// To be logged, and told to the client that asked for the reload.
using ReloadOutcome = std::variant<Reloaded, ReloadRejected>;

struct StatisticsTaken
{
    Statistics period; ///< its counters are those of the period
    std::chrono::milliseconds length{};
};

using DaemonEvent = std::variant<Started, Stopping, ConfigMessage, Reloaded, ReloadRejected, Losses,
                                 Verifiability, StatisticsTaken>;

} // namespace dtlsd
