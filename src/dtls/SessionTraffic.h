// SPDX-License-Identifier: Apache-2.0
//
// SessionTraffic: what known peers say and are told, for one worker. Their records go to a
// handshake or to a session, one by one (RFC 6347 §4.1.1), and become datagrams within the rate of
// their identity; receipts and replies go back.
#pragma once

#include "dtls/Events.h"
#include "dtls/Handshakes.h"
#include "dtls/IdentityRates.h"
#include "dtls/SessionKeeper.h"
#include "dtls/SessionTable.h"
#include "dtls/UnverifiedWatch.h"
#include "wire/Packet.h"

#include <QByteArray>
#include <QByteArrayView>

#include <chrono>
#include <span>

namespace dtlsd {

class SessionTraffic
{
public:
    using Clock = std::chrono::steady_clock;

    /// Hears of everything, in the middle of any function that is not const, and ends sessions that
    /// have ended by what they received or were sent.
    class Owner : public SessionKeeper::Owner
    {
    public:
        virtual void heard(const Datagram &datagram) = 0;
        virtual void warn(const ServerEvent &event) = 0;

    protected:
        ~Owner() = default;
    };

    /// All that is referred to outlives it.
    SessionTraffic(SessionTable &sessions, Handshakes &handshakes, SessionKeeper &keeper,
                   UnverifiedWatch &watch, Owner &owner)
        : m_sessions(sessions)
        , m_handshakes(handshakes)
        , m_keeper(keeper)
        , m_unverified(watch)
        , m_owner(owner)
    {
    }

    /// Whether datagrams are heard of: if not, nobody has to take them, and each is answered at
    /// once.
    void setHeard(bool isHeard) { m_isHeard = isHeard; }
    /// Whether a Datagram has its ciphertext.
    void setKeepCiphertext(bool keep) { m_keepsCiphertext = keep; }

    /// All that @p peer has sent in one datagram.
    void receive(SessionTable::Peer &peer, Packet packet, Clock::time_point now);
    /// Sends each reply to its session, if that is still there.
    void sendReplies(std::span<const Receipt> receipts);

    /// Says which identities were over their rate.
    void report(Clock::time_point now);
    /// When there is something to report; the end of time if there is nothing.
    [[nodiscard]] Clock::time_point due() const { return m_overRate.due(); }

    /// Its share of the server's.
    [[nodiscard]] const Statistics &statistics() const { return m_statistics; }

private:
    void receiveRecord(SessionTable::Peer &peer, const Record &record, QByteArrayView datagram,
                       Clock::time_point now);
    [[nodiscard]] bool open(DtlsSession &session, const Record &record, QByteArrayView datagram,
                            Clock::time_point now);
    void noteBadRecord(const SessionTable::Peer &peer, Clock::time_point now);
    void deliver(DtlsSession &session, const QByteArray &payload, QByteArrayView datagram,
                 Clock::time_point now);
    void answer(DtlsSession &session, const QByteArray &reply);

    SessionTable &m_sessions;
    Handshakes &m_handshakes;
    SessionKeeper &m_keeper;
    UnverifiedWatch &m_unverified;
    Owner &m_owner;
    RateReports m_overRate;
    Statistics m_statistics;
    bool m_isHeard = true;
    bool m_keepsCiphertext = false;
};

} // namespace dtlsd
