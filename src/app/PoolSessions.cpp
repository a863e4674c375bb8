// SPDX-License-Identifier: Apache-2.0
#include "app/PoolSessions.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace dtlsd {

namespace {

// Sessions in a part: the main thread makes lines of them, some 20 µs each, in one turn.
constexpr std::size_t partSize = 256;

} // namespace

PoolSessions::PoolSessions(WorkerPool &pool, const SessionQuery &query)
    : m_pool(pool)
    , m_listings(std::make_shared<WorkerPool::Listings>(WorkerPool::Listings{
          query, decltype(WorkerPool::Listings::ofWorker)(static_cast<std::size_t>(pool.size()))}))
    , m_limit(static_cast<std::size_t>(query.limit))
    , m_mostOfWorker(std::max<std::size_t>(partSize / m_listings->ofWorker.size(), 1))
{
}

void PoolSessions::next(Then<Result<Part>> then)
{
    if (m_isOver || !m_found.empty())
        return then(nextOfFound());
    gather(then);
}

/// Asks the workers until there is a part.
void PoolSessions::gather(const Then<Result<Part>> &then)
{
    const auto hear = [self = shared_from_this(), then](Result<Slices> slices) {
        if (!slices)
            return then(slices.error());
        self->m_total = 0;
        self->m_isOver = true;
        std::size_t worker = 0;
        for (SessionListing::Slice &slice : std::move(slices).value()) {
            self->m_total += slice.total;
            self->m_isOver = self->m_isOver && slice.isLast;
            self->take(std::move(slice.reports), worker++);
        }
        if (self->m_isOver || (self->m_limit == 0 && !self->m_found.empty()))
            return then(self->nextOfFound());
        self->gather(then);
    };
    m_pool.list(m_listings, m_mostOfWorker, hear);
}

void PoolSessions::take(std::vector<SessionReport> reports, std::size_t worker)
{
    const auto before = std::ssize(m_found);
    for (SessionReport &report : reports)
        m_found.push_back({std::move(report), worker});
    if (m_limit == 0)
        return;
    std::ranges::inplace_merge(m_found, m_found.begin() + before, comesFirst,
                               &Controllable::ListedSession::report);
    m_found.resize(std::min(m_found.size(), m_limit));
}

PoolSessions::Part PoolSessions::nextOfFound()
{
    const std::size_t size = std::min(partSize, m_found.size() - m_told);
    const auto begin = m_found.begin() + static_cast<std::ptrdiff_t>(m_told);
    Part part{.sessions = {std::make_move_iterator(begin),
                           std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(size))},
              .total = m_total,
              .isLast = false};
    m_told += size;
    const bool isAllTold = m_told == m_found.size();
    part.isLast = m_isOver && isAllTold;
    if (isAllTold) {
        m_found.clear();
        m_told = 0;
    }
    return part;
}

} // namespace dtlsd
