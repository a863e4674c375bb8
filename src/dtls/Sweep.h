// SPDX-License-Identifier: Apache-2.0
//
// Sweep: one pass over all sessions and handshakes of a worker, in slices, so that datagrams do not
// wait however many sessions there are.
#pragma once

#include "dtls/session/SessionTable.h"

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace dtlsd {

class Sweep
{
public:
    /// The budget of a slice, about a millisecond: a session that ends costs costOfEnd, one that
    /// stays costs 1, and each look at the table costs 1.
    static constexpr int budget = 1024;
    static constexpr int costOfEnd = 48;

    /// Visits a session, and may end it. true: it has.
    using Visit = std::function<bool(DtlsSession &)>;
    /// Called when the sweep is over, with the number of sessions it has ended.
    using Done = std::function<void(std::int64_t)>;

    Sweep(Visit visit, Done done)
        : m_visit(std::move(visit))
        , m_done(std::move(done))
    {
    }

    /// Visits sessions of @p table until the budget is used up. A session that lives through all
    /// slices is visited at least once. true: the sweep is over.
    [[nodiscard]] bool advance(SessionTable &table)
    {
        for (int spent = 0; spent < budget; ++spent) {
            const bool isMore = table.next(m_cursor, m_sessions);
            for (DtlsSession *session : m_sessions) {
                if (!session->place.isIn)
                    continue; // another visit has ended it
                const bool hasEnded = m_visit(*session);
                m_ended += hasEnded ? 1 : 0;
                spent += hasEnded ? costOfEnd : 1;
            }
            if (!isMore)
                return true;
        }
        return false;
    }
    void finish() const
    {
        if (m_done)
            m_done(m_ended);
    }

private:
    Visit m_visit;
    Done m_done;
    SessionTable::Cursor m_cursor;
    std::vector<DtlsSession *> m_sessions; // of the current look at the table
    std::int64_t m_ended = 0;
};

} // namespace dtlsd
