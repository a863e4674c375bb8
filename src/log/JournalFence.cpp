// SPDX-License-Identifier: Apache-2.0
#include "log/JournalFence.h"

#include <cerrno>
#include <cstring>

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace dtlsd {

namespace {

Descriptor openSocket()
{
    return Descriptor(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

/// Sends an empty datagram. Returns errno, or 0.
int send(int descriptor, const std::string &path, int flags)
{
    sockaddr_un to = {};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    for (;;) {
        if (sendto(descriptor, "", 0, flags | MSG_NOSIGNAL, reinterpret_cast<const sockaddr *>(&to),
                   sizeof to) == 0)
            return 0;
        if (errno != EINTR)
            return errno;
    }
}

/// How much output the receiver has not read yet (SIOCOUTQ); nullopt if the kernel does not tell.
std::optional<int> unreadOf(int descriptor)
{
    int unread = 0;
    return ioctl(descriptor, SIOCOUTQ, &unread) == 0 ? std::optional(unread) : std::nullopt;
}

/// Whether @p error is about this process or machine, not about the receiver.
bool isShortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

} // namespace

JournalFence::JournalFence(std::string socket)
    : m_socket(std::move(socket))
{
}

bool JournalFence::isServed() const
{
    const Descriptor descriptor = openSocket();
    const int error =
        descriptor.isOpen() ? send(descriptor.number(), m_socket, MSG_DONTWAIT) : errno;
    // EAGAIN: the queue is full, and may be read later.
    return error == 0 || error == EAGAIN || isShortage(error);
}

void JournalFence::put()
{
    m_identity = socketIdentity();
    m_error = makeSocket() ? send(m_descriptor.number(), m_socket, 0) : errno;
}

/// Unread output of an earlier fence would count for the next one, which then needs a new socket.
bool JournalFence::makeSocket()
{
    if (m_descriptor.isOpen() && unreadOf(m_descriptor.number()) == 0)
        return true;
    Descriptor descriptor = openSocket();
    if (!descriptor.isOpen())
        return false;
    m_descriptor = std::move(descriptor);
    return true;
}

JournalFence::State JournalFence::state() const
{
    if (isShortage(m_error))
        return State::NotPut;
    if (m_error != 0 || !m_identity || socketIdentity() != m_identity)
        return State::Broken;
    const std::optional<int> unread = unreadOf(m_descriptor.number());
    if (!unread)
        return State::Broken;
    return *unread > 0 ? State::Standing : State::Passed;
}

std::string JournalFence::problem() const
{
    return m_socket + ": " + std::strerror(m_error);
}

std::optional<JournalFence::FileIdentity> JournalFence::socketIdentity() const
{
    struct stat status = {};
    if (stat(m_socket.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode))
        return std::nullopt;
    return FileIdentity(status.st_dev, status.st_ino);
}

} // namespace dtlsd
