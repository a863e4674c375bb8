// SPDX-License-Identifier: Apache-2.0
#include "dtls/session/SessionListing.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace dtlsd {

namespace {

constexpr int visitsAtOnce = 1024; // sessions looked at in a slice, at less than 1 µs each

SessionReport reportOn(const DtlsSession &session, AgeOrder::Clock::time_point now)
{
    const auto since = [now](AgeOrder::Clock::time_point then) {
        return std::chrono::duration_cast<std::chrono::microseconds>(now - then);
    };
    const SessionLedger &ledger = session.ledger();
    return {session.info(),
            session.state() == DtlsSession::State::Established,
            since(session.establishedAt()),
            since(session.place.touched),
            ledger.received,
            ledger.sent,
            ledger.badRecords(),
            session.kept().service()};
}

} // namespace

SessionListing::SessionListing(SessionTable &table, const TimeSource &time, SessionQuery query)
    : m_table(table)
    , m_time(time)
    , m_query(std::move(query))
    , m_began(time.now())
    , m_walk(table.walk())
{
}

SessionListing::Slice SessionListing::next(std::size_t most)
{
    if (m_query.limit > 0 && !m_query.identity)
        return lastActive();
    const Clock::time_point now = m_query.limit > 0 ? m_began : m_time.now();
    Slice slice;
    for (int i = 0; i < visitsAtOnce && slice.reports.size() < most && !slice.isLast; ++i) {
        const DtlsSession *session = SessionTable::advance(*m_walk);
        slice.isLast = session == nullptr;
        if (!session || !m_query.isMeant(session->info()))
            continue;
        ++m_total;
        if (m_query.limit > 0)
            keepIfFirst(reportOn(*session, now));
        else
            slice.reports.push_back(reportOn(*session, now));
    }
    slice.total = m_total;
    if (slice.isLast && m_query.limit > 0)
        slice.reports = takeFirst();
    return slice;
}

/// The ends of the orders have what is wanted: there is nothing to search.
SessionListing::Slice SessionListing::lastActive() const
{
    Slice slice{.reports = {}, .total = 0, .isLast = true};
    const AgeOrder &open = m_table.established();
    for (const auto *order : {&open.all(true), &open.all(false), &m_table.halfOpen().all()}) {
        slice.total += std::ssize(*order);
        auto session = order->rbegin();
        for (std::int64_t i = 0; i < m_query.limit && session != order->rend(); ++i, ++session)
            slice.reports.push_back(reportOn(**session, m_began));
    }
    std::ranges::sort(slice.reports, comesFirst);
    if (std::ssize(slice.reports) > m_query.limit)
        slice.reports.resize(static_cast<std::size_t>(m_query.limit));
    return slice;
}

void SessionListing::keepIfFirst(SessionReport report)
{
    m_first.push_back(std::move(report));
    std::ranges::push_heap(m_first, comesFirst);
    if (std::ssize(m_first) <= m_query.limit)
        return;
    std::ranges::pop_heap(m_first, comesFirst);
    m_first.pop_back();
}

std::vector<SessionReport> SessionListing::takeFirst()
{
    const auto passed =
        std::chrono::duration_cast<std::chrono::microseconds>(m_time.now() - m_began);
    std::ranges::sort_heap(m_first, comesFirst);
    for (SessionReport &report : m_first) {
        report.age += passed;
        report.idle += passed;
    }
    return std::exchange(m_first, {});
}

} // namespace dtlsd
