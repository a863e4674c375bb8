// SPDX-License-Identifier: Apache-2.0
#include "control/ControlServer.h"

#include "control/ControlConnection.h"

#include <QFile>
#include <QFileInfo>
#include <QLocalSocket>

#include <algorithm>
#include <array>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dtlsd {

namespace {

constexpr std::chrono::milliseconds neighbourPatience{500};

std::vector<gid_t> furtherGroups(int descriptor)
{
    std::array<gid_t, 256> groups{};
    socklen_t length = sizeof groups;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length) != 0)
        return {}; // more than 256, or none
    return {groups.begin(), groups.begin() + length / sizeof(gid_t)};
}

/// Whether the client is root, our own user or in our group. The socket's mode lets in only these;
/// this checks again, in case the mode was changed.
bool isEntitled(int descriptor)
{
    ucred peer{};
    socklen_t length = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return false;
    if (peer.uid == 0 || peer.uid == geteuid() || peer.gid == getegid())
        return true;
    const std::vector<gid_t> groups = furtherGroups(descriptor);
    return std::find(groups.begin(), groups.end(), getegid()) != groups.end();
}

/// An error if there is a file at @p path that must stay.
Result<> checkPlace(const QString &path)
{
    struct stat status = {};
    if (lstat(QFile::encodeName(path).constData(), &status) != 0)
        return success();
    if (!S_ISSOCK(status.st_mode))
        return Error{QStringLiteral("%1 is there already, and no socket").arg(path)};
    QLocalSocket neighbour;
    neighbour.connectToServer(path);
    const bool isConnected =
        neighbour.waitForConnected(static_cast<int>(neighbourPatience.count()));
    // Only a refused connection shows that nobody listens: a hanging process accepts none either.
    if (!isConnected && neighbour.error() == QLocalSocket::ConnectionRefusedError)
        return success();
    return Error{QStringLiteral("another process listens at %1").arg(path)};
}

} // namespace

ControlServer::ControlServer(Answer answer, const Limits &limits)
    : m_answer(std::move(answer))
    , m_limits(limits)
    , m_listener([this](int client) { serve(client); })
{
}

ControlServer::~ControlServer() = default;

Result<> ControlServer::listen(const QString &path)
{
    if (Result<> place = checkPlace(path); !place)
        return place;
    // As RuntimeDirectory= does, for a daemon that is started by hand.
    static_cast<void>(::mkdir(QFile::encodeName(QFileInfo(path).path()).constData(), 0755));
    if (const Result<> listening = m_listener.listen(path); !listening)
        return Error{
            QStringLiteral("cannot listen at %1: %2").arg(path, listening.error().message)};
    return success();
}

void ControlServer::serve(int client)
{
    QList<ControlConnection *> open = findChildren<ControlConnection *>(Qt::FindDirectChildrenOnly);
    open.removeIf([](const ControlConnection *other) { return !other->isOpen(); });
    auto *connection = new ControlConnection(Descriptor(client), m_answer, m_limits, this);
    if (!isEntitled(client))
        return connection->refuse("forbidden",
                                  QStringLiteral("this is for root and for the group of dtlsd"));
    if (open.size() < m_limits.connections)
        return;
    auto refused = std::ranges::find_if(open, &ControlConnection::isAbandoned);
    if (refused == open.end())
        refused = std::ranges::find_if(open, &ControlConnection::isSilent);
    (refused == open.end() ? connection : *refused)
        ->refuse(
            "busy",
            QStringLiteral("%1 clients are being served; try again").arg(m_limits.connections));
} // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): the parent deletes a connection

} // namespace dtlsd
