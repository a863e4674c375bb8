// SPDX-License-Identifier: Apache-2.0
//
// CookieMac: the cookie of a peer (RFC 6347 §4.2.1): HMAC-SHA256 over its port and address, the
// same that Qt's own backend makes, so that either takes the other's. The key is set up once:
// OpenSSL's HMAC() would look its algorithm up anew each time.
#pragma once

#include <QByteArray>
#include <QHostAddress>

#include <array>
#include <memory>
#include <optional>

#include <openssl/evp.h>

namespace dtlsd {

class CookieMac
{
public:
    static constexpr std::size_t size = 32; ///< bytes
    using Cookie = std::array<unsigned char, size>;

    explicit CookieMac(const QByteArray &secret);

    [[nodiscard]] const QByteArray &secret() const { return m_secret; }
    /// nullopt: OpenSSL has no HMAC-SHA256, or no memory. Asked again for the same peer it costs
    /// nothing: a hello that was verified is looked at once more when its handshake begins.
    [[nodiscard]] std::optional<Cookie> of(const QHostAddress &peer, quint16 port);

private:
    /// The port, then the address: in this machine's byte order, but for IPv6.
    struct Input
    {
        std::array<unsigned char, sizeof(quint16) + sizeof(Q_IPV6ADDR)> bytes{};
        std::size_t size = 0;

        void add(const void *from, std::size_t count);
        friend bool operator==(const Input &, const Input &) = default;
    };

    struct Free
    {
        void operator()(EVP_MAC_CTX *context) const { EVP_MAC_CTX_free(context); }
    };

    [[nodiscard]] std::optional<Cookie> compute(const Input &input) const;

    QByteArray m_secret;
    std::unique_ptr<EVP_MAC_CTX, Free> m_context;
    Input m_lastInput;
    std::optional<Cookie> m_last;
};

} // namespace dtlsd
