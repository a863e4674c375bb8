// SPDX-License-Identifier: Apache-2.0
//
// DaemonLog: the JSON lines of a daemon, through a file. A flood's log neither waits for the test
// that reads it nor fills its memory: of datagrams only the payloads are kept.
#pragma once

#include "support/DaemonProcess.h"

#include <QByteArray>
#include <QFile>
#include <QHash>
#include <QJsonObject>
#include <QList>

namespace dtlsd::test {

class DaemonLog
{
public:
    /// Create it before @p daemon is launched; @p daemon outlives it.
    explicit DaemonLog(DaemonProcess &daemon);

    /// launch(), and waits for `started`.
    [[nodiscard]] bool start(QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// The first address that the daemon listens on.
    [[nodiscard]] SocketAddress address();

    /// All events of that name so far, but not `datagram-received`.
    [[nodiscard]] QList<QJsonObject> events(const QString &name);
    /// How often each payload was logged so far.
    [[nodiscard]] const QHash<QByteArray, int> &payloads();
    /// Lines that are no JSON objects, so far.
    [[nodiscard]] const QList<QByteArray> &strayLines();

private:
    void read();

    DaemonProcess &m_daemon;
    QFile m_file;
    QByteArray m_line; // begun, not ended yet
    QList<QJsonObject> m_events;
    QHash<QByteArray, int> m_payloads;
    QList<QByteArray> m_stray;
};

} // namespace dtlsd::test
