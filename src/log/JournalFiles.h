// SPDX-License-Identifier: Apache-2.0
//
// JournalFiles: whether this process can read the active files of the journal. libsystemd skips
// files that it cannot open without an error, as if they had no entries.
#pragma once

#include <string>

namespace dtlsd {

struct JournalFiles
{
    int readable = 0;
    std::string denied; ///< `…/system.journal: Permission denied`; empty: none
    std::string
        shortage; ///< `…/system.journal: Too many open files`, or another error; empty: none

    /// Tries to open the active journal files of this machine and user.
    static JournalFiles look();
};

} // namespace dtlsd
