// SPDX-License-Identifier: Apache-2.0
#include "support/FakeControl.h"

#include <QLocalSocket>
#include <QTimer>

#include <chrono>

namespace dtlsd::test {

FakeControl::FakeControl()
{
    connect(&m_server, &QLocalServer::newConnection, this, [this] {
        while (QLocalSocket *connection = m_server.nextPendingConnection())
            serve(connection);
    });
    if (!m_server.listen(m_directory.filePath(QStringLiteral("control.sock"))))
        qFatal("cannot listen: %s", qPrintable(m_server.errorString()));
}

void FakeControl::answer(const QByteArray &answer, Manner manner)
{
    m_answer = answer;
    m_manner = manner;
}

void FakeControl::serve(QLocalSocket *connection)
{
    connect(connection, &QLocalSocket::disconnected, connection, &QObject::deleteLater);
    if (m_manner == Manner::Unasked)
        return say(connection);
    connect(connection, &QLocalSocket::readyRead, this, [this, connection] {
        if (!connection->canReadLine())
            return;
        m_questions += connection->readLine();
        say(connection);
    });
}

void FakeControl::say(QLocalSocket *connection) const
{
    if (m_manner == Manner::ByteByByte)
        return sayByteByByte(connection);
    connection->write(m_answer);
    connection->disconnectFromServer();
}

void FakeControl::sayByteByByte(QLocalSocket *connection) const
{
    auto *rests = new QTimer(connection);
    connect(rests, &QTimer::timeout, connection, [connection, rests, answer = m_answer]() mutable {
        connection->write(answer.first(1));
        connection->flush();
        answer.remove(0, 1);
        if (!answer.isEmpty())
            return;
        rests->stop();
        connection->disconnectFromServer();
    });
    rests->start(std::chrono::milliseconds(1));
}

} // namespace dtlsd::test
