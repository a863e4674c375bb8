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
        QDtls::GeneratorParameters cookie; ///< what the hello was verified with
        const TimeSource &time;            ///< outlives the session
    };

    explicit DtlsSession(const Setup &setup);

    [[nodiscard]] State state() const { return m_state; }
    /// When it was established; undefined if it never was.
    [[nodiscard]] Clock::time_point establishedAt() const { return *m_established; }
    /// Since it was established; 0 if it never was.
    [[nodiscard]] std::chrono::microseconds lasted() const;
    [[nodiscard]] const Path &path() const { return m_info.path; }
    [[nodiscard]] const DatagramSocket &socket() const { return m_socket; }
    [[nodiscard]] const SessionInfo &info() const { return m_info; }
    /// Whom its events are accounted to.
    void setSource(std::size_t source) { m_info.source = source; }
    /// Of the claimed identity; Known once Established.
    [[nodiscard]] const Credential &credential() const { return m_credential; }

    /// The credentials follow new settings; until now the identities were @p before. false: the
    /// identity, the key or the address that was good enough is no longer.
    [[nodiscard]] bool renewCredential(const PskStore &before);

    /// Feeds the datagram of the verified hello, or the same again. isFrom() tells which.
    void start(QByteArrayView hello);
    [[nodiscard]] bool isFrom(QByteArrayView clientRandom) const;
    /// Whether the peer has sent anything since its hello that belongs to the handshake.
    [[nodiscard]] bool hasAnswered() const { return m_filter.sawKeyExchange(); }
    /// Feeds a record to the handshake.
    void handshake(const Record &record);
    /// Why a handshake that has ended, or is given up now, did not succeed.
    [[nodiscard]] HandshakeFailure handshakeFailure() const;
    /// The event of a handshake that did not succeed, for @p reason.
    [[nodiscard]] HandshakeFailed handshakeFailed(HandshakeFailure reason) const;

    /// What a record turned out to be.
    struct Opened
    {
        enum class Verdict {
            Refused,    ///< forged, repeated, incomplete, or not of this session
            Repetition, ///< of a handshake that is over; it may be forged
            Authentic
        };

        Verdict verdict = Verdict::Refused;
        QByteArray payload = {}; ///< an authentic record may be empty (RFC 5246 §6.2.1)
    };

    /// Opens @p record. The session may have Ended.
    [[nodiscard]] Opened decrypt(const Record &record);
    /// Why a session has ended.
    [[nodiscard]] CloseReason closeReason() const { return m_closeReason; }
    /// The event of its end, for @p reason.
    [[nodiscard]] SessionClosed closed(CloseReason reason) const;

    /// What decrypt() has opened.
    [[nodiscard]] const Traffic &received() const { return m_received; }

    /// What the settings in force say of its identity, so that a datagram need not look for it.
    /// @p reply is the settings', @p rate may be none.
    void follow(const ReplyTemplate &reply, std::shared_ptr<IdentityRate> rate)
    {
        m_reply = &reply;
        m_rate = std::move(rate);
    }
    /// Of its identity; nullptr: no limit.
    [[nodiscard]] const std::shared_ptr<IdentityRate> &rate() const { return m_rate; }
    /// What answers @p payload, the last one received; once it follows settings.
    [[nodiscard]] QByteArray replyTo(const QByteArray &payload) const;
    /// Whether the device can take as much as that in one record (RFC 6066 §4).
    [[nodiscard]] bool takes(const QByteArray &plaintext) const
    {
        return plaintext.size() <= m_maximumPlaintext;
    }
    /// Encrypts @p plaintext, which it takes, and queues it. false: not sent, as it is empty or too
    /// long; or the session has Ended.
    bool send(const QByteArray &plaintext);
    /// Queues close_notify if Established. Ended afterwards.
    void close();

    /// Counts a record that is forged, repeated or incomplete. An event when it is time for one.
    [[nodiscard]] std::optional<PeerMisbehaving> noteBadRecord();
    /// The same of a reply that it does not take.
    [[nodiscard]] std::optional<ReplyDropped> noteDroppedReply(const QByteArray &dropped);
    /// What was counted and not reported, each of them at the end.
    [[nodiscard]] std::vector<ServerEvent> unreported() const;

    /// As of @p now.
    [[nodiscard]] SessionReport report(AgeOrder::Clock::time_point now) const;

    AgeOrder::Place place;      ///< kept by AgeOrder
    QByteArray account;         ///< PskStore::account(); kept by AgeOrder, once Established
    bool isGreetedAnew = false; ///< since it was opened, its peer has sent a hello without a cookie
    std::uint32_t generation = 0; ///< of the settings that have admitted it

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
