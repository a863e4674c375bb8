// SPDX-License-Identifier: Apache-2.0
#include "support/TalkingDevice.h"

#include <algorithm>
#include <utility>

namespace dtlsd::test {

TalkingDevice::TalkingDevice(Task task)
    : m_task(std::move(task))
{
    m_repeat.setInterval(m_task.repeatAfter);
    connect(&m_repeat, &QTimer::timeout, this, &TalkingDevice::repeat);
    m_next.setSingleShot(true);
    m_next.setInterval(m_task.pause);
    connect(&m_next, &QTimer::timeout, this, &TalkingDevice::ask);
    m_anew.setSingleShot(true);
    connect(&m_anew, &QTimer::timeout, this, &TalkingDevice::begin);
}

void TalkingDevice::start()
{
    begin();
}

void TalkingDevice::goOn()
{
    m_settles = false;
    if (m_isConnected && m_answered == m_asked && !m_next.isActive())
        m_next.start();
}

void TalkingDevice::close()
{
    m_settles = true;
    m_repeat.stop();
    m_next.stop();
    m_anew.stop();
    if (m_isConnected)
        m_link->close();
}

void TalkingDevice::begin()
{
    ++m_begun;
    m_unanswered = 0;
    m_link = m_task.makeLink();
    connect(m_link.get(), &DeviceLink::connected, this, [this] {
        m_isConnected = true;
        if (m_answered == m_asked)
            ask();
        else
            sendCopy();
    });
    connect(m_link.get(), &DeviceLink::received, this, &TalkingDevice::onReceived);
    connect(m_link.get(), &DeviceLink::ended, this, &TalkingDevice::onEnded);
    m_link->start(m_task.server);
}

void TalkingDevice::ask()
{
    if (m_settles)
        return;
    ++m_asked;
    m_copies = 0;
    m_wait.start();
    sendCopy();
}

void TalkingDevice::sendCopy()
{
    const QByteArray datagram = m_task.name + ": message " + QByteArray::number(m_asked) +
                                ", copy " + QByteArray::number(++m_copies);
    m_sent << datagram;
    m_link->send(datagram);
    m_repeat.start();
}

void TalkingDevice::repeat()
{
    const bool isLost = m_task.patience > 0 && ++m_unanswered > m_task.patience;
    if (isLost)
        onEnded(QStringLiteral("no answer"));
    else
        sendCopy();
}

void TalkingDevice::onReceived(const QByteArray &receipt)
{
    if (!m_sent.contains(receipt)) {
        ++m_strange;
        return;
    }
    m_receipts << receipt;
    const QByteArray current = m_task.name + ": message " + QByteArray::number(m_asked) + ',';
    if (m_answered == m_asked || !receipt.startsWith(current))
        return; // a late one
    m_answered = m_asked;
    m_longestWait = std::max(m_longestWait, std::chrono::milliseconds(m_wait.elapsed()));
    m_unanswered = 0;
    m_repeat.stop();
    m_next.start();
}

void TalkingDevice::onEnded(const QString &reason)
{
    m_endings << reason;
    m_isConnected = false;
    m_repeat.stop();
    m_next.stop();
    m_gaveUp = m_begun >= m_task.handshakes;
    if (!m_gaveUp) // not here: the old link is still in its signal
        m_anew.start();
}

} // namespace dtlsd::test
