// SPDX-License-Identifier: Apache-2.0
//
// Reloader: puts the configuration that its source has now in force: all of it, or nothing.
//
//   load ──► bind new addresses ──► apply in each worker ──► serve new, leave old addresses
//     │ an error      │ one cannot be bound
//     └───────────────┴──► rejected: nothing has changed
#pragma once

#include "app/EventLog.h"
#include "app/WorkerPool.h"
#include "config/Config.h"

#include <functional>
#include <variant>

namespace dtlsd {

using ConfigSource = std::function<ConfigResult()>;

/// To be logged, and told to whoever asked for the reload.
using ReloadOutcome = std::variant<Reloaded, ReloadRejected>;

class Reloader
{
public:
    /// @p inForce is the configuration that @p workers have; reload() keeps it up to date.
    Reloader(ConfigSource source, Config &inForce, WorkerPool &workers);

    [[nodiscard]] ReloadOutcome reload();

private:
    const ConfigSource m_source;
    Config &m_inForce;
    WorkerPool &m_workers;
};

} // namespace dtlsd
