// SPDX-License-Identifier: Apache-2.0
#include "support/ControlPeer.h"

#include "support/JsonFields.h"

#include <QFile>
#include <QJsonDocument>

#include <cerrno>
#include <thread>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace dtlsd::test {

namespace {

/// -1: nobody listens.
int connectTo(const QString &path)
{
    const QByteArray name = QFile::encodeName(path);
    sockaddr_un at = {};
    at.sun_family = AF_UNIX;
    qstrncpy(at.sun_path, name.constData(), sizeof at.sun_path);
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int problem = 0;
    const auto isDecided = [&] {
        const bool connected =
            connect(descriptor, reinterpret_cast<const sockaddr *>(&at), sizeof at) == 0;
        problem = connected ? 0 : errno;
        return problem != EAGAIN; // the server's backlog is full
    };
    waitUntil(isDecided, QDeadlineTimer(patience));
    if (problem == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

} // namespace

ControlPeer::ControlPeer(const QString &path)
    : m_descriptor(connectTo(path))
{
}

ControlPeer::ControlPeer(const QString &path, const User &user)
{
    // The kernel keeps credentials by thread; the functions of the C library change all of them.
    std::thread([&] {
        const bool isUser =
            syscall(SYS_setgroups, user.furtherGroups.size(), user.furtherGroups.data()) == 0 &&
            syscall(SYS_setresgid, user.group, user.group, user.group) == 0 &&
            syscall(SYS_setresuid, user.user, user.user, user.user) == 0;
        if (isUser)
            m_descriptor = connectTo(path);
    }).join();
}

ControlPeer::~ControlPeer()
{
    if (isConnected())
        close(m_descriptor);
}

bool ControlPeer::send(const QByteArray &bytes) const
{
    return ::send(m_descriptor, bytes.constData(), static_cast<std::size_t>(bytes.size()),
                  MSG_NOSIGNAL | MSG_DONTWAIT) == bytes.size();
}

void ControlPeer::endRequest() const
{
    shutdown(m_descriptor, SHUT_WR);
}

QByteArray ControlPeer::read()
{
    QByteArray piece(65'536, Qt::Uninitialized);
    const ssize_t size = recv(m_descriptor, piece.data(), 65'536, MSG_DONTWAIT);
    m_isAtEnd = size == 0;
    m_hasFailed = size < 0 && errno != EAGAIN;
    return piece.first(qMax(size, ssize_t{0}));
}

std::optional<QByteArray> ControlPeer::readAll(QDeadlineTimer deadline)
{
    const auto isOver = [&] {
        for (QByteArray piece; !(piece = read()).isEmpty();)
            m_unfinished += piece;
        return m_isAtEnd || m_hasFailed;
    };
    return waitUntil(isOver, deadline) ? std::optional(std::exchange(m_unfinished, {}))
                                       : std::nullopt;
}

QList<QJsonObject> ControlPeer::parse(const std::optional<QByteArray> &answer)
{
    if (!answer || !answer->endsWith('\n'))
        return {};
    QList<QJsonObject> objects;
    for (const QByteArray &line : answer->chopped(1).split('\n')) {
        const QJsonDocument document = QJsonDocument::fromJson(line);
        if (!document.isObject())
            return {};
        objects += document.object();
    }
    return objects;
}

QList<QJsonObject> ControlPeer::askAll(const QString &path, const QByteArray &request)
{
    ControlPeer client(path);
    client.send(request + '\n');
    return parse(client.readAll());
}

QJsonObject ControlPeer::ask(const QString &path, const QByteArray &request)
{
    const QList<QJsonObject> objects = askAll(path, request);
    return objects.isEmpty() ? QJsonObject() : objects.constLast();
}

bool isOk(const QJsonObject &answer)
{
    return answer.value(QStringLiteral("ok")).toBool();
}

QString codeOf(const std::optional<QByteArray> &answer)
{
    const QList<QJsonObject> objects = ControlPeer::parse(answer);
    const bool isRefusal =
        objects.size() == 1 && objects[0].value(QStringLiteral("ok")) == QJsonValue(false);
    return isRefusal ? text(objects[0], "code") : QString();
}

} // namespace dtlsd::test
