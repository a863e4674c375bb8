// SPDX-License-Identifier: Apache-2.0
//
// logEvent(): logs an event that needs no receipt.
#pragma once

#include "events/EventLog.h"
#include "log/LogWriter.h"

#include <QHashFunctions>

#include <cstddef>
#include <type_traits>
#include <utility>
#include <variant>

namespace dtlsd {

/// The source that the entry of @p event counts for in the log's queue; 0 is dtlsd itself.
template <class Event>
std::size_t sourceOf(const Event &event)
{
    if constexpr (std::is_same_v<Event, ServerEvent>)
        return std::visit([](const auto &value) { return sourceOf(value); }, event);
    else if constexpr (requires { event.session.source; })
        return event.session.source;
    else if constexpr (requires { event.account; })
        return qHash(event.account, QHashSeed::globalSeed());
    else
        return 0;
}

/// Pushes the entry of @p event, if `[log] level` includes its kind.
template <class Event>
void logEvent(const EventLog &events, LogWriter &writer, const Event &event)
{
    if (auto record = events.record(event))
        // The queue counts entries that it refuses; the log reports them later.
        static_cast<void>(writer.push({std::move(*record), nullptr, sourceOf(event)}));
}

} // namespace dtlsd
