// SPDX-License-Identifier: Apache-2.0
//
// Pre-shared keys: PskKey (the secret), PskIdentity (a holder and its rights) and PskStore (all
// identities; immutable once built, shared by the workers).
#pragma once

#include "core/SocketAddress.h"
#include "dtls/ReplyTemplate.h"

#include <QByteArray>
#include <QHash>
#include <QHostAddress>
#include <QList>

#include <cstdint>
#include <optional>
#include <utility>

class QDebug;

namespace dtlsd {

/// The bytes of a key. Never printed: streams and --show-config get fingerprint(). Wiped with the
/// last copy.
class PskKey
{
public:
    /// Bytes. RFC 4279 §5.3 requires 64 at least; Qt silently truncates above 512.
    static constexpr qsizetype maximumSize = 64;

    PskKey() = default;
    explicit PskKey(QByteArray bytes)
        : m_bytes(std::move(bytes))
    {
    }
    PskKey(const PskKey &) = default;
    PskKey(PskKey &&) noexcept = default;
    PskKey &operator=(const PskKey &other);
    PskKey &operator=(PskKey &&other) noexcept;
    ~PskKey();

    [[nodiscard]] bool isEmpty() const { return m_bytes.isEmpty(); }
    [[nodiscard]] qsizetype size() const { return m_bytes.size(); }
    /// For the TLS stack only.
    [[nodiscard]] const QByteArray &bytes() const { return m_bytes; }
    /// `sha256:` and the first 8 hex digits of a salted digest: tells keys apart, reveals none.
    [[nodiscard]] QByteArray fingerprint() const;

    friend bool operator==(const PskKey &, const PskKey &) = default;

private:
    void wipe();

    QByteArray m_bytes;
};

/// Prints the fingerprint.
QDebug operator<<(QDebug debug, const PskKey &key);

/// An address and a prefix length, as in `10.0.0.0/8`.
using Subnet = std::pair<QHostAddress, int>;

struct PskIdentity
{
    PskKey key;
    PskKey nextKey;                     ///< empty, or accepted as well while keys are rotated
    QList<Subnet> allowFrom;            ///< empty = any address
    std::optional<ReplyTemplate> reply; ///< overrides the server's
    std::optional<std::int64_t> datagramsPerSecond{}; ///< overrides the general limit; 0 = no limit
    /// Overrides the general service; SocketAddress() = none.
    std::optional<SocketAddress> forward{};

    [[nodiscard]] bool allows(const SocketAddress &peer) const;

    friend bool operator==(const PskIdentity &, const PskIdentity &) = default;
};

/// Identities are compared as bytes (RFC 9257 §6); the empty identity is valid (RFC 4279 §2).
/// Lookup is one hash, whatever the size.
class PskStore
{
public:
    /// Bytes, without NUL: OpenSSL passes identities as C strings.
    static constexpr qsizetype maximumIdentitySize = 255;

    static bool isValidIdentity(QByteArrayView identity);
    /// The account of all identities that the wildcard covers; its NUL makes it unique.
    static QByteArray wildcardAccount() { return QByteArrayLiteral("\0*"); }

    /// false: @p identity exists already, and is unchanged.
    bool add(const QByteArray &identity, PskIdentity entry);
    /// The entry of every identity that was not added: `[identity *]`.
    void setWildcard(PskIdentity entry) { m_wildcard = std::move(entry); }

    /// The entry, the wildcard, or nullptr; nullptr for every invalid identity.
    [[nodiscard]] const PskIdentity *find(const QByteArray &identity) const;
    /// The account of @p identity in the limits: itself, or wildcardAccount().
    [[nodiscard]] QByteArray account(const QByteArray &identity) const;

    [[nodiscard]] bool isEmpty() const { return m_identities.isEmpty() && !m_wildcard; }
    /// Without the wildcard.
    [[nodiscard]] qsizetype size() const { return m_identities.size(); }
    void reserve(qsizetype size) { m_identities.reserve(size); }

    [[nodiscard]] const QHash<QByteArray, PskIdentity> &identities() const { return m_identities; }
    [[nodiscard]] const std::optional<PskIdentity> &wildcard() const { return m_wildcard; }

private:
    QHash<QByteArray, PskIdentity> m_identities;
    std::optional<PskIdentity> m_wildcard;
};

} // namespace dtlsd
