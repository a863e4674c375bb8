// SPDX-License-Identifier: Apache-2.0
//
// JournalCount: counts the entries of datagrams in a journal, and the messages that have one.
#pragma once

#include "core/Result.h"

#include <QString>

#include <cstddef>

namespace dtlsd::bench {

struct JournalCount
{
    /// Counts for messages 0 to @p messages - 1, in the files under @p directory.
    static Result<JournalCount> of(const QString &directory, std::size_t messages);

    std::size_t entries = 0;
    std::size_t distinct = 0; ///< messages with at least one
};

} // namespace dtlsd::bench
