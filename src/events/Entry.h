// SPDX-License-Identifier: Apache-2.0
//
// Entry: everything that turns an event into a log entry, in one place for each event. A variant
// of events needs an Entry for each alternative, or it does not compile.
#pragma once

#include "events/EventKind.h"
#include "events/RecordBuilder.h"

#include <variant>
#include <vector>

namespace dtlsd {

/// Each specialization has
///
///     static constexpr EventKind kind;
///     static void write(RecordBuilder &entry, const Event &event);
///
/// or with a third parameter, `const LogOptions &`.
template <class Event>
struct Entry;

template <class Event>
LogRecord recordOf(const Event &event, const LogOptions &options)
{
    RecordBuilder entry(Entry<Event>::kind);
    if constexpr (requires { Entry<Event>::write(entry, event, options); })
        Entry<Event>::write(entry, event, options);
    else
        Entry<Event>::write(entry, event);
    return entry.take();
}

template <class... Events>
LogRecord recordOf(const std::variant<Events...> &event, const LogOptions &options)
{
    return std::visit([&](const auto &value) { return recordOf(value, options); }, event);
}

template <class... Events>
const EventKind &kindIn(const std::variant<Events...> &event)
{
    static constexpr const EventKind *kinds[]{&Entry<Events>::kind...};
    return *kinds[event.index()];
}

template <class Variant>
struct KindsOf;
template <class... Events>
struct KindsOf<std::variant<Events...>>
{
    inline static const std::vector<EventKind> all{Entry<Events>::kind...};
};

/// The kinds of each ServerEvent and of Datagram.
[[nodiscard]] std::vector<EventKind> serverKinds();
/// The kinds of each ServiceEvent.
[[nodiscard]] std::vector<EventKind> serviceKinds();

} // namespace dtlsd
