// SPDX-License-Identifier: Apache-2.0
//
// SecretPages: whole pages of memory for secrets, left out of core dumps (MADV_DONTDUMP of
// madvise(2)). The upstream of a pool, which divides them.
#pragma once

#include <memory_resource>

namespace dtlsd {

class SecretPages final : public std::pmr::memory_resource
{
private:
    /// Throws std::bad_alloc.
    void *do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void *pages, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
        return dynamic_cast<const SecretPages *>(&other) != nullptr;
    }
};

} // namespace dtlsd
