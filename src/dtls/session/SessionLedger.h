// SPDX-License-Identifier: Apache-2.0
//
// SessionLedger: what a session counts, and the events that tell of it now and then.
#pragma once

#include "dtls/Events.h"
#include "dtls/limits/ReportedCount.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace dtlsd {

class SessionLedger
{
public:
    using Clock = std::chrono::steady_clock;

    // Each counts one more, and returns an event if one is due.
    /// A forged, repeated or incomplete record.
    [[nodiscard]] std::optional<PeerMisbehaving> noteBadRecord(const SessionInfo &session,
                                                               Clock::time_point now);
    /// A reply of @p size bytes, when the device takes @p limit.
    [[nodiscard]] std::optional<ReplyDropped> noteDroppedReply(const SessionInfo &session,
                                                               qsizetype size, qsizetype limit,
                                                               Clock::time_point now);
    /// A move from @p former.
    [[nodiscard]] std::optional<SessionMoved>
    noteMove(const SessionInfo &session, const Path &former, bool isProved, Clock::time_point now);

    /// Events of what was counted but not reported, for the end of the session.
    [[nodiscard]] std::vector<ServerEvent> unreported(const SessionInfo &session) const;
    [[nodiscard]] std::uint64_t badRecords() const { return m_badRecords.total(); }

    Traffic received;
    Traffic sent;

private:
    ReportedCount m_badRecords;
    ReportedCount m_droppedReplies;
    ReportedCount m_moves;
    qsizetype m_droppedReply = 0; // size of the last one
    qsizetype m_limit = 0;        // that it exceeded
};

} // namespace dtlsd
