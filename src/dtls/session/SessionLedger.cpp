// SPDX-License-Identifier: Apache-2.0
#include "dtls/session/SessionLedger.h"

namespace dtlsd {

std::optional<PeerMisbehaving> SessionLedger::noteBadRecord(const SessionInfo &session,
                                                            Clock::time_point now)
{
    const auto count = m_badRecords.note(now);
    return count ? std::optional(PeerMisbehaving{session, *count}) : std::nullopt;
}

std::optional<ReplyDropped> SessionLedger::noteDroppedReply(const SessionInfo &session,
                                                            qsizetype size, qsizetype limit,
                                                            Clock::time_point now)
{
    m_droppedReply = size;
    m_limit = limit;
    const auto count = m_droppedReplies.note(now);
    return count ? std::optional(ReplyDropped{session, *count, size, limit}) : std::nullopt;
}

std::optional<SessionMoved> SessionLedger::noteMove(const SessionInfo &session, const Path &former,
                                                    bool isProved, Clock::time_point now)
{
    const auto count = m_moves.note(now);
    return count ? std::optional(SessionMoved{session, former.peer, isProved, *count})
                 : std::nullopt;
}

std::vector<ServerEvent> SessionLedger::unreported(const SessionInfo &session) const
{
    std::vector<ServerEvent> events;
    if (const std::uint64_t count = m_badRecords.unreported())
        events.emplace_back(PeerMisbehaving{session, count});
    if (const std::uint64_t count = m_droppedReplies.unreported())
        events.emplace_back(ReplyDropped{session, count, m_droppedReply, m_limit});
    return events;
}

} // namespace dtlsd
