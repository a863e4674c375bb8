// SPDX-License-Identifier: Apache-2.0
#include "core/Quantity.h"
#include "events/Entry.h"
#include "events/EventLog.h"
#include "events/Reasons.h"
#include "forward/ServiceEvents.h"

namespace dtlsd {

template <>
struct Entry<ServiceUnreachable>
{
    static constexpr EventKind kind{"service-unreachable", "ec413627c6f54bee91eda03ef1e82218",
                                    Priority::Warning};

    static void write(RecordBuilder &entry, const ServiceUnreachable &event)
    {
        const Reason reason = reasonFor(event.cause);
        const QString detail =
            event.detail.isEmpty() ? QString() : QStringLiteral(": ") + event.detail;
        entry
            .message(QStringLiteral("service %1: %2 not taken: %3%4")
                         .arg(event.target.toString(), counted(event.datagrams, "datagram"),
                              QLatin1String(reason.text), detail))
            .text("DTLSD_SERVICE", event.target.toString())
            .text("DTLSD_REASON", QLatin1String(reason.name))
            .number("DTLSD_COUNT", event.datagrams);
    }
};

template <>
struct Entry<ServiceReachable>
{
    static constexpr EventKind kind{"service-reachable", "4c9628a6b0cb437e80923d4a3fea068c",
                                    Priority::Notice};

    static void write(RecordBuilder &entry, const ServiceReachable &event)
    {
        const QString lost =
            event.datagrams == 0
                ? QString()
                : QStringLiteral("; %1 more not taken").arg(counted(event.datagrams, "datagram"));
        entry
            .message(QStringLiteral("service %1: takes datagrams again%2")
                         .arg(event.target.toString(), lost))
            .text("DTLSD_SERVICE", event.target.toString())
            .number("DTLSD_COUNT", event.datagrams);
    }
};

LogRecord EventLog::describe(const ServiceEvent &event) const
{
    return recordOf(event, m_options);
}

const EventKind &EventLog::kindOf(const ServiceEvent &event)
{
    return kindIn(event);
}

std::vector<EventKind> serviceKinds()
{
    return KindsOf<ServiceEvent>::all;
}

} // namespace dtlsd
