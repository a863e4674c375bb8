// SPDX-License-Identifier: Apache-2.0
//
// DtlsSession: one DTLS association with one peer, from its verified ClientHello to its end:
// records in, plaintext out. It wraps a QDtls so that nothing a peer sends can lose a message, leak
// into another association or leave a dead one behind. It never deletes itself and never logs.
//
// clang-format off
//                start(hello)       handshake(record)          decrypt(record)             close()
//   Handshaking  answers; again,    filtered, then QDtls:      -                           Ended
//                if it is repeated  complete -> Established
//                                   fatal -> Ended
//   Established  -                  -                          authentic, or dropped       close_notify,
//                                                              close_notify, fatal: Ended  Ended
//   Ended        -                  -                          -                           -
// clang-format on
#pragma once

#include "dtls/Events.h"
#include "dtls/TimeSource.h"
#include "dtls/handshake/Beginning.h"
#include "dtls/handshake/Credentials.h"
#include "dtls/limits/AgeOrder.h"
#include "dtls/limits/IdentityRates.h"
#include "dtls/session/SessionLedger.h"
#include "dtls/session/SslRecords.h"
#include "dtls/session/Whereabouts.h"
#include "dtls/store/SessionMemory.h"
#include "net/DatagramSocket.h"
#include "wire/AssociationState.h"
#include "wire/Record.h"
#include "wire/SuiteLimits.h"

#include <QByteArray>
#include <QDtls>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

class QSslConfiguration;

namespace dtlsd {

class DtlsSession
{
public:
    using Clock = TimeSource::Clock;

    enum class State { Handshaking, Established, Ended };

    struct Setup
    {
        SessionId id{};
        Path path;
        DatagramSocket &socket;         ///< outlives the session
        const Credentials &credentials; ///< outlives the session
        const QSslConfiguration &configuration;
        std::uint16_t mtu = 0;                  ///< bytes; for handshake flights
        QDtls::GeneratorParameters cookie = {}; ///< parameters that verified the hello
        const TimeSource &time;                 ///< outlives the session
        SessionMemory &memory;                  ///< outlives the session; for its keys
        bool hasOwnBackend = false; ///< ours is under QDtls, and takes the AssociationState
        std::optional<ConnectionId> connectionId = {}; ///< for a peer that asks; with our backend
    };

    explicit DtlsSession(const Setup &setup);

    /// What a former process has left of a session.
    struct Left
    {
        const SessionSlot &slot;
        Credential credential; ///< without a key
        Clock::time_point established;
        Clock::time_point touched; ///< see AgeOrder::Place
    };
    /// Takes a session over, with the @p association of its slot: it is Established or, if OpenSSL
    /// fails, Ended. @p setup has its id and its path.
    DtlsSession(const Setup &setup, KeptState association, const Left &left);

    [[nodiscard]] State state() const { return m_state; }
    /// When it was established; before that, when its handshake began.
    [[nodiscard]] Clock::time_point establishedAt() const
    {
        return m_established.value_or(place.touched);
    }
    /// Time since it was established; 0 if it never was.
    [[nodiscard]] std::chrono::microseconds lasted() const;
    [[nodiscard]] const Path &path() const { return m_info.path; }
    [[nodiscard]] const DatagramSocket &socket() const { return m_whereabouts.socket(); }
    [[nodiscard]] const SessionInfo &info() const { return m_info; }
    /// Sets SessionInfo::source.
    void setSource(std::size_t source) { m_info.source = source; }
    /// Of the claimed identity; Known once Established.
    [[nodiscard]] const Credential &credential() const { return m_credential; }

    /// Checks the credential under new settings; @p before is the former store. false: the
    /// identity, key or address is no longer admitted.
    [[nodiscard]] bool renewCredential(const PskStore &before);

    /// Feeds the datagram of the verified hello or of its repetition, which isFrom() recognizes.
    void start(QByteArrayView datagram);
    [[nodiscard]] bool isFrom(QByteArrayView clientRandom) const;
    /// Whether the peer has sent a message of this handshake since its hello.
    [[nodiscard]] bool hasAnswered() const;
    /// Feeds a record to the handshake.
    void handshake(const Record &record);
    /// Why the handshake failed, which has ended or is given up now.
    [[nodiscard]] HandshakeFailure handshakeFailure() const
    {
        return m_beginning->failure(m_state == State::Handshaking);
    }
    /// The event of a handshake that failed for @p reason.
    [[nodiscard]] HandshakeFailed handshakeFailed(HandshakeFailure reason) const
    {
        return m_beginning->failed(reason);
    }

    /// Result of decrypt().
    struct Opened
    {
        AssociationState::Verdict verdict = AssociationState::Verdict::Refused;
        QByteArray payload = {};         ///< an authentic record may be empty (RFC 5246 §6.2.1)
        std::optional<Path> former = {}; ///< the session's path, if it has moved
    };

    /// Decrypts @p record, which came along @p path to @p socket. If the session has an ID, and the
    /// record is authentic and newer than any before, the session moves there (RFC 9146 §6). It may
    /// have Ended afterwards.
    [[nodiscard]] Opened decrypt(const Record &record, DatagramSocket &socket, const Path &path);
    /// Whether a record that came along @p path, which is not the session's, may be decrypted.
    /// @p network is a hash of the sender's.
    [[nodiscard]] bool mayComeAlong(const Path &path, std::size_t network);
    /// It was authentic: only others count.
    void cameAlong(const Path &path, std::size_t network)
    {
        m_whereabouts.giveBackTry(path, network);
    }
    /// Whether @p record has the session's ID.
    [[nodiscard]] bool isMeantBy(const Record &record) const
    {
        return record.hasId() && m_association->isFormOf(record);
    }
    /// The event of a move from @p former, if one is due.
    [[nodiscard]] std::optional<SessionMoved> moved(const Path &former)
    {
        return m_ledger.noteMove(m_info, former, m_whereabouts.isProved(m_info.path), m_time.now());
    }
    /// Why the session has ended.
    [[nodiscard]] CloseReason closeReason() const { return m_closeReason; }
    /// The event of its end, for @p reason.
    [[nodiscard]] SessionClosed closed(CloseReason reason) const;

    [[nodiscard]] const SessionLedger &ledger() const { return m_ledger; }
    [[nodiscard]] KeptState &kept() { return m_association; }
    [[nodiscard]] const KeptState &kept() const { return m_association; }

    /// Keeps what the settings say of its identity, so that a datagram needs no lookup. @p reply
    /// belongs to the settings, @p rate may be null.
    void follow(const ReplyTemplate &reply, std::shared_ptr<IdentityRate> rate)
    {
        m_reply = &reply;
        m_rate = std::move(rate);
    }
    /// The limit of its identity; nullptr: no limit.
    [[nodiscard]] const std::shared_ptr<IdentityRate> &rate() const { return m_rate; }
    /// The reply to @p payload, the last one received. Requires follow().
    [[nodiscard]] QByteArray replyTo(const QByteArray &payload) const;
    /// Whether the device accepts that much in one record (RFC 6066 §4).
    [[nodiscard]] bool takes(const QByteArray &plaintext) const
    {
        return plaintext.size() <= m_association->maximumPlaintext;
    }
    /// Encrypts and queues @p plaintext.
    Delivery send(const QByteArray &plaintext);
    /// Queues close_notify if Established. Ended afterwards.
    void close();

    /// Counts a forged, repeated or incomplete record. Returns an event if one is due.
    [[nodiscard]] std::optional<PeerMisbehaving> noteBadRecord()
    {
        return m_ledger.noteBadRecord(m_info, m_time.now());
    }
    /// Counts a reply too long for the device. Returns an event if one is due.
    [[nodiscard]] std::optional<ReplyDropped> noteDroppedReply(const QByteArray &dropped)
    {
        return m_ledger.noteDroppedReply(m_info, dropped.size(), m_association->maximumPlaintext,
                                         m_time.now());
    }

    AgeOrder::Place place;      ///< kept by AgeOrder
    QByteArray account;         ///< PskStore::account(); kept by AgeOrder, once Established
    bool isGreetedAnew = false; ///< since it was opened, its peer has sent a hello without a cookie
    std::uint32_t generation = 0; ///< of the settings that admitted it

private:
    DtlsSession(const Setup &setup, KeptState association);

    void take(Beginning::Progress progress);
    void becomeEstablished(Clock::time_point since);
    void closeIfKeysAreUsedUp();
    void sendRoutability(const QByteArray &message);
    [[nodiscard]] static std::optional<CloseReason> endOf(AssociationState::Verdict verdict);

    const TimeSource &m_time;
    const Credentials &m_credentials;
    SessionInfo m_info;
    std::size_t m_clientRandom = 0; // hash of it
    Credential m_credential;
    State m_state = State::Handshaking;
    CloseReason m_closeReason = CloseReason::Error;
    std::optional<Clock::time_point> m_established;
    std::unique_ptr<SslRecords> m_sslRecords; // once Established, if the SSL still exists
    const SuiteLimits *m_limits = nullptr;    // once Established
    Whereabouts m_whereabouts;                // their path is that of m_info
    SessionLedger m_ledger;
    const ReplyTemplate *m_reply = nullptr;
    std::shared_ptr<IdentityRate> m_rate;
    KeptState m_association;
    QDtls m_dtls;
    std::unique_ptr<Beginning> m_beginning; // null once Established; it uses the others
};

} // namespace dtlsd
