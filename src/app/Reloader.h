// SPDX-License-Identifier: Apache-2.0
//
// Reloader: puts the configuration that its source has now in force: all of it, or nothing.
//
//   load ──► ask workers ──► bind new addresses ──► apply in workers ──► serve new, leave old ones
//     │ an error   │ one is silent    │ one cannot be bound
//     └────────────┴──────────────────┴──► rejected: nothing has changed
//
// The main thread goes on meanwhile. A reload that is asked for during another one begins when
// that one is over, and all that wait for it share it.
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

    /// Of whoever has the configuration in force.
    struct Owner
    {
        ConfigSource load;
        /// A new one, which the workers have.
        std::function<void(Config &&)> putInForce;
        /// Hears of each reload, before the callers that wait for it.
        Hear concluded;
    };

    /// @p inForce is the configuration that @p workers have.
    Reloader(Owner owner, const Config &inForce, WorkerPool &workers);

    /// Reloads now, or when the reload under way is over. @p then may be empty.
    void reload(Hear then = {});
    /// Begins no further reload: the callers that wait for one hear that it was rejected. The one
    /// under way goes on.
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
    std::vector<Hear> m_thens;   // of the same
    std::vector<Hear> m_waiting; // for the next
};

} // namespace dtlsd
