// SPDX-License-Identifier: Apache-2.0
//
// LoadFleet: the sessions of many clients; tells which have received datagrams.
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

    /// Fails if the system does not grant that many sockets. Nothing is sent yet.
    static Result<std::unique_ptr<LoadFleet>> make(Options options);
    LoadFleet(const LoadFleet &) = delete;
    LoadFleet &operator=(const LoadFleet &) = delete;

    [[nodiscard]] std::size_t size() const { return m_sessions.size(); }
    [[nodiscard]] LoadSession &operator[](std::size_t client) { return *m_sessions[client]; }
    [[nodiscard]] quint16 port() const { return m_options.port; }

    /// Replaces the session of @p client by a new one, on a new port if it has its own socket.
    void renew(std::size_t client);

    /// Sends the datagrams that sessions have queued.
    void flush() { m_outbox.flush(); }
    /// Calls flush(), then takes at most @p datagrams that have come or come within @p timeout.
    /// Returns their clients; the span lives until the next call.
    std::span<const std::size_t> wait(std::chrono::nanoseconds timeout,
                                      std::size_t datagrams = usualDatagrams);
    /// Readable when wait() has datagrams.
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
