// SPDX-License-Identifier: Apache-2.0
//
// Reloader: loads the configuration from its source and puts it in force: all of it or nothing.
//
//   load ──► ask workers ──► bind new addresses ──► apply in workers ──► serve new, leave old ones
//     │ an error   │ one is silent    │ a bind fails
//     └────────────┴──────────────────┴──► rejected: nothing has changed
//
// The main thread does not wait. A request during a reload starts another reload after it; all
// requests that came in the meantime share that one.
#pragma once

#include "app/Gathering.h"
#include "app/WorkerPool.h"
#include "config/Config.h"
#include "events/EventLog.h"

#include <functional>
#include <vector>

namespace dtlsd {

using ConfigSource = std::function<ConfigResult()>;

class Reloader
{
public:
    using Hear = Then<const ReloadOutcome &>;

    /// Functions of the object that owns the configuration in force.
    struct Owner
    {
        ConfigSource load;
        /// Takes over a new configuration, which the workers already have.
        std::function<void(Config &&)> putInForce;
        /// Gets the outcome of each reload, before the callers that wait for it.
        Hear concluded;
    };

    /// @p inForce is the configuration that @p workers have.
    Reloader(Owner owner, const Config &inForce, WorkerPool &workers);

    /// Reloads now, or when the reload under way is over. @p then may be empty.
    void reload(Hear then = {});
    /// Begins no further reload: callers that wait for one are told that it was rejected. The
    /// reload under way goes on.
    void stop();

private:
    void begin();
    void bindAndApply();
    void conclude(const ReloadOutcome &outcome);
    void reject(const QString &problem);

    const Owner m_owner;
    const Config &m_inForce;
    WorkerPool &m_workers;
    bool m_isUnderWay = false;
    bool m_isStopped = false;
    ConfigResult m_loaded;       // by the reload under way
    std::vector<Hear> m_thens;   // of the reload under way
    std::vector<Hear> m_waiting; // of the next reload
};

} // namespace dtlsd
