// SPDX-License-Identifier: Apache-2.0
//
// ControlConnection: one client of a ControlServer, from its connection to its end.
//
//   Asking ── a line, or a reason to refuse it ──► Answering ── all is written, or patience ends
//   ──► gone
#pragma once

#include "app/ControlServer.h"

#include <QLocalSocket>
#include <QObject>
#include <QTimer>

#include <memory>

namespace dtlsd {

class ControlConnection : public QObject
{
    Q_OBJECT

public:
    /// Deletes itself when it has ended. @p answer and @p limits outlive it.
    ControlConnection(QLocalSocket *socket, const ControlServer::Answer &answer,
                      const ControlServer::Limits &limits, QObject *parent);

    /// Answers with an error at once, whatever is asked.
    void refuse(const char *code, const QString &error);

private:
    void read();
    void reply(const QByteArray &lines);
    void giveUp();

    QLocalSocket *const m_socket; // a child
    const ControlServer::Answer &m_answer;
    const ControlServer::Limits &m_limits;
    QTimer m_patience;
    bool m_isAnswered = false;
};

} // namespace dtlsd
