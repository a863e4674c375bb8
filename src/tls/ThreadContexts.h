// SPDX-License-Identifier: Apache-2.0
//
// ThreadContexts: what the sessions of one thread share, so that they never wait for those of
// another: an SSL_CTX for each configuration, the keys of the cookies in use, each made at its
// first use, and one timer. Contexts has those of every thread.
#pragma once

#include "tls/CookieMac.h"
#include "tls/HandshakeTimers.h"
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

    /// nullptr: OpenSSL takes the options for wrong.
    [[nodiscard]] std::shared_ptr<ServerContext> contextFor(const ServerContext::Options &options);
    [[nodiscard]] std::shared_ptr<CookieMac> cookiesWith(const QByteArray &secret);
    [[nodiscard]] const std::shared_ptr<HandshakeTimers> &timers() const { return m_timers; }

private:
    std::vector<std::shared_ptr<ServerContext>> m_contexts;
    std::vector<std::shared_ptr<CookieMac>> m_cookies;
    std::shared_ptr<HandshakeTimers> m_timers = std::make_shared<HandshakeTimers>();
};

class Contexts
{
public:
    /// Those of a thread that has ended serve the next one of its id.
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
