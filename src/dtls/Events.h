// SPDX-License-Identifier: Apache-2.0
//
// The events of DtlsServer, as values. The event log decides on wording, priority and fields.
#pragma once

#include "core/SocketAddress.h"
#include "wire/Alert.h"
#include "wire/CipherSuite.h"
#include "wire/ConnectionId.h"

#include <QByteArray>
#include <QByteArrayView>
#include <QString>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <variant>
#include <vector>

namespace dtlsd {

/// Random, hence unique across restarts; 16 hex digits in the log.
enum class SessionId : std::uint64_t {};

/// Parses 16 hex digits in either case; nullopt for any other text.
[[nodiscard]] std::optional<SessionId> sessionIdIn(QByteArrayView text);

/// Finds a session again, which may have moved or ended meanwhile.
struct SessionHandle
{
    SessionId id{};
    Path path;
    std::optional<ConnectionId> connectionId = {};
};

/// A datagram for a device.
struct Outbound
{
    SessionHandle session;
    QByteArray payload;
};

/// What becomes of an Outbound.
enum class Delivery {
    Sent,
    Failed,  ///< it is empty, or the session has ended
    TooLong, ///< for the device (RFC 6066 §4)
    Unearned ///< by the path that the device has moved to; see Whereabouts
};

/// The session that an event is about.
struct SessionInfo
{
    /// Of every session.
    static constexpr char protocol[] = "DTLSv1.2";

    /// 16 hex digits
    [[nodiscard]] QByteArray idText() const;
    [[nodiscard]] bool isOpen() const { return cipher != CipherSuite(); }
    /// Whether the peer has sent its identity, which may be empty. A null one was not sent.
    [[nodiscard]] bool hasIdentity() const { return !identity.isNull(); }
    [[nodiscard]] SessionHandle handle() const { return {id, path, connectionId}; }

    SessionId id{};
    Path path;
    QByteArray identity = {}; ///< claimed; proved once the session is open; see hasIdentity()
    CipherSuite cipher = {};  ///< 0 before the session is open
    std::size_t source = 0;   ///< hash of the identity's account; before that, of the network
    std::optional<ConnectionId> connectionId = {}; ///< of an open session, if its peer has asked
};

struct Traffic
{
    std::uint64_t datagrams = 0;
    std::uint64_t bytes = 0; ///< of plaintext

    Traffic &operator+=(QByteArrayView message)
    {
        ++datagrams;
        bytes += static_cast<std::uint64_t>(message.size());
        return *this;
    }
    Traffic &operator+=(const Traffic &other)
    {
        datagrams += other.datagrams;
        bytes += other.bytes;
        return *this;
    }
};

/// A count for each enumerator; the last enumerator must be Error.
template <class Enum>
struct CountBy
{
    std::array<std::uint64_t, static_cast<std::size_t>(Enum::Error) + 1> counts{};

    std::uint64_t &operator[](Enum value) { return counts[static_cast<std::size_t>(value)]; }
    std::uint64_t operator[](Enum value) const { return counts[static_cast<std::size_t>(value)]; }
    [[nodiscard]] std::uint64_t total() const
    {
        return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    }
    CountBy &operator+=(const CountBy &other)
    {
        std::ranges::transform(counts, other.counts, counts.begin(), std::plus());
        return *this;
    }
};

enum class CloseReason {
    CloseNotify, ///< the peer closed it
    Alert,       ///< the peer ended it with another alert
    Idle,
    Replaced, ///< the peer came back with a new handshake (RFC 6347 §4.2.8)
    Revoked,
    Lifetime, ///< it reached `session_lifetime`
    Evicted,  ///< its identity had the most sessions when a limit was reached
    Shutdown,
    Operator,
    KeyUsage, ///< its keys reached a limit of use (RFC 9325 §4.4)
    Error     ///< the TLS stack ended it
};

enum class HandshakeFailure {
    Timeout,        ///< the peer fell silent before it sent its identity
    WrongKeyOrLoss, ///< the identity is known, but the handshake never finished
    UnknownIdentity,
    AddressNotAllowed,
    NoSharedCipher,
    NoSharedGroup, ///< a suite is shared, but no group for its key exchange
    ProtocolVersion,
    Alert, ///< the peer fell silent after an unencrypted fatal alert, which may be forged
    Limit, ///< evicted for another handshake
    Error
};

/// The cookie was valid and the handshake has begun.
struct HandshakeStarted
{
    SessionInfo session;
};

struct SessionOpened
{
    SessionInfo session;
    bool withNextKey = false; ///< the device already uses its `next_key`
    std::chrono::microseconds took{};
};

/// The peer has proved itself at another address (RFC 9146 §6).
struct SessionMoved
{
    SessionInfo session;
    SocketAddress former;
    bool isProved = false;   ///< whether the new path is; see Whereabouts
    std::uint64_t moves = 0; ///< since the last such event
};

struct SessionClosed
{
    SessionInfo session;
    CloseReason reason = CloseReason::Error;
    std::chrono::microseconds lasted{};
    Traffic received;
    Traffic sent;
    std::optional<Alert> alert = {}; ///< if the reason is Alert
};

struct HandshakeFailed
{
    SessionInfo session;
    HandshakeFailure reason = HandshakeFailure::Error;
    std::optional<Alert> alert = {};       ///< if the reason is Alert
    std::vector<CipherSuite> offered = {}; ///< if it is NoSharedCipher, in the peer's order
    QString ciphers = {};                  ///< likewise: `[tls] ciphers`
};

/// Forged, repeated or incomplete records of an open session; they were dropped.
struct PeerMisbehaving
{
    SessionInfo session;
    std::uint64_t badRecords = 0; ///< since the last such event
};

/// Datagrams of an identity over its rate; neither logged nor answered.
struct IdentityLimited
{
    QByteArray account; ///< PskStore::account()
    std::int64_t perSecond = 0;
    std::uint64_t datagrams = 0; ///< since the last such event
};

/// Replies longer than the peer can take (RFC 6066 §4); not sent.
struct ReplyDropped
{
    SessionInfo session;
    std::uint64_t replies = 0; ///< since the last such event
    qsizetype size = 0;        ///< of the last one, in bytes
    qsizetype limit = 0;       ///< of the peer, in bytes
};

/// Datagrams from unproved sources, by outcome.
struct UnverifiedCounts
{
    std::uint64_t malformed = 0;      ///< not DTLS, empty or incomplete
    std::uint64_t tooLong = 0;        ///< hellos over ClientHello::maximumSize
    std::uint64_t withoutSession = 0; ///< DTLS, but of no session
    std::uint64_t unanswered = 0;     ///< hellos whose cookie never came back
    std::uint64_t overLimit = 0;      ///< handshake datagrams rejected at a limit
    /// With the connection ID of a session, but not from its path: forged, not allowed there, or
    /// too many.
    std::uint64_t elsewhere = 0;
    std::uint64_t failures = 0;   ///< failed handshakes not reported singly
    std::uint64_t overflowed = 0; ///< dropped by the kernel: the receive buffer was full

    [[nodiscard]] std::uint64_t total() const
    {
        return malformed + tooLong + withoutSession + unanswered + overLimit + elsewhere +
               failures + overflowed;
    }
    /// The increase since @p before.
    [[nodiscard]] UnverifiedCounts since(const UnverifiedCounts &before) const;
};

struct UnverifiedTraffic : UnverifiedCounts
{
    std::chrono::milliseconds period{};
};

struct ListenFailed
{
    SocketAddress address;
    QString reason;
};

using ServerEvent =
    std::variant<HandshakeStarted, SessionOpened, SessionMoved, SessionClosed, HandshakeFailed,
                 PeerMisbehaving, IdentityLimited, ReplyDropped, UnverifiedTraffic, ListenFailed>;

/// One decrypted datagram of a device.
struct Datagram
{
    SessionInfo session;
    std::uint64_t sequence = 0; ///< 1, 2, … in a session
    QByteArray payload;
    QByteArray ciphertext; ///< the whole datagram as received; empty unless wanted
    QByteArray reply;      ///< to be sent once the log has it; empty: none

    [[nodiscard]] Outbound answer() const { return {session.handle(), reply}; }
};

/// The counters of a server, which only grow, and two gauges at the end.
struct Statistics
{
    std::uint64_t sessionsOpened = 0;
    CountBy<CloseReason> sessionsClosed;
    CountBy<HandshakeFailure> handshakesFailed;
    Traffic received;
    Traffic sent;
    std::uint64_t repliesTooLate = 0;  ///< the session had ended
    std::uint64_t repliesTooLong = 0;  ///< for the device
    std::uint64_t repliesUnearned = 0; ///< by the path that the device has moved to
    std::uint64_t badRecords = 0;
    std::uint64_t overRate = 0; ///< datagrams received over their identity's rate
    UnverifiedCounts unverified;
    std::int64_t sessions = 0;
    std::int64_t halfOpen = 0;

    Statistics &operator+=(const Statistics &other);
    /// The increase since @p before; the gauges as they are.
    [[nodiscard]] Statistics since(const Statistics &before) const;
};

/// What a server tells about one of its sessions when it is asked.
struct SessionReport
{
    SessionInfo info;
    bool isEstablished = false;       ///< or its handshake is under way
    std::chrono::microseconds age{};  ///< since it was established, or its handshake began
    std::chrono::microseconds idle{}; ///< since it was last heard of
    Traffic received;
    Traffic sent;
    std::uint64_t badRecords = 0; ///< forged, repeated or incomplete
    std::uint64_t service = 0;    ///< KeptState::service()
};

} // namespace dtlsd
