// SPDX-License-Identifier: Apache-2.0
#include "support/StoreCopy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dtlsd::test {

QByteArray bytesOf(int memfd)
{
    struct stat status = {};
    if (fstat(memfd, &status) != 0)
        return {};
    QByteArray bytes(static_cast<qsizetype>(status.st_size), '\0');
    const ssize_t size = pread(memfd, bytes.data(), static_cast<std::size_t>(bytes.size()), 0);
    return size == bytes.size() ? bytes : QByteArray();
}

Descriptor memfdOf(const QByteArray &bytes, unsigned seals)
{
    Descriptor made(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    const bool isDone = pwrite(made.number(), bytes.constData(),
                               static_cast<std::size_t>(bytes.size()), 0) == bytes.size() &&
                        fcntl(made.number(), F_ADD_SEALS, seals) == 0;
    return isDone ? std::move(made) : Descriptor();
}

Descriptor memfdOf(const QByteArray &bytes)
{
    return memfdOf(bytes, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

} // namespace dtlsd::test
