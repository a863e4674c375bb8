// SPDX-License-Identifier: Apache-2.0
#include "support/PersistentDevice.h"

#include <utility>

namespace dtlsd::test {

QList<QByteArray> PersistentDevice::messagesOf(int device, int count)
{
    QList<QByteArray> messages;
    for (int i = 1; i <= count; ++i)
        messages << "message " + QByteArray::number(i) + " of device " + QByteArray::number(device);
    return messages;
}

PersistentDevice::PersistentDevice(Task task)
    : m_task(std::move(task))
    , m_sent(static_cast<std::size_t>(m_task.messages.size()), 0)
{
    m_repeat.setInterval(m_task.repeatAfter);
    connect(&m_repeat, &QTimer::timeout, this, &PersistentDevice::repeat);
    m_next.setSingleShot(true);
    m_next.setInterval(m_task.pause);
    connect(&m_next, &QTimer::timeout, this, &PersistentDevice::sendCurrent);
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
    m_next.stop();
    if (m_link)
        m_link->close();
}

void PersistentDevice::begin()
{
    ++m_begun;
    m_unanswered = 0;
    m_link = m_task.makeLink();
    connect(m_link.get(), &DeviceLink::connected, this, &PersistentDevice::sendCurrent);
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
    m_repeat.start();
}

void PersistentDevice::repeat()
{
    const bool isLost = m_task.patience > 0 && ++m_unanswered > m_task.patience;
    if (isLost)
        onEnded(QStringLiteral("no answer"));
    else
        sendCurrent();
}

void PersistentDevice::onReceived(const QByteArray &reply)
{
    // Late receipts of earlier messages come too.
    if (isDone() || reply != m_task.messages[m_acknowledged])
        return;
    ++m_acknowledged;
    m_unanswered = 0;
    m_repeat.stop();
    if (!isDone())
        m_next.start();
}

void PersistentDevice::onEnded(const QString &reason)
{
    m_endings << reason;
    m_repeat.stop();
    m_next.stop();
    if (isDone())
        return;
    m_gaveUp = m_begun >= m_task.handshakes;
    if (!m_gaveUp) // not here: the old link is still in its signal
        m_anew.start();
}

} // namespace dtlsd::test
