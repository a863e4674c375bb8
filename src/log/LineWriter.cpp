// SPDX-License-Identifier: Apache-2.0
#include "log/LineWriter.h"

#include <cerrno>
#include <cstring>

#include <poll.h>
#include <unistd.h>

namespace dtlsd {

namespace {

/// Whether write() is worth a retry. Waits first where the descriptor does not block: our parent
/// process may have set O_NONBLOCK on the pipe that we share.
bool waitAfterError(int fd, int error)
{
    if (error == EAGAIN) {
        pollfd writable = {.fd = fd, .events = POLLOUT, .revents = 0};
        return poll(&writable, 1, -1) == 1 || errno == EINTR;
    }
    return error == EINTR;
}

} // namespace

bool LineWriter::write(QByteArrayView line)
{
    if (m_cut && writeBytes("\n") != 1)
        return false;
    const qsizetype written = writeBytes(line);
    m_cut = written > 0 && written < line.size();
    return written == line.size();
}

/// How many of @p bytes were written before an error.
qsizetype LineWriter::writeBytes(QByteArrayView bytes)
{
    qsizetype done = 0;
    while (done < bytes.size()) {
        const auto rest = bytes.sliced(done);
        const ssize_t count = ::write(m_fd, rest.data(), static_cast<std::size_t>(rest.size()));
        if (count > 0) {
            done += count;
            continue;
        }
        m_error = errno;
        if (count == 0 || !waitAfterError(m_fd, m_error))
            break;
    }
    return done;
}

std::string LineWriter::errorText() const
{
    return std::string(m_fd == STDOUT_FILENO ? "standard output: " : "") + std::strerror(m_error);
}

} // namespace dtlsd
