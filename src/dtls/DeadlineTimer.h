// SPDX-License-Identifier: Apache-2.0
//
// DeadlineTimer: wakes its owner at the earliest of the deadlines it is told. Deadlines move back
// with every datagram, and the timer is not set anew for that: when it wakes too early, the owner
// tells it the next.
#pragma once

#include <QTimer>

#include <algorithm>
#include <chrono>

namespace dtlsd {

class DeadlineTimer
{
public:
    using Clock = std::chrono::steady_clock;

    /// Calls @p wake, a slot of @p owner.
    template <class Owner>
    DeadlineTimer(Owner *owner, void (Owner::*wake)())
        : m_timer(owner)
    {
        m_timer.setSingleShot(true);
        QObject::connect(&m_timer, &QTimer::timeout, owner, wake);
    }

    /// At @p deadline or before; never, if that is the end of time.
    void wakeAt(Clock::time_point deadline, Clock::time_point now)
    {
        if (deadline == Clock::time_point::max() || (m_timer.isActive() && m_due <= deadline))
            return;
        m_due = deadline;
        m_timer.start(std::chrono::ceil<std::chrono::milliseconds>(
            std::max(deadline - now, Clock::duration::zero())));
    }

    void stop() { m_timer.stop(); }

private:
    QTimer m_timer;
    Clock::time_point m_due;
};

} // namespace dtlsd
