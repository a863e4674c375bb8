// SPDX-License-Identifier: Apache-2.0
#include "tls/HandshakeTimers.h"

#include <algorithm>

namespace dtlsd {

void HandshakeTimers::set(Client &client, std::chrono::milliseconds timeout)
{
    client.m_due = Clock::now() + timeout;
    m_clients.emplace(client.m_due, &client);
    arm();
}

void HandshakeTimers::cancel(Client &client)
{
    m_clients.erase({client.m_due, &client});
    if (m_clients.empty())
        m_timer.reset();
}

void HandshakeTimers::arm()
{
    const Clock::time_point next = m_clients.begin()->first;
    if (!m_timer) {
        m_timer = std::make_unique<QTimer>();
        m_timer->setSingleShot(true);
        m_timer->setTimerType(
            Qt::PreciseTimer); // a coarse one may be early, and would be set again
        QObject::connect(m_timer.get(), &QTimer::timeout, m_timer.get(), [this] { fire(); });
    }
    if (m_timer->isActive() && m_due <= next)
        return;
    m_due = next;
    m_timer->start(std::chrono::ceil<std::chrono::milliseconds>(
        std::max(next - Clock::now(), Clock::duration::zero())));
}

void HandshakeTimers::fire()
{
    const Clock::time_point now = Clock::now();
    while (!m_clients.empty() && m_clients.begin()->first <= now) {
        Client *client = m_clients.begin()->second;
        m_clients.erase(m_clients.begin());
        client->onTimeout();
    }
    if (m_clients.empty())
        m_timer.reset();
    else
        arm();
}

} // namespace dtlsd
