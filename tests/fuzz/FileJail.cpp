// SPDX-License-Identifier: Apache-2.0
#include "fuzz/FileJail.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

namespace dtlsd::fuzz {

FileJail &FileJail::instance()
{
    static FileJail jail;
    return jail;
}

void FileJail::add(const std::string &path, QByteArrayView content)
{
    m_files[path].write(content);
}

QByteArray FileJail::find(const char *path) const
{
    if (!m_closed)
        return path;
    const auto found = m_files.find(path);
    return found == m_files.end() ? QByteArray() : found->second.path().toLatin1();
}

} // namespace dtlsd::fuzz

// The names are the linker's; the mode, which callers may leave out, is passed on as it comes.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

int __real_open(const char *path, int flags, mode_t mode);
int __real_stat(const char *path, struct stat *status);

int __wrap_open(const char *path, int flags, mode_t mode)
{
    const QByteArray real = dtlsd::fuzz::FileJail::instance().find(path);
    if (!real.isEmpty())
        return __real_open(real.constData(), flags, mode);
    errno = ENOENT;
    return -1;
}

int __wrap_open64(const char *path, int flags, mode_t mode)
{
    return __wrap_open(path, flags, mode);
}

int __wrap_stat(const char *path, struct stat *status)
{
    const QByteArray real = dtlsd::fuzz::FileJail::instance().find(path);
    if (!real.isEmpty())
        return __real_stat(real.constData(), status);
    errno = ENOENT;
    return -1;
}

int __wrap_stat64(const char *path, struct stat *status)
{
    return __wrap_stat(path, status);
}

} // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
