// SPDX-License-Identifier: Apache-2.0
//
// What DtlsServer has to say, as values. Wording, priority and fields are the event log's business.
#pragma once

#include "core/SocketAddress.h"
#include "wire/Alert.h"
#include "wire/CipherSuite.h"

#include <QByteArray>
#include <QByteArrayView>
#include <QString>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <variant>
#include <vector>

namespace dtlsd {

/// Random, so that it is unique across restarts; 16 hex digits in the log.
enum class SessionId : std::uint64_t {};

/// The session that 16 hex digits name, in either case; nullopt: @p text is something else.
[[nodiscard]] std::optional<SessionId> sessionIdIn(QByteArrayView text);

/// What names a session to people.
struct SessionText
{
    QByteArray id;   ///< 16 hex digits
    QByteArray peer; ///< `192.0.2.7:5683`
    QByteArray peerAddress;
    QByteArray peerPort;
    QByteArray local; ///< `192.0.2.1:22334`
};

/// Who an event is about.
struct SessionInfo
{
    SessionInfo()
        : SessionInfo(SessionId{})
    {
    }
    explicit SessionInfo(SessionId sessionId, const Path &sessionPath = {});

    /// Of id and path. Made when it is first asked for, once for all copies: not at all, where
    /// nothing of the session is logged. From any thread.
    [[nodiscard]] const SessionText &text() const;
    /// Whether the peer has said its identity, which may be the empty one. A null one is not said.
    [[nodiscard]] bool hasIdentity() const { return !identity.isNull(); }

    SessionId id{};
    Path path;
    QByteArray identity;    ///< claimed; proved once the session is open; see hasIdentity()
    QByteArray cipher;      ///< OpenSSL's name; empty before the session is open
    QByteArray protocol;    ///< `DTLSv1.2`; empty before the session is open
    std::size_t source = 0; ///< a hash of its identity's account; before that, of its network

private:
    struct LazyText
    {
        std::once_flag isMade;
        SessionText text;
    };

    std::shared_ptr<LazyText> m_text = std::make_shared<LazyText>();
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
};

/// Counts for each enumerator of a list whose last is Error.
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
};

enum class CloseReason {
    CloseNotify, ///< the peer said goodbye
    Alert,       ///< the peer ended it with an alert of another kind
    Idle,
    Replaced, ///< the peer came back with a new handshake (RFC 6347 §4.2.8)
    Revoked,
    Lifetime, ///< it has lasted as long as a session may
    Evicted,  ///< its identity had the most sessions when a limit was reached
    Shutdown,
    Operator,
    KeyUsage, ///< its keys have protected, or refused, as many records as they may
    Error     ///< the association died of what the peer sent
};

enum class HandshakeFailure {
    Timeout,        ///< the peer fell silent before it named its identity
    WrongKeyOrLoss, ///< named a known identity, and never finished
    UnknownIdentity,
    AddressNotAllowed,
    NoSharedCipher,
    NoSharedGroup, ///< a suite is shared, but no group for its key exchange
    ProtocolVersion,
    Alert, ///< the peer fell silent after a fatal alert in clear, which anybody can have written
    Limit, ///< it gave way to another one
    Error
};

/// The cookie is verified, a handshake has been started.
struct HandshakeStarted
{
    SessionInfo session;
};

struct SessionOpened
{
    SessionInfo session;
    bool withNextKey = false; ///< the device holds its `next_key` already
    std::chrono::microseconds took{};
};

struct SessionClosed
{
    SessionInfo session;
    CloseReason reason = CloseReason::Error;
    std::chrono::microseconds lasted{};
    Traffic received;
    Traffic sent;
    std::optional<Alert> alert = {}; ///< of Alert
};

struct HandshakeFailed
{
    SessionInfo session;
    HandshakeFailure reason = HandshakeFailure::Error;
    std::optional<Alert> alert = {};       ///< of Alert
    std::vector<CipherSuite> offered = {}; ///< of NoSharedCipher, as the peer prefers them
    QString ciphers = {};                  ///< likewise: `[tls] ciphers`
};

/// Records for an open session that were forged, repeated or incomplete; dropped.
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

/// Replies that were longer than the peer can take (RFC 6066 §4); not sent.
struct ReplyDropped
{
    SessionInfo session;
    std::uint64_t replies = 0; ///< since the last such event
    qsizetype size = 0;        ///< of the last of them, in bytes
    qsizetype limit = 0;       ///< what the peer can take
};

/// Datagrams from sources that have not proved themselves, by what became of them.
struct UnverifiedCounts
{
    std::uint64_t malformed = 0;      ///< no DTLS, or empty
    std::uint64_t tooLong = 0;        ///< hellos over ClientHello::maximumSize
    std::uint64_t withoutSession = 0; ///< DTLS, but for a session that is not there
    std::uint64_t unanswered = 0;     ///< hellos whose cookie never came back
    std::uint64_t overLimit = 0;      ///< of handshakes, that a limit kept out
    std::uint64_t failures = 0;       ///< failed handshakes beyond those reported singly
    std::uint64_t overflowed = 0;     ///< that the kernel dropped as the receive buffer was full

    [[nodiscard]] std::uint64_t total() const
    {
        return malformed + tooLong + withoutSession + unanswered + overLimit + failures +
               overflowed;
    }
    /// What was added since @p before.
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
    std::variant<HandshakeStarted, SessionOpened, SessionClosed, HandshakeFailed, PeerMisbehaving,
                 IdentityLimited, ReplyDropped, UnverifiedTraffic, ListenFailed>;

/// Where a reply goes, once the log has taken what it answers.
struct Receipt
{
    Path path;
    SessionId session{};
    QByteArray reply; ///< empty: none is wanted
};

/// One message of a device.
struct Datagram
{
    SessionInfo session;
    std::uint64_t sequence = 0; ///< 1, 2, … in a session
    QByteArray payload;
    QByteArray ciphertext; ///< the whole datagram as it came; empty unless wanted
    Receipt receipt;
};

/// What a server has done and holds; only ever grows, but for the two gauges at the end.
struct Statistics
{
    std::uint64_t sessionsOpened = 0;
    CountBy<CloseReason> sessionsClosed;
    CountBy<HandshakeFailure> handshakesFailed;
    Traffic received;
    Traffic sent;
    std::uint64_t repliesTooLate = 0; ///< their session had ended
    std::uint64_t repliesTooLong = 0; ///< for their device
    std::uint64_t badRecords = 0;
    std::uint64_t overRate = 0; ///< datagrams received over their identity's rate
    UnverifiedCounts unverified;
    std::int64_t sessions = 0;
    std::int64_t halfOpen = 0;

    Statistics &operator+=(const Statistics &other);
    /// What was added since @p before; the gauges as they are.
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
};

} // namespace dtlsd
