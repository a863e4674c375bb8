// SPDX-License-Identifier: Apache-2.0
//
// PoolSessions: the sessions of all workers, for the control socket. Without a limit each part is
// made when it is asked for, of a slice of each worker; with one, the first part waits until every
// worker has told its own.
#pragma once

#include "app/WorkerPool.h"
#include "control/Control.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace dtlsd {

class PoolSessions : public Controllable::Sessions,
                     public std::enable_shared_from_this<PoolSessions>
{
public:
    /// @p pool outlives its calls. Create it as a shared_ptr.
    PoolSessions(WorkerPool &pool, const SessionQuery &query);

    void next(Then<Result<Part>> then) override;

private:
    using Slices = std::vector<SessionListing::Slice>;

    void gather(const Then<Result<Part>> &then);
    void take(std::vector<SessionReport> reports, std::size_t worker);
    [[nodiscard]] Part nextOfFound();

    WorkerPool &m_pool;
    const std::shared_ptr<WorkerPool::Listings> m_listings;
    const std::size_t m_limit;                        // of the query; 0: none
    const std::size_t m_mostOfWorker;                 // reports in a slice
    std::vector<Controllable::ListedSession> m_found; // in order, at most the limit
    std::size_t m_told = 0;                           // of m_found
    std::int64_t m_total = 0;
    bool m_isOver = false; // each worker has told all
};

} // namespace dtlsd
