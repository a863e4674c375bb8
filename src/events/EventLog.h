// SPDX-License-Identifier: Apache-2.0
//
// EventLog: turns events into log records. Name and wording of each event are in its Entry, in
// ServerEntries.cpp, ServiceEntries.cpp and DaemonEntries.cpp.
#pragma once

#include "dtls/Events.h"
#include "events/DaemonEvents.h"
#include "events/EventKind.h"
#include "forward/ServiceEvents.h"
#include "log/LogRecord.h"

#include <optional>
#include <vector>

namespace dtlsd {

/// A small value: each thread has its own, and replaces it when the options change.
class EventLog
{
public:
    explicit EventLog(const LogOptions &options)
        : m_options(options)
    {
    }

    /// The record of an event; nullopt, at no cost, if `[log] level` excludes its kind.
    template <class Event>
    [[nodiscard]] std::optional<LogRecord> record(const Event &event) const
    {
        return wants(kindOf(event)) ? std::optional(describe(event)) : std::nullopt;
    }
    [[nodiscard]] bool wantsDatagrams() const;

    [[nodiscard]] LogRecord describe(const Datagram &event) const;
    [[nodiscard]] LogRecord describe(const ServerEvent &event) const;
    [[nodiscard]] LogRecord describe(const ServiceEvent &event) const;
    [[nodiscard]] LogRecord describe(const DaemonEvent &event) const;

    [[nodiscard]] static const EventKind &kindOf(const Datagram &event);
    [[nodiscard]] static const EventKind &kindOf(const ServerEvent &event);
    [[nodiscard]] static const EventKind &kindOf(const ServiceEvent &event);
    [[nodiscard]] static const EventKind &kindOf(const DaemonEvent &event);

    /// The kinds of all events.
    [[nodiscard]] static std::vector<EventKind> kinds();

private:
    [[nodiscard]] bool wants(const EventKind &kind) const
    {
        return kind.priority <= m_options.level;
    }

    LogOptions m_options;
};

} // namespace dtlsd
