// SPDX-License-Identifier: Apache-2.0
//
// Credentials: which key a handshake gets for the identity it claims. An identity that is unknown,
// or not allowed from where it comes, gets a key that nobody holds, so that on the wire it looks
// like a wrong key (RFC 4279 §2).
#pragma once

#include "core/HmacSha256.h"
#include "core/SocketAddress.h"
#include "dtls/Psk.h"
#include "dtls/ServerOptions.h"

#include <QByteArray>

#include <mutex>
#include <unordered_map>

namespace dtlsd {

/// Which of an identity's two keys a handshake is tried with, while keys are being rotated: it can
/// be tried with one only. Shared by the workers, asked only for identities with a `next_key`.
///
/// The key that last opened a session from a network is tried first there, and `key` where none
/// has. Only a holder of a key can change that. A handshake that fails proves nothing about anybody
/// else, so it decides for its own address and port alone: there the other key comes next. For the
/// rest of its network it is a doubt, until the next success: the other key is tried then with one
/// handshake in four (in two, where none has opened a session), drawn so that nobody can steer it.
///
/// So a device that keeps its port is in after two handshakes. One that takes a new port each time
/// is in after one as a rule; with others failing beside it, after 1.3 on average; once it has
/// changed to the other key, after five (three, where no session was opened) on average.
class KeyRotation
{
public:
    /// Whether a handshake with @p peer is to be tried with `next_key`.
    [[nodiscard]] bool triesNext(const QByteArray &identity, const SocketAddress &peer);
    /// A handshake with @p peer was tried with `next_key`, if @p next, and otherwise with `key`.
    void noteSuccess(const QByteArray &identity, const SocketAddress &peer, bool next);
    void noteFailure(const QByteArray &identity, const SocketAddress &peer, bool next);
    /// What was learned about keys that are others in @p after than in @p before.
    void forgetChanged(const PskStore &before, const PskStore &after);

private:
    // Enough for a rotation under way; starting again costs a device a few handshakes.
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
    using KeyTried = std::unordered_map<Key, bool, Hash>; // whether it was `next_key`

    std::mutex m_mutex; // guards both
    KeyTried m_opened;  // the last session from a network
    KeyTried m_failed;  // since then: the last handshake of a peer, and of a network
};

struct Credential
{
    enum class Verdict {
        Known,
        UnknownIdentity,
        AddressNotAllowed,
        KeyGone ///< it was Known; new settings have other keys
    };

    Verdict verdict = Verdict::UnknownIdentity;
    PskKey key; ///< empty: the handshake is to end with unknown_psk_identity
    bool isNextKey = false;
};

class Credentials
{
public:
    /// @p decoySecret of at least 32 bytes makes the keys that nobody holds. std::runtime_error if
    /// OpenSSL has no HMAC with SHA-256.
    Credentials(std::shared_ptr<const ServerSettings> settings, KeyRotation &rotation,
                const QByteArray &decoySecret);

    /// From now on these decide.
    void use(std::shared_ptr<const ServerSettings> settings) { m_settings = std::move(settings); }

    /// The settings in force.
    [[nodiscard]] const ServerSettings &settings() const { return *m_settings; }

    [[nodiscard]] Credential find(const QByteArray &identity, const SocketAddress &peer) const;
    /// What has become of @p credential, Known when the identities were those of @p before: Known
    /// if its key still is one of the identity's. The two stores are compared, so that nobody has
    /// to keep a key for this.
    [[nodiscard]] Credential renewed(const Credential &credential, const QByteArray &identity,
                                     const SocketAddress &peer, const PskStore &before) const;
    /// What a handshake with @p credential told: that @p peer holds its key, or not.
    void learn(const Credential &credential, const QByteArray &identity, const SocketAddress &peer,
               bool accepted) const;

private:
    std::shared_ptr<const ServerSettings> m_settings;
    KeyRotation &m_rotation;
    HmacSha256 m_decoys; // makes of each identity a key that nobody holds, always the same
};

} // namespace dtlsd
