// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QByteArray>

#include <cstdint>

namespace dtlsd {

/// A cipher suite of a ClientHello: a number of IANA's registry "TLS Cipher Suites", whether
/// OpenSSL knows it or not.
struct CipherSuite
{
    std::uint16_t number = 0;

    /// The suite that OpenSSL calls @p name; number 0: it has none.
    static CipherSuite named(const QByteArray &name);

    /// Whether it uses a pre-shared key, alone or with an ephemeral or RSA key.
    [[nodiscard]] bool isPsk() const;
    /// Whether it uses a pre-shared key and an AEAD cipher.
    [[nodiscard]] bool isPskAead() const;
    /// Whether it is no suite, but a signal from the client (RFC 5746 §3.3, RFC 7507 §2) or GREASE
    /// (RFC 8701).
    [[nodiscard]] bool isSignal() const;
    /// OpenSSL's name; empty if this OpenSSL has no such suite.
    [[nodiscard]] QByteArray opensslName() const;
    /// OpenSSL's name, or `0xC0FF`.
    [[nodiscard]] QByteArray text() const;

    friend bool operator==(const CipherSuite &, const CipherSuite &) = default;
};

/// ECDHE-PSK-CHACHA20-POLY1305: the only suite with PSK and AEAD for which OpenSSL needs a group.
inline constexpr CipherSuite ecdhePskChaCha20{0xCCAC};

} // namespace dtlsd
