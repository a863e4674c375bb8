// SPDX-License-Identifier: Apache-2.0
//
// logEvent(): the way of an event into the log when nobody waits to hear what became of it.
#pragma once

#include "app/EventLog.h"
#include "log/LogWriter.h"

#include <utility>

namespace dtlsd {

/// Pushes the entry of @p event, if its kind is wanted.
template <class Event>
void logEvent(const EventLog &events, LogWriter &writer, const Event &event)
{
    if (auto record = events.record(event))
        // What the queue refuses it counts, and the log says so later.
        static_cast<void>(writer.push({std::move(*record), nullptr}));
}

} // namespace dtlsd
