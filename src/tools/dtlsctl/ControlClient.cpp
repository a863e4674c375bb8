// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/ControlClient.h"

#include "config/RegularFile.h"
#include "core/Escape.h"
#include "core/Json.h"
#include "core/Quantity.h"

#include <QFileInfo>
#include <QJsonDocument>
#include <QLocalSocket>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace dtlsd {

namespace {

constexpr qint64 lineLimit = qint64{4} << 20; // bytes; the longest line, metrics, has some 100 KiB

/// The group that may use @p socket: its own or, if a directory hides the socket, the directory's.
QString groupOf(const QString &socket)
{
    QFileInfo file(socket);
    while (!file.exists() && file.path() != file.filePath())
        file.setFile(file.path());
    const QString name = file.group();
    return name.isEmpty() ? QStringLiteral("with the number %1").arg(file.groupId()) : name;
}

Failure cannotConnect(const QString &socket, const QLocalSocket &connection)
{
    const QString where = shownPath(socket);
    switch (connection.error()) {
    case QLocalSocket::ServerNotFoundError:
        return {QStringLiteral("there is no socket %1; is dtlsd running, and is [control] socket "
                               "of its configuration this one?")
                    .arg(where),
                EX_UNAVAILABLE};
    case QLocalSocket::ConnectionRefusedError:
        return {QStringLiteral("nobody listens at %1; is dtlsd running?").arg(where),
                EX_UNAVAILABLE};
    case QLocalSocket::SocketAccessError:
        return {QStringLiteral("permission to use %1 denied; root and members of the group %2 "
                               "may")
                    .arg(where, escaped(groupOf(socket).toUtf8())),
                EX_NOPERM};
    default:
        return {QStringLiteral("cannot connect to %1: %2")
                    .arg(where, escaped(connection.errorString().toUtf8())),
                EX_UNAVAILABLE};
    }
}

/// Bypasses QLocalSocket, which discards received data when a write fails: a busy server may answer
/// and close without reading.
void send(const QLocalSocket &connection, const QJsonObject &question,
          std::chrono::milliseconds patience)
{
    QByteArray line = jsonLine(question);
    pollfd server{static_cast<int>(connection.socketDescriptor()), POLLOUT, 0};
    // A line with data may be larger than what a socket takes at once. Where it is not sent, the
    // answer says why, or there is none.
    while (!line.isEmpty() && ::poll(&server, 1, static_cast<int>(patience.count())) > 0) {
        const ssize_t sent = ::send(server.fd, line.constData(),
                                    static_cast<std::size_t>(line.size()), MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        line.remove(0, sent);
    }
}

/// Reads lines until the server closes.
class AnswerReader
{
public:
    AnswerReader(const ControlClient &client, QLocalSocket &connection,
                 const ControlClient::LineHandler &onLine)
        : m_client(client)
        , m_connection(connection)
        , m_onLine(onLine)
    {
    }

    /// false: the server has closed the connection, or take() returns a failure.
    bool readSome(std::chrono::milliseconds patience);
    std::variant<ControlClient::Line, Failure> take();

private:
    void readLines();
    void takeLine(QByteArray text);

    const ControlClient &m_client;
    QLocalSocket &m_connection;
    const ControlClient::LineHandler &m_onLine;
    std::optional<ControlClient::Line> m_last;
    std::optional<Failure> m_failure;
};

bool AnswerReader::readSome(std::chrono::milliseconds patience)
{
    const bool more = m_connection.waitForReadyRead(static_cast<int>(patience.count()));
    readLines();
    if (!more && !m_failure && m_connection.state() == QLocalSocket::ConnectedState)
        m_failure = {QStringLiteral("dtlsd has said nothing for %1; is it stopped, or the machine "
                                    "busy?")
                         .arg(formatDuration(patience)),
                     Failure::refused};
    return more && !m_failure;
}

void AnswerReader::readLines()
{
    while (!m_failure && m_connection.canReadLine())
        takeLine(m_connection.readLine().chopped(1));
    if (!m_failure && m_connection.bytesAvailable() > lineLimit)
        m_failure = m_client.noAnswer(
            QStringLiteral("a line is longer than %1").arg(formatByteSize(lineLimit)));
}

void AnswerReader::takeLine(QByteArray text)
{
    const QJsonDocument document = QJsonDocument::fromJson(text);
    ControlClient::Line line{std::move(text), document.object()};
    const QJsonValue ok = line.object.value(QStringLiteral("ok"));
    if (!document.isObject())
        m_failure = m_client.noAnswer(QStringLiteral("a line is no JSON object"));
    else if (m_last)
        m_failure = m_client.noAnswer(QStringLiteral("something stands behind the last line"));
    else if (ok.isBool())
        m_last = std::move(line);
    else
        m_failure = m_onLine(line);
}

std::variant<ControlClient::Line, Failure> AnswerReader::take()
{
    if (m_failure)
        return *m_failure;
    if (!m_last || m_connection.bytesAvailable() > 0)
        return m_client.noAnswer(QStringLiteral("it ends before its last line"));
    return *m_last;
}

} // namespace

std::variant<ControlClient::Line, Failure> ControlClient::ask(const QJsonObject &question,
                                                              const LineHandler &onLine) const
{
    QLocalSocket connection;
    connection.connectToServer(m_socket);
    if (!connection.waitForConnected(static_cast<int>(m_patience.count())))
        return cannotConnect(m_socket, connection);
    send(connection, question, m_patience);
    AnswerReader reader(*this, connection, onLine);
    while (reader.readSome(m_patience)) {
    }
    return reader.take();
}

Failure ControlClient::noAnswer(const QString &what) const
{
    return {QStringLiteral("what came from %1 is no answer of dtlsd's: %2; is it the socket of a "
                           "dtlsd, and of this version?")
                .arg(shownPath(m_socket), what),
            EX_PROTOCOL};
}

Failure ControlClient::refusal(const QJsonObject &last) const
{
    const QJsonValue code = last.value(QStringLiteral("code"));
    const QJsonValue error = last.value(QStringLiteral("error"));
    if (!code.isString() || !error.isString())
        return noAnswer(QStringLiteral("a refusal without a reason"));
    const int status = code == QStringLiteral("forbidden")  ? EX_NOPERM
                       : code == QStringLiteral("rejected") ? EX_CONFIG
                                                            : Failure::refused;
    return {escaped(error.toString().toUtf8(), 4096), status};
}

} // namespace dtlsd
