// SPDX-License-Identifier: Apache-2.0
//
// JournalFiles: whether this process can read the files of the journal that are written to now.
// libsystemd passes over those that it cannot open, and does not say so: to a program it looks as
// if there were no entries.
#pragma once

#include <string>

namespace dtlsd {

struct JournalFiles
{
    int readable = 0;
    std::string denied; ///< `…/system.journal: Permission denied`; empty: none
    std::string
        shortage; ///< `…/system.journal: Too many open files`, or another error; empty: none

    /// Those of this machine and user.
    static JournalFiles look();
};

} // namespace dtlsd
