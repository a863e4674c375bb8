// SPDX-License-Identifier: Apache-2.0
#include "log/JournalFence.h"

#include <cerrno>

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace dtlsd {

namespace {

int openSocket()
{
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/// An empty datagram.
bool send(int descriptor, const std::string &path, int flags)
{
    sockaddr_un to = {};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    ssize_t sent = -1;
    do {
        sent = sendto(descriptor, "", 0, flags | MSG_NOSIGNAL,
                      reinterpret_cast<const sockaddr *>(&to), sizeof to);
    } while (sent < 0 && errno == EINTR);
    return sent == 0;
}

} // namespace

JournalFence::JournalFence(std::string socket)
    : m_socket(std::move(socket))
{
}

JournalFence::~JournalFence()
{
    if (m_descriptor >= 0)
        close(m_descriptor);
}

bool JournalFence::isServed() const
{
    const int descriptor = openSocket();
    const bool served = send(descriptor, m_socket, MSG_DONTWAIT) || errno == EAGAIN; // a full queue
    if (descriptor >= 0)
        close(descriptor);
    return served;
}

void JournalFence::put()
{
    // A new one each time: what somebody holds unread of a former fence does not count.
    if (m_descriptor >= 0)
        close(m_descriptor);
    m_descriptor = openSocket();
    m_identity = socketIdentity();
    m_wasSent = send(m_descriptor, m_socket, 0);
}

JournalFence::State JournalFence::state() const
{
    int unread = 0;
    if (!m_wasSent || !m_identity || socketIdentity() != m_identity ||
        ioctl(m_descriptor, SIOCOUTQ, &unread) != 0)
        return State::Broken;
    return unread > 0 ? State::Standing : State::Passed;
}

std::optional<JournalFence::FileIdentity> JournalFence::socketIdentity() const
{
    struct stat status = {};
    if (stat(m_socket.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode))
        return std::nullopt;
    return FileIdentity(status.st_dev, status.st_ino);
}

} // namespace dtlsd
