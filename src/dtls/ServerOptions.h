// SPDX-License-Identifier: Apache-2.0
//
// The server options that an operator sets, with the defaults as member initialisers: each struct
// is a section of the configuration file.
#pragma once

#include "core/SocketAddress.h"
#include "dtls/CipherPolicy.h"
#include "dtls/Psk.h"
#include "dtls/ReplyTemplate.h"

#include <QByteArray>

#include <chrono>
#include <cstdint>
#include <memory>

namespace dtlsd {

/// `[server]`, without its socket and thread options.
struct ReplyOptions
{
    QByteArray identityHint; ///< sent to clients when not empty (RFC 4279 §5.2)
    ReplyTemplate reply;
};

/// `[tls]`, without `min_key_bytes`, which the configuration checks.
struct TlsOptions
{
    enum class UnknownIdentity {
        Hide, ///< looks like a wrong key (RFC 4279 §2)
        Alert ///< unknown_psk_identity at once; for testers
    };

    CipherPolicy ciphers;
    std::uint16_t mtu = 1280;  ///< bytes; for handshake flights
    bool connectionIds = true; ///< for devices that ask for one (RFC 9146)
    UnknownIdentity unknownIdentity = UnknownIdentity::Hide;
};

/// `[limits]`; each holds for the whole process, not for a worker.
struct Limits
{
    std::int64_t maxSessions = 10'000;
    std::int64_t maxSessionsPerIdentity = 0; ///< by PskStore::account(); 0 = no limit
    std::int64_t maxHalfOpen = 1'000;
    std::int64_t handshakesPerSecond = 0; ///< 0 = no limit
    std::int64_t datagramsPerSecond = 0;  ///< by PskStore::account(); 0 = no limit
    std::chrono::milliseconds handshakeTimeout = std::chrono::seconds(30);
    std::chrono::milliseconds idleTimeout = std::chrono::minutes(10);
    std::chrono::milliseconds idleTimeoutWithId = std::chrono::hours(24); ///< they sleep
    std::chrono::milliseconds sessionLifetime{0};                         ///< 0 = no limit
};

/// All settings of a DtlsServer. Immutable and shared: a change makes a new object.
struct ServerSettings
{
    ReplyOptions reply;
    TlsOptions tls;
    Limits limits;
    std::uint8_t node = 0;       ///< `[server] node`: first byte of each ConnectionId
    bool keepCiphertext = false; ///< whether a Datagram carries its ciphertext
    std::shared_ptr<const PskStore> identities = std::make_shared<PskStore>();

    /// The reply to a datagram of @p identity: its own, or the general one.
    [[nodiscard]] const ReplyTemplate &replyTo(const QByteArray &identity) const;
    /// The limit of @p identity: its own, or the general one; 0 = no limit.
    [[nodiscard]] std::int64_t datagramsPerSecond(const QByteArray &identity) const;
};

} // namespace dtlsd
