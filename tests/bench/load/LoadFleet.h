// SPDX-License-Identifier: Apache-2.0
//
// LoadFleet: the sessions of many clients, and which of them have something to read.
#pragma once

#include "bench/load/LoadSession.h"
#include "bench/load/LoadSockets.h"
#include "core/Result.h"

#include <chrono>
#include <memory>
#include <span>
#include <vector>

namespace dtlsd::bench {

class LoadFleet
{
public:
    using Clock = LoadSession::Clock;

    struct Options
    {
        quint16 port = 0;                   ///< of the server, on 127.0.0.1
        std::vector<DeviceKey> credentials; ///< of the clients in turn
        std::size_t clients = 1;
        bool sharesSockets = true; ///< see LoadSockets
    };

    /// Fails when the system has not as many sockets. Nothing is sent yet.
    static Result<std::unique_ptr<LoadFleet>> make(Options options);
    LoadFleet(const LoadFleet &) = delete;
    LoadFleet &operator=(const LoadFleet &) = delete;

    [[nodiscard]] std::size_t size() const { return m_sessions.size(); }
    [[nodiscard]] LoadSession &operator[](std::size_t client) { return *m_sessions[client]; }
    [[nodiscard]] quint16 port() const { return m_options.port; }

    /// Puts a new session in the place of the one of @p client, on a new port if its socket is its
    /// own.
    void renew(std::size_t client);

    /// Sends what sessions have queued.
    void flush() { m_outbox.flush(); }
    /// flush(), and the clients for which something is there, or comes within @p timeout, of at
    /// most @p datagrams. The span lives until the next call.
    std::span<const std::size_t> wait(std::chrono::nanoseconds timeout,
                                      std::size_t datagrams = usualDatagrams);
    /// Can be read when wait() has something.
    [[nodiscard]] int descriptor() const { return m_sockets.descriptor(); }

private:
    static constexpr std::size_t usualDatagrams = 256;

    explicit LoadFleet(Options options);
    void makeSession(std::size_t client);

    const Options m_options;
    const LoadSession::Context m_context;
    LoadSockets m_sockets;
    Outbox m_outbox;
    std::vector<std::unique_ptr<LoadSession>> m_sessions;
    std::vector<std::size_t> m_ready;
};

} // namespace dtlsd::bench
