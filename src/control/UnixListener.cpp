// SPDX-License-Identifier: Apache-2.0
#include "control/UnixListener.h"

#include <QFile>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace dtlsd {

namespace {

constexpr int backlog = 50;
constexpr QByteArrayView unfinished(".new"); // suffix of a socket that is not complete
// The socket stays readable after a failed accept(): without a pause, retries would busy a core.
constexpr std::chrono::milliseconds pauseAfterFailure{100};

Error lastError()
{
    return {QString::fromStdString(std::generic_category().message(errno))};
}

/// Removes the socket of a process that was killed while it created it.
void removeSocket(const QByteArray &path)
{
    struct stat status = {};
    if (::lstat(path.constData(), &status) == 0 && S_ISSOCK(status.st_mode))
        ::unlink(path.constData());
}

} // namespace

UnixListener::UnixListener(std::function<void(int)> taker)
    : m_taker(std::move(taker))
{
    m_pause.setSingleShot(true);
    m_pause.setInterval(pauseAfterFailure);
    connect(&m_pause, &QTimer::timeout, this, [this] { m_arrivals->setEnabled(true); });
}

UnixListener::~UnixListener()
{
    if (!m_path.isEmpty())
        ::unlink(m_path.constData());
}

Result<> UnixListener::listen(const QString &path)
{
    const QByteArray name = QFile::encodeName(path);
    const QByteArray made = QByteArray(name).append(unfinished);
    removeSocket(made);
    if (Result<> bound = bindAt(made); !bound)
        return bound;
    // Nobody can connect before listen(), so the mode applies to the first client too.
    if (::chmod(made.constData(), 0660) != 0 || ::listen(m_socket.number(), backlog) != 0 ||
        std::rename(made.constData(), name.constData()) != 0) {
        Error error = lastError();
        ::unlink(made.constData());
        return error;
    }
    m_path = name;
    keepSpare();
    m_arrivals = std::make_unique<QSocketNotifier>(m_socket.number(), QSocketNotifier::Read);
    connect(m_arrivals.get(), &QSocketNotifier::activated, this, &UnixListener::accept);
    return success();
}

Result<> UnixListener::bindAt(const QByteArray &path)
{
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const auto size = static_cast<std::size_t>(path.size());
    if (size >= sizeof address.sun_path)
        return Error{QStringLiteral("the path has %1 bytes; up to %2 are accepted")
                         .arg(path.size() - unfinished.size())
                         .arg(qsizetype{sizeof address.sun_path} - 1 - unfinished.size())};
    std::memcpy(address.sun_path, path.constData(), size);
    m_socket = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!m_socket.isOpen() ||
        ::bind(m_socket.number(), reinterpret_cast<sockaddr *>(&address), sizeof address) != 0)
        return lastError();
    return success();
}

void UnixListener::keepSpare()
{
    if (!m_spare.isOpen())
        m_spare = Descriptor(::fcntl(m_socket.number(), F_DUPFD_CLOEXEC, 0));
}

int UnixListener::acceptOne() const
{
    return ::accept4(m_socket.number(), nullptr, nullptr, SOCK_CLOEXEC);
}

void UnixListener::accept()
{
    keepSpare();
    int client = acceptOne();
    if (client < 0 && (errno == EMFILE || errno == ENFILE)) {
        m_spare = Descriptor();
        client = acceptOne();
    }
    if (client >= 0)
        return m_taker(client);
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) // the client has gone
        return;
    m_arrivals->setEnabled(false);
    m_pause.start();
}

} // namespace dtlsd
