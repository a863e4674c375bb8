// SPDX-License-Identifier: Apache-2.0
#include "tls/CookieMac.h"

#include <cstring>

#include <openssl/core_names.h>
#include <openssl/params.h>

namespace dtlsd {

namespace {

EVP_MAC_CTX *hmacSha256(const QByteArray &key)
{
    const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> hmac(
        EVP_MAC_fetch(nullptr, "HMAC", nullptr), &EVP_MAC_free);
    EVP_MAC_CTX *context = hmac ? EVP_MAC_CTX_new(hmac.get()) : nullptr;
    std::array<char, 7> digest{"SHA256"};
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    if (context && EVP_MAC_init(context, reinterpret_cast<const unsigned char *>(key.data()),
                                static_cast<std::size_t>(key.size()), parameters.data()) == 1)
        return context;
    EVP_MAC_CTX_free(context);
    return nullptr;
}

} // namespace

CookieMac::CookieMac(const QByteArray &secret)
    : m_secret(secret)
    , m_context(hmacSha256(secret))
{
}

void CookieMac::Input::add(const void *from, std::size_t count)
{
    std::memcpy(bytes.data() + size, from, count);
    size += count;
}

std::optional<CookieMac::Cookie> CookieMac::of(const QHostAddress &peer, quint16 port)
{
    Input input;
    input.add(&port, sizeof port);
    if (peer.protocol() == QAbstractSocket::IPv4Protocol) {
        const quint32 address = peer.toIPv4Address();
        input.add(&address, sizeof address);
    } else {
        const Q_IPV6ADDR address = peer.toIPv6Address();
        input.add(&address, sizeof address);
    }
    if (!m_last || input != m_lastInput) {
        m_lastInput = input;
        m_last = compute(input);
    }
    return m_last;
}

std::optional<CookieMac::Cookie> CookieMac::compute(const Input &input) const
{
    Cookie cookie{};
    std::size_t length = 0;
    // Without a key it begins anew with the one it has.
    const bool isMade = m_context && EVP_MAC_init(m_context.get(), nullptr, 0, nullptr) == 1 &&
                        EVP_MAC_update(m_context.get(), input.bytes.data(), input.size) == 1 &&
                        EVP_MAC_final(m_context.get(), cookie.data(), &length, cookie.size()) == 1;
    return isMade && length == size ? std::optional(cookie) : std::nullopt;
}

} // namespace dtlsd
