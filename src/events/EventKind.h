// SPDX-License-Identifier: Apache-2.0
//
// EventKind: the values by which operators filter an event's entries. They never change; each
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
