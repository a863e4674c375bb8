// SPDX-License-Identifier: Apache-2.0
//
// HandshakeTimers: one timer for all handshakes of a thread. Qt searches its list of timers to stop
// one, so thousands of handshakes with a timer each would spend most of their time there.
#pragma once

#include <QTimer>

#include <chrono>
#include <memory>
#include <set>
#include <utility>

namespace dtlsd {

class HandshakeTimers
{
public:
    using Clock = std::chrono::steady_clock;

    class Client
    {
    public:
        /// Called once for each set(). It may call set() again, and end other clients.
        virtual void onTimeout() = 0;

    protected:
        ~Client() = default;

    private:
        friend class HandshakeTimers;
        Clock::time_point m_due;
    };

    HandshakeTimers() = default;
    HandshakeTimers(const HandshakeTimers &) = delete;
    HandshakeTimers &operator=(const HandshakeTimers &) = delete;
    ~HandshakeTimers() = default;

    /// @p client must have no other timeout, and must cancel this one before it is destroyed.
    void set(Client &client, std::chrono::milliseconds timeout);
    /// Does nothing if @p client has no timeout.
    void cancel(Client &client);

private:
    void arm();
    void fire();

    std::set<std::pair<Clock::time_point, Client *>> m_clients;
    std::unique_ptr<QTimer> m_timer; // exists while there are clients, in their thread
    Clock::time_point m_due;
};

} // namespace dtlsd
