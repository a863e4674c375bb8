// SPDX-License-Identifier: Apache-2.0
#include "app/ControlConnection.h"

#include "app/ControlReply.h"

namespace dtlsd {

ControlConnection::ControlConnection(QLocalSocket *socket, const ControlServer::Answer &answer,
                                     const ControlServer::Limits &limits, QObject *parent)
    : QObject(parent)
    , m_socket(socket)
    , m_answer(answer)
    , m_limits(limits)
{
    m_socket->setParent(this);
    m_socket->setReadBufferSize(m_limits.request);
    connect(m_socket, &QLocalSocket::readyRead, this, &ControlConnection::read);
    connect(m_socket, &QLocalSocket::disconnected, this, &QObject::deleteLater);
    m_patience.setSingleShot(true);
    connect(&m_patience, &QTimer::timeout, this, &ControlConnection::giveUp);
    m_patience.start(m_limits.patience);
}

void ControlConnection::refuse(const char *code, const QString &error)
{
    reply(refusalLine(code, error));
}

void ControlConnection::read()
{
    if (m_isAnswered)
        return; // one connection, one request
    if (m_socket->canReadLine())
        reply(m_answer(m_socket->readLine().chopped(1)));
    else if (m_socket->bytesAvailable() >= m_limits.request)
        refuse("bad-request", QStringLiteral("the request is too long; a line of at most %1 bytes "
                                             "is accepted")
                                  .arg(m_limits.request));
}

void ControlConnection::reply(const QByteArray &lines)
{
    m_isAnswered = true;
    m_patience.start(m_limits.patience);
    m_socket->write(lines);
    m_socket->flush();
    m_socket->disconnectFromServer(); // once all is written
}

void ControlConnection::giveUp()
{
    if (m_isAnswered)
        m_socket->abort();
    else
        refuse("timeout", QStringLiteral("no request came in time; a line is accepted"));
}

} // namespace dtlsd
