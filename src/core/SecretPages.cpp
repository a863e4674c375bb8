// SPDX-License-Identifier: Apache-2.0
#include "core/SecretPages.h"

#include <new>

#include <sys/mman.h>

namespace dtlsd {

void *SecretPages::do_allocate(std::size_t bytes, std::size_t)
{
    void *pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || madvise(pages, bytes, MADV_DONTDUMP) != 0)
        throw std::bad_alloc();
    return pages;
}

void SecretPages::do_deallocate(void *pages, std::size_t bytes, std::size_t)
{
    munmap(pages, bytes);
}

} // namespace dtlsd
