// SPDX-License-Identifier: Apache-2.0
#include "log/LogRecord.h"

namespace dtlsd {

const char *levelName(Priority priority)
{
    switch (priority) {
    case Priority::Error:
        return "error";
    case Priority::Warning:
        return "warning";
    case Priority::Notice:
        return "notice";
    case Priority::Info:
        return "info";
    case Priority::Debug:
        break;
    }
    return "debug";
}

} // namespace dtlsd
