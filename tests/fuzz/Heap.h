// SPDX-License-Identifier: Apache-2.0
//
// How much memory the process has allocated: what a server holds is seen by the difference.
#pragma once

#include <cstddef>
#include <cstdint>

#include <malloc.h>

#if defined(__SANITIZE_ADDRESS__)
#define DTLSD_HAS_SANITIZER_ALLOCATOR
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DTLSD_HAS_SANITIZER_ALLOCATOR
#endif
#endif
#ifdef DTLSD_HAS_SANITIZER_ALLOCATOR
// <sanitizer/allocator_interface.h> comes with clang alone; gcc's runtime has the function as well.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the sanitizer's name
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace dtlsd::fuzz {

/// In bytes; always the same where the allocator does not tell.
inline std::int64_t allocatedBytes()
{
#ifdef DTLSD_HAS_SANITIZER_ALLOCATOR
    return static_cast<std::int64_t>(__sanitizer_get_current_allocated_bytes());
#else
    const auto info = mallinfo2();
    return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
#endif
}

} // namespace dtlsd::fuzz
