// SPDX-License-Identifier: Apache-2.0
#include "tls/ThreadContexts.h"

#include <algorithm>
#include <array>

namespace dtlsd {

namespace {

// Two are in use around a change of settings or of the cookie secret; tests use more.
constexpr std::size_t kept = 4;

/// The most recently used one is the last.
template <class Shared, class IsIt, class Make>
Shared findOrMake(std::vector<Shared> &all, IsIt isIt, Make make)
{
    const auto found = std::ranges::find_if(all, isIt);
    if (found != all.end()) {
        std::rotate(found, found + 1, all.end());
        return all.back();
    }
    Shared made = make();
    if (!made)
        return nullptr;
    if (all.size() == kept)
        all.erase(all.begin());
    all.push_back(made);
    return made;
}

} // namespace

std::shared_ptr<ServerContext> ThreadContexts::contextFor(const ServerContext::Options &options)
{
    return findOrMake(
        m_contexts, [&](const auto &context) { return context->options() == options; },
        [&] { return ServerContext::make(options); });
}

std::shared_ptr<CookieMac> ThreadContexts::cookiesWith(const QByteArray &secret)
{
    return findOrMake(
        m_cookies, [&](const auto &cookies) { return cookies->secret() == secret; },
        [&] { return std::make_shared<CookieMac>(secret); });
}

RecordProtection &ThreadContexts::protectionOf(const SSL_CIPHER *suite)
{
    RecordProtection *known = knownProtectionOf(CipherSuite{SSL_CIPHER_get_protocol_id(suite)});
    return known ? *known : *m_protections.emplace_back(std::make_unique<RecordProtection>(suite));
}

RecordProtection *ThreadContexts::protectionOf(CipherSuite suite)
{
    if (RecordProtection *known = knownProtectionOf(suite))
        return known;
    // SSL_CIPHER_find() asks the method of an SSL, whatever its list of ciphers is.
    const std::unique_ptr<SSL_CTX, ServerContext::Free> context(SSL_CTX_new(DTLS_server_method()));
    const ServerContext::UniqueSsl ssl(context ? SSL_new(context.get()) : nullptr);
    const std::array number{static_cast<unsigned char>(suite.number >> 8),
                            static_cast<unsigned char>(suite.number & 0xff)};
    const SSL_CIPHER *cipher = ssl ? SSL_CIPHER_find(ssl.get(), number.data()) : nullptr;
    return cipher && SSL_CIPHER_is_aead(cipher) == 1 ? &protectionOf(cipher) : nullptr;
}

RecordProtection *ThreadContexts::knownProtectionOf(CipherSuite suite) const
{
    const auto known = std::ranges::find_if(
        m_protections, [&](const auto &protection) { return protection->suite() == suite; });
    return known != m_protections.end() ? known->get() : nullptr;
}

} // namespace dtlsd
