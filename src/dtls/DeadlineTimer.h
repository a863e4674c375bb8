// SPDX-License-Identifier: Apache-2.0
//
// DeadlineTimer: wakes its owner at the earliest of the given deadlines. Every datagram postpones a
// deadline, but does not restart the timer: when it fires too early, the owner sets the next
// deadline.
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

    /// Wakes at @p deadline or before; never for Clock::time_point::max().
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
