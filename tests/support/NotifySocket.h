// SPDX-License-Identifier: Apache-2.0
//
// NotifySocket: stands in for systemd's end of $NOTIFY_SOCKET.
#pragma once

#include "core/Descriptor.h"
#include "support/Patience.h"

#include <QByteArray>
#include <QTemporaryDir>

#include <array>
#include <cstring>
#include <vector>

#include <poll.h>
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
    [[nodiscard]] QByteArray next() const { return nextWithDescriptors().text; }

    struct Message
    {
        QByteArray text;
        std::vector<Descriptor> descriptors;
    };
    [[nodiscard]] Message nextWithDescriptors() const
    {
        std::array<char, 4096> buffer{};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(16 * sizeof(int))> control{};
        iovec text = {buffer.data(), buffer.size()};
        msghdr header = {};
        header.msg_iov = &text;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        const ssize_t size = recvmsg(m_fd, &header, MSG_CMSG_CLOEXEC);
        if (size < 0)
            return {};
        Message message{QByteArray(buffer.data(), size), {}};
        for (cmsghdr *part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
            if (part->cmsg_type != SCM_RIGHTS)
                continue;
            for (std::size_t at = CMSG_LEN(0); at < part->cmsg_len; at += sizeof(int)) {
                int number = -1;
                std::memcpy(&number, reinterpret_cast<const char *>(part) + at, sizeof number);
                message.descriptors.emplace_back(number);
            }
        }
        return message;
    }

    /// Waits until there is a message, or until patience is over.
    void wait() const
    {
        pollfd readable = {m_fd, POLLIN, 0};
        poll(&readable, 1, qtPatience);
    }

private:
    QTemporaryDir m_directory;
    int m_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool m_ok = false;
};

} // namespace dtlsd::test
