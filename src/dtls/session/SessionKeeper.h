// SPDX-License-Identifier: Apache-2.0
//
// SessionKeeper: which open sessions of a worker may stay, and for how long: by the settings in
// force, the limits of all workers together, idle timeout and lifetime. Long work runs in slices of
// about a millisecond, and no faster than the log can record it.
#pragma once

#include "dtls/ServerOptions.h"
#include "dtls/SharedState.h"
#include "dtls/Sweep.h"
#include "dtls/handshake/Handshakes.h"
#include "dtls/session/SessionTable.h"

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

    /// Ends open sessions for the keeper, from within any non-const function.
    class Owner
    {
    public:
        virtual void end(DtlsSession &session, CloseReason reason) = 0;

    protected:
        ~Owner() = default;
    };

    /// For worker number @p worker. Everything passed by reference must outlive it.
    SessionKeeper(std::shared_ptr<const ServerSettings> settings, SharedState &shared, int worker,
                  SessionTable &sessions, Handshakes &handshakes, Owner &owner);

    /// New settings, for each session from its next record or receipt on. @p done gets the number
    /// of sessions revoked. The previous call must have finished.
    void use(std::shared_ptr<const ServerSettings> settings, Done done, Clock::time_point now);

    /// Marks a new handshake as admitted by the settings in force.
    void admit(DtlsSession &session) const { session.generation = m_generation; }
    /// Checks a session or a handshake, once after each change of settings. false: it has ended.
    [[nodiscard]] bool isAdmitted(DtlsSession &session);

    /// Ends the sessions that the device of @p session, which has completed its handshake, had
    /// before it came back to its path: an ordinary one cannot be found any more, and those with
    /// IDs are the device's if it is the same identity.
    void replaceFormerOf(const DtlsSession &session);
    /// Opens a pending session.
    void open(DtlsSession &session, Clock::time_point now);
    /// Opens a session that a former process has left; the peer must have no other, unless it has
    /// an ID.
    DtlsSession &openAgain(std::unique_ptr<DtlsSession> session);
    /// Waits until the log has room for the end of @p session, for a second at most.
    void endWhenThereIsRoom(DtlsSession &session, CloseReason reason);
    /// Evicts another session if @p session, just opened, exceeds a limit.
    void makeRoomFor(const DtlsSession &session);
    /// Evicts a session that another worker has claimed.
    void giveWay(const SharedState::IdentityClaim &claim);

    /// Ends the open sessions that @p isMeant selects, as Operator, in slices.
    void closeThose(const std::function<bool(const SessionInfo &)> &isMeant, Done done,
                    Clock::time_point now);
    /// Begins to visit all sessions, after the sweeps that were begun before.
    void sweep(Sweep::Visit visit, Done done, Clock::time_point now);
    /// See DtlsServer::setPace().
    void setPace(std::function<bool()> hasRoom) { m_hasRoom = std::move(hasRoom); }

    /// Continues the sweeps, and ends sessions over a timeout or a lowered limit.
    void doWhatIsDue(Clock::time_point now);
    /// When there is something to do; Clock::time_point::max() if nothing.
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
    [[nodiscard]] Clock::time_point idleDue(bool withId) const;
    [[nodiscard]] Clock::time_point lifetimeDue() const;

    std::shared_ptr<const ServerSettings> m_settings;
    std::shared_ptr<const ServerSettings> m_former; // of sessions not checked since
    std::uint32_t m_generation = 0;                 // of m_settings
    SharedState &m_shared;
    const int m_worker;
    SessionTable &m_sessions;
    Handshakes &m_handshakes;
    Owner &m_owner;
    std::deque<Sweep> m_sweeps;
    bool m_isCrowded = false;                 // perhaps over max_sessions
    std::unordered_set<QByteArray> m_crowded; // accounts perhaps over max_sessions_per_identity
    std::int64_t m_revoked = 0;               // by the settings in force
    std::function<bool()> m_hasRoom;
    Clock::time_point m_waitsForRoom = Clock::time_point::max(); // since when
    Clock::time_point m_nextEnd = Clock::time_point::min();      // when sessions may end again
};

} // namespace dtlsd
