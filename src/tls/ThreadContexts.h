// SPDX-License-Identifier: Apache-2.0
//
// ThreadContexts: what the sessions of one thread share, so that threads never wait for each other:
// one SSL_CTX per configuration, one RecordProtection per suite and one CookieMac per secret,
// each made on first use, and one timer. Contexts has the ThreadContexts of every thread.
#pragma once

#include "tls/CookieMac.h"
#include "tls/HandshakeTimers.h"
#include "tls/RecordProtection.h"
#include "tls/ServerContext.h"

#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace dtlsd {

class ThreadContexts
{
public:
    ThreadContexts() = default;
    ThreadContexts(const ThreadContexts &) = delete;
    ThreadContexts &operator=(const ThreadContexts &) = delete;
    ~ThreadContexts() = default;

    /// nullptr: OpenSSL rejects the options.
    [[nodiscard]] std::shared_ptr<ServerContext> contextFor(const ServerContext::Options &options);
    [[nodiscard]] std::shared_ptr<CookieMac> cookiesWith(const QByteArray &secret);
    /// Stays where it is.
    [[nodiscard]] RecordProtection &protectionOf(const SSL_CIPHER *suite);
    /// The same; nullptr: OpenSSL has no such suite, or it is not AEAD.
    [[nodiscard]] RecordProtection *protectionOf(CipherSuite suite);
    [[nodiscard]] const std::shared_ptr<HandshakeTimers> &timers() const { return m_timers; }

private:
    [[nodiscard]] RecordProtection *knownProtectionOf(CipherSuite suite) const;

    std::vector<std::shared_ptr<ServerContext>> m_contexts;
    std::vector<std::shared_ptr<CookieMac>> m_cookies;
    std::vector<std::unique_ptr<RecordProtection>> m_protections; // one for each suite
    std::shared_ptr<HandshakeTimers> m_timers = std::make_shared<HandshakeTimers>();
};

class Contexts
{
public:
    /// If a thread has ended, the next thread with its ID reuses its objects.
    ThreadContexts &ofThisThread()
    {
        const std::lock_guard lock(m_mutex);
        return m_contexts[std::this_thread::get_id()];
    }

private:
    std::mutex m_mutex;
    std::unordered_map<std::thread::id, ThreadContexts> m_contexts;
};

} // namespace dtlsd
