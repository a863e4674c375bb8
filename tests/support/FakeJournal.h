// SPDX-License-Identifier: Apache-2.0
//
// FakeJournal: a socket where systemd-journald's would be, decoding the native journal protocol
// (systemd.io/JOURNAL_NATIVE_PROTOCOL). libsystemd sends to one path only, so the test process gets
// a /run of its own first; that takes root.
#pragma once

#include <QByteArray>
#include <QList>
#include <QString>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace dtlsd::test {

class FakeJournal
{
public:
    using Field = std::pair<QByteArray, QByteArray>;
    using Entry = QList<Field>;

    static constexpr auto path = "/run/systemd/journal/socket";

    FakeJournal() = default;
    FakeJournal(const FakeJournal &) = delete;
    FakeJournal &operator=(const FakeJournal &) = delete;
    ~FakeJournal() { close(); }

    /// Call it before any thread starts: threads would stay outside. Returns an error, if any.
    static QString enterPrivateRun()
    {
        if (geteuid() != 0)
            return QStringLiteral("a private /run needs root");
        if (unshare(CLONE_NEWNS) != 0 ||
            mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("tmpfs", "/run", "tmpfs", 0, nullptr) != 0 || mkdir("/run/systemd", 0755) != 0 ||
            mkdir("/run/systemd/journal", 0755) != 0)
            return QStringLiteral("no private /run: ") + QString::fromLocal8Bit(strerror(errno));
        return {};
    }

    static sockaddr_un address()
    {
        sockaddr_un result = {};
        result.sun_family = AF_UNIX;
        std::strncpy(result.sun_path, path, sizeof result.sun_path - 1);
        return result;
    }

    bool open()
    {
        m_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const sockaddr_un at = address();
        return bind(m_fd, reinterpret_cast<const sockaddr *>(&at), sizeof at) == 0;
    }

    /// Stops listening; the socket file stays.
    void abandon()
    {
        if (m_fd >= 0)
            ::close(m_fd);
        m_fd = -1;
    }

    void close()
    {
        abandon();
        unlink(path);
    }

    /// The next entry, available as soon as it is sent, without DTLSD_RUN and DTLSD_NONCE; nullopt
    /// if there is none or it does not follow the protocol. Ignores empty datagrams, as journald
    /// does.
    std::optional<Entry> next()
    {
        for (;;) {
            const ssize_t size = recv(m_fd, nullptr, 0, MSG_PEEK | MSG_TRUNC);
            if (size < 0)
                return std::nullopt;
            QByteArray data(static_cast<qsizetype>(size), Qt::Uninitialized);
            m_lastWasFile = false;
            iovec part = {.iov_base = data.data(), .iov_len = static_cast<std::size_t>(size)};
            alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control = {};
            msghdr message = {};
            message.msg_iov = &part;
            message.msg_iovlen = 1;
            message.msg_control = control.data();
            message.msg_controllen = control.size();
            if (recvmsg(m_fd, &message, MSG_CMSG_CLOEXEC) < 0)
                return std::nullopt;
            if (const cmsghdr *header = CMSG_FIRSTHDR(&message))
                data = contents(header);
            if (!data.isEmpty())
                return decode(data);
        }
    }

    /// Whether the last entry came as a file (memfd) instead of as a datagram.
    bool lastWasFile() const { return m_lastWasFile; }

private:
    QByteArray contents(const cmsghdr *header)
    {
        m_lastWasFile = true;
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
        struct stat status = {};
        fstat(fd, &status);
        QByteArray data(status.st_size, '\0');
        qsizetype done = 0;
        while (done < data.size()) {
            const ssize_t count =
                pread(fd, data.data() + done, static_cast<std::size_t>(data.size() - done), done);
            if (count <= 0)
                break;
            done += count;
        }
        ::close(fd);
        return data;
    }

    /// `NAME=VALUE\n`, or `NAME\n`, the size as 64 bits in little endian, the value and `\n`.
    static std::optional<Entry> decode(const QByteArray &data)
    {
        Entry entry;
        qsizetype at = 0;
        while (at < data.size()) {
            const qsizetype end = data.indexOf('\n', at);
            if (end < 0)
                return std::nullopt;
            const QByteArray line = data.sliced(at, end - at);
            at = end + 1;
            if (const qsizetype equals = line.indexOf('='); equals > 0) {
                entry.append({line.first(equals), line.sliced(equals + 1)});
                continue;
            }
            quint64 size = 0;
            if (data.size() - at < qsizetype{sizeof size})
                return std::nullopt;
            std::memcpy(&size, data.constData() + at, sizeof size);
            at += qsizetype{sizeof size};
            if (static_cast<quint64>(data.size() - at) < size + 1)
                return std::nullopt;
            entry.append({line, data.sliced(at, static_cast<qsizetype>(size))});
            at += static_cast<qsizetype>(size) + 1;
        }
        for (const auto *mark : {"DTLSD_NONCE", "DTLSD_RUN"}) {
            if (!entry.isEmpty() && entry.last().first == mark)
                entry.removeLast();
        }
        return entry;
    }

    int m_fd = -1;
    bool m_lastWasFile = false;
};

} // namespace dtlsd::test
