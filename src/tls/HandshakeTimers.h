// SPDX-License-Identifier: Apache-2.0
//
// HandshakeTimers: one timer for all handshakes of a thread. Qt searches its list of timers for
// each that is stopped, so that with one for each of thousands of handshakes most of the time would
// go there.
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
        /// Once for each set(). It may set itself again, and end others.
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

    /// @p client has no other timeout, and cancels this one before it goes.
    void set(Client &client, std::chrono::milliseconds timeout);
    /// Nothing happens if it has none.
    void cancel(Client &client);

private:
    void arm();
    void fire();

    std::set<std::pair<Clock::time_point, Client *>> m_clients;
    std::unique_ptr<QTimer> m_timer; // only while there are clients: it belongs to their thread
    Clock::time_point m_due;
};

} // namespace dtlsd
