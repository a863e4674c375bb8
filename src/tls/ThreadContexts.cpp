// SPDX-License-Identifier: Apache-2.0
#include "tls/ThreadContexts.h"

#include <algorithm>

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
    const CipherSuite number{SSL_CIPHER_get_protocol_id(suite)};
    const auto known = std::ranges::find_if(
        m_protections, [&](const auto &protection) { return protection->suite() == number; });
    return known != m_protections.end()
               ? **known
               : *m_protections.emplace_back(std::make_unique<RecordProtection>(suite));
}

} // namespace dtlsd
