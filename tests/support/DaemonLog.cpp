// SPDX-License-Identifier: Apache-2.0
#include "support/DaemonLog.h"

#include <QDir>
#include <QJsonDocument>

#include <algorithm>
#include <iterator>

namespace dtlsd::test {

DaemonLog::DaemonLog(DaemonProcess &daemon)
    : m_daemon(daemon)
    , m_file(QDir(daemon.directory()).filePath(QStringLiteral("log.json")))
{
    m_daemon.process().setStandardOutputFile(m_file.fileName());
}

bool DaemonLog::start(QDeadlineTimer deadline)
{
    const auto decided = [this] {
        return !events(QStringLiteral("started")).isEmpty() || !m_daemon.process().isRunning();
    };
    return m_daemon.launch() && m_file.open(QIODevice::ReadOnly) && waitUntil(decided, deadline) &&
           !events(QStringLiteral("started")).isEmpty();
}

SocketAddress DaemonLog::address()
{
    const QList<QJsonObject> started = events(QStringLiteral("started"));
    if (started.isEmpty())
        return {};
    const QString list = started.first()[QStringLiteral("local_address")].toString();
    return SocketAddress::parse(list.section(u',', 0, 0).trimmed()).value_or(SocketAddress());
}

QList<QJsonObject> DaemonLog::events(const QString &name)
{
    read();
    QList<QJsonObject> found;
    std::copy_if(m_events.cbegin(), m_events.cend(), std::back_inserter(found),
                 [&name](const QJsonObject &event) {
                     return event[QStringLiteral("event")].toString() == name;
                 });
    return found;
}

const QHash<QByteArray, int> &DaemonLog::payloads()
{
    read();
    return m_payloads;
}

const QList<QByteArray> &DaemonLog::strayLines()
{
    read();
    return m_stray;
}

void DaemonLog::read()
{
    while (m_file.isOpen()) {
        const QByteArray piece = m_file.readLine();
        if (piece.isEmpty())
            return;
        m_line += piece;
        if (!m_line.endsWith('\n'))
            continue;
        const QJsonObject event = QJsonDocument::fromJson(m_line).object();
        if (event.isEmpty())
            m_stray << m_line;
        else if (event[QStringLiteral("event")] == QStringLiteral("datagram-received"))
            ++m_payloads[event[QStringLiteral("payload")].toString().toUtf8()];
        else
            m_events << event;
        m_line.clear();
    }
}

} // namespace dtlsd::test
