// SPDX-License-Identifier: Apache-2.0
//
// LoadFleet: the sessions of many clients; tells which have received datagrams. A forgotten session
// leaves its socket open: no other client gets its address and port, under which the server knows
// it.
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
        bool makesSessions = true; ///< of all clients at once; false: provide() makes each
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

    [[nodiscard]] bool has(std::size_t client) const { return m_sessions[client] != nullptr; }
    /// Makes the session of @p client if it has none.
    void provide(std::size_t client);
    /// Frees the session of @p client without a close_notify.
    void forget(std::size_t client) { m_sessions[client].reset(); }
    /// Alerts that came for forgotten sessions, such as the server's close_notify.
    [[nodiscard]] std::size_t lateAlerts() const { return m_lateAlerts; }

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
    void put(std::size_t client, std::span<const char> datagram);

    const Options m_options;
    const LoadSession::Context m_context;
    LoadSockets m_sockets;
    Outbox m_outbox;
    std::vector<std::unique_ptr<LoadSession>> m_sessions;
    std::vector<std::size_t> m_ready;
    std::size_t m_lateAlerts = 0;
};

} // namespace dtlsd::bench
