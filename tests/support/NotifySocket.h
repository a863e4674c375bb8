// SPDX-License-Identifier: Apache-2.0
//
// NotifySocket: stands in for systemd's end of $NOTIFY_SOCKET.
#pragma once

#include <QByteArray>
#include <QTemporaryDir>

#include <array>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace dtlsd::test {

class NotifySocket
{
public:
    NotifySocket()
    {
        sockaddr_un at = {};
        at.sun_family = AF_UNIX;
        qstrncpy(at.sun_path, path().constData(), sizeof at.sun_path);
        m_ok = bind(m_fd, reinterpret_cast<const sockaddr *>(&at), sizeof at) == 0;
    }
    NotifySocket(const NotifySocket &) = delete;
    NotifySocket &operator=(const NotifySocket &) = delete;
    ~NotifySocket() { close(m_fd); }

    [[nodiscard]] bool ok() const { return m_ok; }
    /// The value of $NOTIFY_SOCKET.
    [[nodiscard]] QByteArray path() const
    {
        return m_directory.filePath(QStringLiteral("notify")).toLocal8Bit();
    }

    /// The next message, available as soon as it is sent; null if there is none.
    [[nodiscard]] QByteArray next() const
    {
        std::array<char, 4096> buffer{};
        const ssize_t size = recv(m_fd, buffer.data(), buffer.size(), 0);
        return size < 0 ? QByteArray() : QByteArray(buffer.data(), size);
    }

private:
    QTemporaryDir m_directory;
    int m_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool m_ok = false;
};

} // namespace dtlsd::test
