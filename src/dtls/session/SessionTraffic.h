// SPDX-License-Identifier: Apache-2.0
//
// SessionTraffic: receives from and replies to known peers, for one worker. Each record goes to a
// handshake or to a session (RFC 6347 §4.1.1). Plaintext within the rate of its identity becomes a
// Datagram; receipts and replies go back.
#pragma once

#include "dtls/Events.h"
#include "dtls/handshake/Handshakes.h"
#include "dtls/limits/IdentityRates.h"
#include "dtls/limits/RateLimit.h"
#include "dtls/limits/UnverifiedWatch.h"
#include "dtls/session/SessionKeeper.h"
#include "dtls/session/SessionTable.h"
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

    /// Receives the events, from within any non-const function, and ends sessions that a record or
    /// a reply has ended.
    class Owner : public SessionKeeper::Owner
    {
    public:
        virtual void heard(const Datagram &datagram) = 0;
        virtual void warn(const ServerEvent &event) = 0;
        virtual void moved(const SessionMoved &event) = 0;

    protected:
        ~Owner() = default;
    };

    /// Everything passed by reference must outlive it.
    SessionTraffic(SessionTable &sessions, Handshakes &handshakes, SessionKeeper &keeper,
                   UnverifiedWatch &watch, Owner &owner)
        : m_sessions(sessions)
        , m_handshakes(handshakes)
        , m_keeper(keeper)
        , m_unverified(watch)
        , m_owner(owner)
    {
    }

    /// false: reply at once, without calling Owner::heard().
    void setHeard(bool isHeard) { m_isHeard = isHeard; }
    /// Whether a Datagram carries its ciphertext.
    void setKeepCiphertext(bool keep) { m_keepsCiphertext = keep; }

    /// Where a datagram came from, and to.
    struct Way
    {
        DatagramSocket &socket;
        const Path &path;
    };

    /// Handles one datagram of @p peer, record by record.
    void receive(SessionTable::Peer &peer, const Way &way, Packet packet, Clock::time_point now);
    /// Handles one datagram with the ID of @p session, record by record.
    void receive(DtlsSession &session, const Way &way, Packet packet, Clock::time_point now);
    /// See DtlsServer::send().
    Delivery send(std::span<const Outbound> datagrams);

    /// Emits an event for each identity over its rate, if one is due.
    void report(Clock::time_point now);
    /// When report() is due; Clock::time_point::max() if it is not.
    [[nodiscard]] Clock::time_point due() const { return m_overRate.due(); }

    /// Its part of the server's statistics.
    [[nodiscard]] const Statistics &statistics() const { return m_statistics; }

private:
    [[nodiscard]] static bool forEachRecord(Packet &packet, const auto &receive);
    void receiveRecord(SessionTable::Peer &peer, const Way &way, const Record &record,
                       QByteArrayView datagram, Clock::time_point now);
    void receiveRecord(DtlsSession &session, const Way &way, const Record &record,
                       QByteArrayView datagram, Clock::time_point now);
    /// Closed: the session has ended, for whatever reason.
    [[nodiscard]] AssociationState::Verdict open(DtlsSession &session, const Way &way,
                                                 const Record &record, QByteArrayView datagram,
                                                 Clock::time_point now);
    void noteBadRecord(DtlsSession *session, Clock::time_point now);
    void deliver(DtlsSession &session, const QByteArray &payload, QByteArrayView datagram,
                 Clock::time_point now);
    Delivery send(const Outbound &datagram);
    Delivery answer(DtlsSession &session, const QByteArray &reply);

    SessionTable &m_sessions;
    Handshakes &m_handshakes;
    SessionKeeper &m_keeper;
    UnverifiedWatch &m_unverified;
    Owner &m_owner;
    RateReports m_overRate;
    // By network, what strangers who have seen IDs can make us open.
    HashedRateLimits<256, 1000, 1000> m_elsewhere;
    Statistics m_statistics;
    bool m_isHeard = true;
    bool m_keepsCiphertext = false;
};

} // namespace dtlsd
