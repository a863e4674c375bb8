// SPDX-License-Identifier: Apache-2.0
#include "fuzz/MemoryFile.h"

#include "fuzz/FuzzTarget.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dtlsd::fuzz {

MemoryFile::MemoryFile(QByteArrayView content)
    : m_descriptor(memfd_create("dtlsd-fuzz", MFD_CLOEXEC))
{
    require(m_descriptor >= 0 && fchmod(m_descriptor, S_IRUSR | S_IWUSR) == 0,
            "the kernel gives a memory file");
    write(content);
}

MemoryFile::~MemoryFile()
{
    close(m_descriptor);
}

void MemoryFile::write(QByteArrayView content)
{
    const auto size = static_cast<std::size_t>(content.size());
    require(ftruncate(m_descriptor, 0) == 0 &&
                pwrite(m_descriptor, content.data(), size, 0) == content.size(),
            "a memory file takes what is written");
}

QString MemoryFile::path() const
{
    return QStringLiteral("/proc/self/fd/%1").arg(m_descriptor);
}

} // namespace dtlsd::fuzz
