// SPDX-License-Identifier: Apache-2.0
#include "support/ControlClient.h"

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

/// -1: there is nobody.
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
        return problem != EAGAIN; // as many as the kernel lets wait for the server do
    };
    waitUntil(isDecided, QDeadlineTimer(patience));
    if (problem == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

} // namespace

ControlClient::ControlClient(const QString &path)
    : m_descriptor(connectTo(path))
{
}

ControlClient::ControlClient(const QString &path, const User &user)
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

ControlClient::~ControlClient()
{
    if (isConnected())
        close(m_descriptor);
}

bool ControlClient::send(const QByteArray &bytes) const
{
    return ::send(m_descriptor, bytes.constData(), static_cast<std::size_t>(bytes.size()),
                  MSG_NOSIGNAL | MSG_DONTWAIT) == bytes.size();
}

void ControlClient::endRequest() const
{
    shutdown(m_descriptor, SHUT_WR);
}

QByteArray ControlClient::read()
{
    QByteArray piece(65'536, Qt::Uninitialized);
    const ssize_t size = recv(m_descriptor, piece.data(), 65'536, MSG_DONTWAIT);
    m_isAtEnd = size == 0;
    m_hasFailed = size < 0 && errno != EAGAIN;
    return piece.first(qMax(size, ssize_t{0}));
}

std::optional<QByteArray> ControlClient::readAll(QDeadlineTimer deadline)
{
    QByteArray answer;
    const auto isOver = [&] {
        for (QByteArray piece; !(piece = read()).isEmpty();)
            answer += piece;
        return m_isAtEnd || m_hasFailed;
    };
    return waitUntil(isOver, deadline) ? std::optional(answer) : std::nullopt;
}

QList<QJsonObject> ControlClient::parse(const std::optional<QByteArray> &answer)
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

QList<QJsonObject> ControlClient::askAll(const QString &path, const QByteArray &request)
{
    ControlClient client(path);
    client.send(request + '\n');
    return parse(client.readAll());
}

QJsonObject ControlClient::ask(const QString &path, const QByteArray &request)
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
    const QList<QJsonObject> objects = ControlClient::parse(answer);
    const bool isRefusal =
        objects.size() == 1 && objects[0].value(QStringLiteral("ok")) == QJsonValue(false);
    return isRefusal ? text(objects[0], "code") : QString();
}

} // namespace dtlsd::test
