// SPDX-License-Identifier: Apache-2.0
#include "support/ManagerStore.h"

#include <QFile>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace dtlsd::test {

namespace {

constexpr std::size_t longestMessage = 4096; // PIPE_BUF, as in systemd
constexpr std::size_t mostDescriptors = 253; // SCM_MAX_FD
constexpr qsizetype longestName = 255;

int listenAt(const QString &path)
{
    const QByteArray name = QFile::encodeName(path);
    sockaddr_un at = {};
    at.sun_family = AF_UNIX;
    qstrncpy(at.sun_path, name.constData(), sizeof at.sun_path);
    const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    if (bind(descriptor, reinterpret_cast<const sockaddr *>(&at), sizeof at) != 0 ||
        setsockopt(descriptor, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
        qFatal("no socket for notifications: %s", std::strerror(errno));
    return descriptor;
}

/// Whether they are one open file description. Where the kernel does not tell, systemd takes one
/// file for one description too.
bool isSame(int one, int other)
{
    const pid_t self = getpid();
    const long order = syscall(SYS_kcmp, self, self, KCMP_FILE, one, other);
    if (order >= 0)
        return order == 0;
    struct stat first = {};
    struct stat second = {};
    return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/// fdname_is_valid() of systemd
bool isValidName(const QByteArray &name)
{
    const auto isAllowed = [](char byte) { return byte >= ' ' && byte < 127 && byte != ':'; };
    return name.size() <= longestName && std::ranges::all_of(name, isAllowed);
}

void closeAll(std::vector<int> &descriptors)
{
    for (const int descriptor : std::exchange(descriptors, {}))
        close(descriptor);
}

} // namespace

QByteArray ManagerStore::Message::value(const QByteArray &name) const
{
    for (const QByteArray &line : lines) {
        if (line.startsWith(name + '='))
            return line.sliced(name.size() + 1);
    }
    return {};
}

ManagerStore::ManagerStore(std::size_t most)
    : m_most(most)
    , m_socket(listenAt(path()))
    , m_notifier(std::make_unique<QSocketNotifier>(m_socket, QSocketNotifier::Read))
{
    QObject::connect(m_notifier.get(), &QSocketNotifier::activated, m_notifier.get(),
                     [this] { receive(); });
}

ManagerStore::~ManagerStore()
{
    release();
    m_notifier.reset(); // before its descriptor is closed
    close(m_socket);
}

QString ManagerStore::path() const
{
    return m_directory.filePath(QStringLiteral("notify"));
}

void ManagerStore::receive()
{
    while (receiveOne()) {
    }
    dropBroken();
}

bool ManagerStore::receiveOne()
{
    std::array<char, longestMessage> text{};
    alignas(cmsghdr)
        std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * mostDescriptors)>
            control{};
    iovec part{text.data(), text.size()};
    msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t size = recvmsg(m_socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0)
        return errno == EINTR;

    pid_t sender = -1;
    Descriptors descriptors;
    for (cmsghdr *one = CMSG_FIRSTHDR(&header); one; one = CMSG_NXTHDR(&header, one)) {
        const std::size_t bytes = one->cmsg_len - CMSG_LEN(0);
        if (one->cmsg_level != SOL_SOCKET)
            continue;
        if (one->cmsg_type == SCM_CREDENTIALS) {
            ucred who = {};
            std::memcpy(&who, CMSG_DATA(one), sizeof who);
            sender = who.pid;
        } else if (one->cmsg_type == SCM_RIGHTS) {
            descriptors.resize(bytes / sizeof(int));
            std::memcpy(descriptors.data(), CMSG_DATA(one), bytes);
        }
    }
    const bool isWhole = (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    if (isWhole && sender == m_mainProcess) {
        Message message{QByteArray(text.data(), size).split('\n'), descriptors.size()};
        message.lines.removeAll(QByteArray());
        act(message, descriptors);
        m_messages.push_back(std::move(message));
    }
    closeAll(descriptors); // of a barrier, and what was not stored
    return true;
}

void ManagerStore::act(const Message &message, Descriptors &descriptors)
{
    if (message.says("BARRIER=1"))
        return;
    if (message.says("FDSTOREREMOVE=1")) {
        const QByteArray name = message.value("FDNAME");
        if (name.isNull() || !isValidName(name))
            return;
        std::erase_if(m_stored, [&](const PassedDescriptor &one) {
            if (one.name != name)
                return false;
            std::erase(m_polled, one.descriptor);
            close(one.descriptor);
            return true;
        });
    } else if (message.says("FDSTORE=1")) {
        store(message, descriptors);
    }
}

void ManagerStore::store(const Message &message, Descriptors &descriptors)
{
    QByteArray name = message.value("FDNAME");
    if (name.isNull() || !isValidName(name))
        name = "stored";
    for (const int descriptor : std::exchange(descriptors, {})) {
        if (m_stored.size() >= m_most) { // also if it is stored already
            ++m_refused;
            close(descriptor);
        } else if (isStored(descriptor)) {
            close(descriptor);
        } else {
            m_stored.insert(m_stored.begin(), {descriptor, name});
            if (!message.says("FDPOLL=0"))
                m_polled.push_back(descriptor);
        }
    }
}

bool ManagerStore::isStored(int descriptor) const
{
    return std::ranges::any_of(m_stored, [descriptor](const PassedDescriptor &one) {
        return isSame(one.descriptor, descriptor);
    });
}

void ManagerStore::dropBroken()
{
    std::erase_if(m_stored, [this](const PassedDescriptor &one) {
        if (std::ranges::find(m_polled, one.descriptor) == m_polled.end())
            return false;
        pollfd state{one.descriptor, 0, 0};
        if (poll(&state, 1, 0) <= 0 || (state.revents & (POLLERR | POLLHUP)) == 0)
            return false;
        std::erase(m_polled, one.descriptor);
        close(one.descriptor);
        return true;
    });
}

const std::vector<PassedDescriptor> &ManagerStore::stored()
{
    receive();
    return m_stored;
}

std::vector<PassedDescriptor> ManagerStore::stored(const QByteArray &prefix)
{
    std::vector<PassedDescriptor> found;
    std::ranges::copy_if(
        stored(), std::back_inserter(found),
        [&prefix](const PassedDescriptor &one) { return one.name.startsWith(prefix); });
    return found;
}

void ManagerStore::replace(int stored, int other)
{
    for (PassedDescriptor &one : m_stored) {
        if (one.descriptor != stored)
            continue;
        std::erase(m_polled, stored);
        close(stored);
        one.descriptor = other;
        return;
    }
    qFatal("descriptor %d is not stored", stored);
}

void ManagerStore::add(PassedDescriptor passed)
{
    m_stored.insert(m_stored.begin(), std::move(passed));
}

void ManagerStore::release()
{
    for (const PassedDescriptor &one : std::exchange(m_stored, {}))
        close(one.descriptor);
    m_polled.clear();
}

const std::vector<ManagerStore::Message> &ManagerStore::messages()
{
    receive();
    return m_messages;
}

int ManagerStore::refused()
{
    receive();
    return m_refused;
}

} // namespace dtlsd::test
