// SPDX-License-Identifier: Apache-2.0
//
// Takeover: opens the sessions again that a former process has left in stores, each with its
// number, keys, counters, times and connection ID, if the settings in force admit it; ends the
// others.
#pragma once

#include "dtls/SharedState.h"
#include "dtls/handshake/Handshakes.h"
#include "dtls/session/SessionKeeper.h"
#include "dtls/session/SessionTable.h"
#include "dtls/store/SessionStore.h"
#include "net/SocketSet.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace dtlsd {

class Takeover
{
public:
    struct Count
    {
        std::int64_t taken = 0;    ///< sessions that go on
        std::int64_t ended = 0;    ///< that said goodbye, or were replaced
        std::int64_t damaged = 0;  ///< that nobody can end safely: nothing was sealed
        std::int64_t homeless = 0; ///< whose address is not listened on any more

        friend Count operator+(const Count &one, const Count &other)
        {
            return {one.taken + other.taken, one.ended + other.ended, one.damaged + other.damaged,
                    one.homeless + other.homeless};
        }
    };

    /// Of one worker. Everything passed must outlive it.
    Takeover(const SharedState &shared, SessionTable &sessions, SocketSet &sockets,
             Handshakes &handshakes, SessionKeeper &keeper)
        : m_shared(shared)
        , m_sessions(sessions)
        , m_sockets(sockets)
        , m_handshakes(handshakes)
        , m_keeper(keeper)
    {
    }

    /// Takes @p stores, and their sessions, before the first datagram.
    Count run(std::vector<std::unique_ptr<SessionStore>> stores);

private:
    using Clock = SessionKeeper::Clock;

    [[nodiscard]] Clock::time_point timeOf(std::int64_t stored) const;
    /// nullptr: it is counted as lost.
    [[nodiscard]] DtlsSession *open(SessionSlot &slot, std::uint8_t worker);
    [[nodiscard]] DatagramSocket *socketFor(const SessionSlot &slot) const;
    [[nodiscard]] std::optional<CloseReason> endOf(const DtlsSession &session,
                                                   const SessionSlot &slot);

    const SharedState &m_shared;
    SessionTable &m_sessions;
    SocketSet &m_sockets;
    Handshakes &m_handshakes;
    SessionKeeper &m_keeper;
    Clock::time_point m_now;
    std::chrono::microseconds m_bootTime{};
    std::unordered_map<std::uint16_t, bool> m_allowed; // suites that were asked about
    Count m_count;
};

} // namespace dtlsd
