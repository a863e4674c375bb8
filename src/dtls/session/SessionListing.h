// SPDX-License-Identifier: Apache-2.0
//
// SessionListing: the sessions of one worker, for an operator, in slices of less than a
// millisecond. It holds no more than a slice or, with a limit, as many reports as that.
//
// With a limit, the only slice with reports is the last one, in the order of comesFirst(); without,
// the order is that of SessionTable::Walk.
#pragma once

#include "dtls/SessionQuery.h"
#include "dtls/TimeSource.h"
#include "dtls/session/SessionTable.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace dtlsd {

class SessionListing
{
public:
    struct Slice
    {
        std::vector<SessionReport> reports;
        std::int64_t total = 0; ///< sessions found by now, also beyond the limit
        bool isLast = false;
    };

    /// Use it in the worker's thread, while @p table and @p time exist. Its destruction may be
    /// later, and in another thread.
    SessionListing(SessionTable &table, const TimeSource &time, SessionQuery query);

    /// The next slice; without a limit it has at most @p most reports.
    [[nodiscard]] Slice next(std::size_t most);

private:
    using Clock = TimeSource::Clock;

    [[nodiscard]] Slice lastActive() const;
    void keepIfFirst(SessionReport report);
    [[nodiscard]] std::vector<SessionReport> takeFirst();

    SessionTable &m_table;
    const TimeSource &m_time;
    const SessionQuery m_query;
    const Clock::time_point m_began; // the time of m_first
    const std::shared_ptr<SessionTable::Walk> m_walk;
    std::vector<SessionReport> m_first; // with a limit: a heap, with the one that comes last on top
    std::int64_t m_total = 0;
};

} // namespace dtlsd
