// SPDX-License-Identifier: Apache-2.0
//
// SessionKeeper: which open sessions of a worker may stay, and for how long: by the settings in
// force, by the limits that hold for all workers, and by idleness and age. What may take long goes
// in slices of about a millisecond, and no faster than the log has room for the news.
#pragma once

#include "dtls/Handshakes.h"
#include "dtls/ServerOptions.h"
#include "dtls/SessionTable.h"
#include "dtls/SharedState.h"
#include "dtls/Sweep.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>

namespace dtlsd {

class SessionKeeper
{
public:
    using Clock = std::chrono::steady_clock;
    using Done = Sweep::Done;

    /// Ends open sessions that the keeper names, in the middle of any function that is not const.
    class Owner
    {
    public:
        virtual void end(DtlsSession &session, CloseReason reason) = 0;

    protected:
        ~Owner() = default;
    };

    /// For the worker of that number. All that is referred to outlives it.
    SessionKeeper(std::shared_ptr<const ServerSettings> settings, SharedState &shared, int worker,
                  SessionTable &sessions, Handshakes &handshakes, Owner &owner);

    /// New settings, for each session from its next record or receipt on. @p done hears how many
    /// sessions were revoked. The call before must have finished.
    void use(std::shared_ptr<const ServerSettings> settings, Done done, Clock::time_point now);

    /// A handshake begins under the settings in force.
    void admit(DtlsSession &session) const { session.generation = m_generation; }
    /// Checks a session or a handshake that has not been since the settings have changed. false: it
    /// has ended.
    [[nodiscard]] bool isAdmitted(DtlsSession &session);

    /// A pending session is open from now on.
    void open(DtlsSession &session, Clock::time_point now);
    /// Lets another session give way to @p session, which was opened, if a limit is exceeded.
    void makeRoomFor(const DtlsSession &session);
    /// A session of this worker gives way to one of another.
    void giveWay(const SharedState::IdentityClaim &claim);

    /// Ends the open sessions that @p isMeant picks, as Operator, in slices.
    void closeThose(const std::function<bool(const SessionInfo &)> &isMeant, Done done,
                    Clock::time_point now);
    /// Begins to visit all sessions, behind the sweeps that were begun before.
    void sweep(Sweep::Visit visit, Done done, Clock::time_point now);
    /// See DtlsServer::setPace().
    void setPace(std::function<bool()> hasRoom) { m_hasRoom = std::move(hasRoom); }

    /// Goes on with all that takes long, and ends the sessions whose time is over.
    void doWhatIsDue(Clock::time_point now);
    /// When there is something to do; the end of time if there is nothing.
    [[nodiscard]] Clock::time_point due(Clock::time_point now) const;

private:
    void adopt(DtlsSession &session);
    void settle(const SharedState::IdentityClaim &claim, DtlsSession *ours);
    [[nodiscard]] bool isOverLimit() const { return m_isCrowded || !m_crowded.empty(); }
    void keepToLoweredLimits(Clock::time_point now);
    [[nodiscard]] std::optional<SharedState::IdentityClaim> claimBeyondLimit();
    void expire(Clock::time_point now);
    void continueSweeps(Clock::time_point now);
    [[nodiscard]] bool mayEndSessions(Clock::time_point now);
    [[nodiscard]] Clock::time_point lifetimeDue() const;

    std::shared_ptr<const ServerSettings> m_settings;
    std::shared_ptr<const ServerSettings> m_former; // of sessions that were not checked since
    std::uint32_t m_generation = 0;                 // of m_settings
    SharedState &m_shared;
    const int m_worker;
    SessionTable &m_sessions;
    Handshakes &m_handshakes;
    Owner &m_owner;
    std::deque<Sweep> m_sweeps;
    bool m_isCrowded = false;                 // beyond max_sessions, perhaps
    std::unordered_set<QByteArray> m_crowded; // accounts beyond max_sessions_per_identity, perhaps
    std::int64_t m_revoked = 0;               // by the settings in force
    std::function<bool()> m_hasRoom;
    Clock::time_point m_waitsForRoom = Clock::time_point::max(); // since when
    Clock::time_point m_nextEnd = Clock::time_point::min();      // when sessions may end again
};

} // namespace dtlsd
