// SPDX-License-Identifier: Apache-2.0
//
// Credentials: picks the key for the identity that a handshake claims. An identity that is unknown,
// or not allowed from the peer's address, gets a key that nobody holds, so that on the wire it
// looks like a wrong key (RFC 4279 §2).
#pragma once

#include "core/HmacSha256.h"
#include "core/SocketAddress.h"
#include "dtls/Psk.h"
#include "dtls/ServerOptions.h"
#include "dtls/store/SessionSlot.h"

#include <QByteArray>

#include <mutex>
#include <unordered_map>

namespace dtlsd {

/// Picks which of an identity's two keys a handshake tries during a key rotation: it can try only
/// one. Shared by the workers; asked only for identities with a `next_key`.
///
/// The key that last opened a session from the peer's network comes first, or `key` if none has.
/// Only a holder of a key can change that. A failed handshake proves nothing about other peers, so
/// only its own address and port try the other key next. Until the next success the rest of the
/// network tries the other key in one handshake of four (of two, if none has opened a session),
/// chosen at random so that nobody can steer it.
///
/// A device that keeps its port gets in with its second handshake at the latest. One with a new
/// port each time usually needs one handshake; 1.3 on average with others failing beside it; once
/// it has changed to the other key, five on average (three, if no session was opened).
class KeyRotation
{
public:
    /// Whether a handshake with @p peer is to be tried with `next_key`.
    [[nodiscard]] bool triesNext(const QByteArray &identity, const SocketAddress &peer);
    /// Records a handshake with @p peer that tried `next_key` (if @p next) or `key`.
    void noteSuccess(const QByteArray &identity, const SocketAddress &peer, bool next);
    void noteFailure(const QByteArray &identity, const SocketAddress &peer, bool next);
    /// Forgets what was learned of identities whose keys differ between @p before and @p after.
    void forgetChanged(const PskStore &before, const PskStore &after);

private:
    // Enough for a rotation; to begin again from empty costs a device a few handshakes.
    static constexpr std::size_t capacity = 100'000;

    struct Key
    {
        QByteArray identity;
        SocketAddress from; ///< a peer, or a network
        friend bool operator==(const Key &, const Key &) = default;
    };
    struct Hash
    {
        std::size_t operator()(const Key &key) const noexcept;
    };
    using KeyTried = std::unordered_map<Key, bool, Hash>; // true: `next_key`

    std::mutex m_mutex; // guards the maps
    KeyTried m_opened;  // by network: the key of the last session
    KeyTried m_failed;  // since then, by peer and by network: the key of the last handshake
};

/// See SessionSlot.
[[nodiscard]] SessionSlot::KeyMark markOf(const PskKey &key, SessionId session);

struct Credential
{
    enum class Verdict {
        Known,
        UnknownIdentity,
        AddressNotAllowed,
        KeyGone ///< it was Known; the new settings have other keys
    };

    Verdict verdict = Verdict::UnknownIdentity;
    PskKey key; ///< empty: the handshake must end with unknown_psk_identity
    bool isNextKey = false;
};

class Credentials
{
public:
    /// @p decoySecret, at least 32 bytes, yields the keys that nobody holds. Throws
    /// std::runtime_error if OpenSSL has no HMAC with SHA-256.
    Credentials(std::shared_ptr<const ServerSettings> settings, KeyRotation &rotation,
                const QByteArray &decoySecret);

    /// Switches to new settings.
    void use(std::shared_ptr<const ServerSettings> settings) { m_settings = std::move(settings); }

    /// The settings in force.
    [[nodiscard]] const ServerSettings &settings() const { return *m_settings; }

    [[nodiscard]] Credential find(const QByteArray &identity, const SocketAddress &peer) const;
    /// Whether a session of @p identity, which exists, may go on at @p peer.
    [[nodiscard]] bool admits(const QByteArray &identity, const SocketAddress &peer) const
    {
        const PskIdentity *known = m_settings->identities->find(identity);
        return known && known->allows(peer);
    }
    /// Checks a Known @p credential again; @p before is the store it came from. It stays Known if
    /// its key still is one of the identity's. The stores are compared, so that no session has to
    /// keep a key.
    [[nodiscard]] Credential renewed(const Credential &credential, const QByteArray &identity,
                                     const SocketAddress &peer, const PskStore &before) const;
    /// That of a session that a former process has left, which used the key with @p mark; without
    /// the key.
    [[nodiscard]] Credential ofLeft(const QByteArray &identity, const SocketAddress &peer,
                                    SessionId session, const SessionSlot::KeyMark &mark) const;
    /// Notes whether @p peer turned out to hold the key of @p credential.
    void learn(const Credential &credential, const QByteArray &identity, const SocketAddress &peer,
               bool accepted) const;

private:
    std::shared_ptr<const ServerSettings> m_settings;
    KeyRotation &m_rotation;
    HmacSha256 m_decoys; // derives from each identity a key that nobody holds
};

} // namespace dtlsd
