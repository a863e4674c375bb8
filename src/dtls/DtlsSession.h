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

#include "dtls/AgeOrder.h"
#include "dtls/Credentials.h"
#include "dtls/Events.h"
#include "dtls/HandshakeFilter.h"
#include "dtls/HelloRefusal.h"
#include "dtls/IdentityRates.h"
#include "dtls/KeyUsage.h"
#include "dtls/ReportedCount.h"
#include "dtls/SessionFilter.h"
#include "dtls/SslView.h"
#include "dtls/TimeSource.h"
#include "net/DatagramSocket.h"
#include "wire/Record.h"

#include <QByteArray>
#include <QDtls>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

class QSslConfiguration;
class QSslPreSharedKeyAuthenticator;

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
        std::uint16_t mtu = 0;             ///< bytes; for handshake flights
        QDtls::GeneratorParameters cookie; ///< parameters that verified the hello
        const TimeSource &time;            ///< outlives the session
    };

    explicit DtlsSession(const Setup &setup);

    [[nodiscard]] State state() const { return m_state; }
    /// When it was established; undefined if it never was.
    [[nodiscard]] Clock::time_point establishedAt() const { return *m_established; }
    /// Time since it was established; 0 if it never was.
    [[nodiscard]] std::chrono::microseconds lasted() const;
    [[nodiscard]] const Path &path() const { return m_info.path; }
    [[nodiscard]] const DatagramSocket &socket() const { return m_socket; }
    [[nodiscard]] const SessionInfo &info() const { return m_info; }
    /// Sets SessionInfo::source.
    void setSource(std::size_t source) { m_info.source = source; }
    /// Of the claimed identity; Known once Established.
    [[nodiscard]] const Credential &credential() const { return m_credential; }

    /// Checks the credential under new settings; @p before is the former store. false: the
    /// identity, key or address is no longer admitted.
    [[nodiscard]] bool renewCredential(const PskStore &before);

    /// Feeds the datagram of the verified hello or of its repetition, which isFrom() recognizes.
    void start(QByteArrayView hello);
    [[nodiscard]] bool isFrom(QByteArrayView clientRandom) const;
    /// Whether the peer has sent a message of this handshake since its hello.
    [[nodiscard]] bool hasAnswered() const { return m_filter.sawKeyExchange(); }
    /// Feeds a record to the handshake.
    void handshake(const Record &record);
    /// Why the handshake failed, which has ended or is given up now.
    [[nodiscard]] HandshakeFailure handshakeFailure() const;
    /// The event of a handshake that failed for @p reason.
    [[nodiscard]] HandshakeFailed handshakeFailed(HandshakeFailure reason) const;

    /// Result of decrypt().
    struct Opened
    {
        enum class Verdict {
            Refused,    ///< forged, repeated, incomplete, or not of this session
            Repetition, ///< of a flight of the finished handshake; may be forged
            Authentic
        };

        Verdict verdict = Verdict::Refused;
        QByteArray payload = {}; ///< an authentic record may be empty (RFC 5246 §6.2.1)
    };

    /// Decrypts @p record. The session may have Ended afterwards.
    [[nodiscard]] Opened decrypt(const Record &record);
    /// Why the session has ended.
    [[nodiscard]] CloseReason closeReason() const { return m_closeReason; }
    /// The event of its end, for @p reason.
    [[nodiscard]] SessionClosed closed(CloseReason reason) const;

    /// Plaintext that decrypt() has returned.
    [[nodiscard]] const Traffic &received() const { return m_received; }

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
        return plaintext.size() <= m_maximumPlaintext;
    }
    /// Encrypts and queues @p plaintext. false: not sent, because it is empty or too long, or
    /// because the session has Ended.
    bool send(const QByteArray &plaintext);
    /// Queues close_notify if Established. Ended afterwards.
    void close();

    /// Counts a forged, repeated or incomplete record. Returns an event if one is due.
    [[nodiscard]] std::optional<PeerMisbehaving> noteBadRecord();
    /// Counts a reply too long for the device. Returns an event if one is due.
    [[nodiscard]] std::optional<ReplyDropped> noteDroppedReply(const QByteArray &dropped);
    /// Events of what was counted but not reported, for the end of the session.
    [[nodiscard]] std::vector<ServerEvent> unreported() const;

    /// As of @p now.
    [[nodiscard]] SessionReport report(AgeOrder::Clock::time_point now) const;

    AgeOrder::Place place;      ///< kept by AgeOrder
    QByteArray account;         ///< PskStore::account(); kept by AgeOrder, once Established
    bool isGreetedAnew = false; ///< since it was opened, its peer has sent a hello without a cookie
    std::uint32_t generation = 0; ///< of the settings that admitted it

private:
    void advance(QByteArrayView bytes);
    void becomeEstablished();
    void provideKey(QSslPreSharedKeyAuthenticator &authenticator);
    void retransmit();
    [[nodiscard]] Opened::Verdict verdictOn(const Record &record, const QByteArray &payload) const;
    void endAfterReading();
    void closeIfKeysAreUsedUp();
    [[nodiscard]] QUdpSocket *output() { return m_socket.output(m_info.path); }

    DatagramSocket &m_socket;
    const TimeSource &m_time;
    const Credentials &m_credentials;
    SessionInfo m_info;
    Credential m_credential;
    State m_state = State::Handshaking;
    std::optional<Clock::time_point> m_established;
    HandshakeFilter m_filter;
    SessionFilter m_sessionFilter;
    QByteArray m_clientRandom;
    HelloRefusal m_refusal;
    int m_retransmissions = 0;
    KeyUsage m_keyUsage;
    qsizetype m_maximumPlaintext = Record::maximumPlaintext;
    CloseReason m_closeReason = CloseReason::Error;
    Traffic m_received;
    Traffic m_sent;
    const ReplyTemplate *m_reply = nullptr;
    std::shared_ptr<IdentityRate> m_rate;
    ReportedCount m_badRecords;
    ReportedCount m_droppedReplies;
    qsizetype m_droppedReply = 0; // size of the last one
    SslView m_ssl;
    QDtls m_dtls; // last: its slots use the others
};

} // namespace dtlsd
