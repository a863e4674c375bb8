// SPDX-License-Identifier: Apache-2.0
//
// How many files and sockets a test may have open: as many as the system lets it ask for.
#pragma once

#include <cstddef>

#include <sys/resource.h>

namespace dtlsd::test {

/// Raises the soft limit to the hard one, and returns it. 0: the system refuses.
inline std::size_t raiseDescriptorLimit()
{
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 0;
    files.rlim_cur = files.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_max : 0;
}

} // namespace dtlsd::test
