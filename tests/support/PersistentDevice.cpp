// SPDX-License-Identifier: Apache-2.0
#include "support/PersistentDevice.h"

#include <utility>

namespace dtlsd::test {

PersistentDevice::PersistentDevice(Task task)
    : m_task(std::move(task))
    , m_sent(static_cast<std::size_t>(m_task.messages.size()), 0)
{
    m_repeat.setInterval(m_task.repeatAfter);
    connect(&m_repeat, &QTimer::timeout, this, &PersistentDevice::sendCurrent);
    m_anew.setSingleShot(true);
    connect(&m_anew, &QTimer::timeout, this, &PersistentDevice::begin);
}

void PersistentDevice::start()
{
    begin();
}

void PersistentDevice::close()
{
    m_repeat.stop();
    if (m_link)
        m_link->close();
}

void PersistentDevice::begin()
{
    ++m_begun;
    m_link = m_task.makeLink();
    connect(m_link.get(), &DeviceLink::connected, this, [this] {
        m_repeat.start();
        sendCurrent();
    });
    connect(m_link.get(), &DeviceLink::received, this, &PersistentDevice::onReceived);
    connect(m_link.get(), &DeviceLink::ended, this, &PersistentDevice::onEnded);
    m_link->start(m_task.server);
}

void PersistentDevice::sendCurrent()
{
    if (isDone())
        return;
    ++m_sent[static_cast<std::size_t>(m_acknowledged)];
    m_link->send(m_task.messages[m_acknowledged]);
}

void PersistentDevice::onReceived(const QByteArray &reply)
{
    // Late receipts of earlier messages come too.
    if (isDone() || reply != m_task.messages[m_acknowledged])
        return;
    ++m_acknowledged;
    if (isDone()) {
        m_repeat.stop();
        return;
    }
    m_repeat.start();
    sendCurrent();
}

void PersistentDevice::onEnded(const QString &reason)
{
    m_endings << reason;
    m_repeat.stop();
    if (isDone())
        return;
    m_gaveUp = m_begun >= m_task.handshakes;
    if (!m_gaveUp) // not here: the old link is still speaking
        m_anew.start();
}

} // namespace dtlsd::test
