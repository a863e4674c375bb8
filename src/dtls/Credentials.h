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

/// Which of an identity's two keys its device is likely to hold, while keys are being rotated. A
/// handshake can try one key only, so what failed last is not tried again at once: a device with
/// either key is in after two handshakes at the most. Shared by the workers, asked only for
/// identities with a `next_key`.
class KeyRotation
{
public:
    [[nodiscard]] bool prefersNext(const QByteArray &identity, const SocketAddress &network);
    void learn(const QByteArray &identity, const SocketAddress &network, bool next);
    /// What was learned about keys that are others in @p after than in @p before.
    void forgetChanged(const PskStore &before, const PskStore &after);

private:
    // Enough for a rotation under way; starting again costs a device one more handshake.
    static constexpr std::size_t capacity = 100'000;

    struct Key
    {
        QByteArray identity;
        SocketAddress network;
        friend bool operator==(const Key &, const Key &) = default;
    };
    struct Hash
    {
        std::size_t operator()(const Key &key) const noexcept;
    };

    std::mutex m_mutex;
    std::unordered_map<Key, bool, Hash> m_prefersNext; // guarded by m_mutex
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

    [[nodiscard]] Credential find(const QByteArray &identity, const SocketAddress &peer) const;
    /// What has become of @p credential, Known when the identities were those of @p before: Known
    /// if its key still is one of the identity's. The two stores are compared, so that nobody has
    /// to keep a key for this.
    [[nodiscard]] Credential renewed(const Credential &credential, const QByteArray &identity,
                                     const SocketAddress &peer, const PskStore &before) const;
    /// What a handshake with @p credential told about the key that the device holds.
    void learn(const Credential &credential, const QByteArray &identity, const SocketAddress &peer,
               bool accepted) const;

private:
    std::shared_ptr<const ServerSettings> m_settings;
    KeyRotation &m_rotation;
    HmacSha256 m_decoys; // makes of each identity a key that nobody holds, always the same
};

} // namespace dtlsd
