// SPDX-License-Identifier: Apache-2.0
//
// EventKind: what an operator filters the entries of an event by. None of it ever changes; each
// MESSAGE_ID has an entry in packaging/systemd/dtlsd.catalog.
#pragma once

#include "log/LogRecord.h"

namespace dtlsd {

struct EventKind
{
    const char *name;
    const char *messageId;
    Priority priority;
};

} // namespace dtlsd
