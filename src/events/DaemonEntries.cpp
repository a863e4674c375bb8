// SPDX-License-Identifier: Apache-2.0
#include "core/Quantity.h"
#include "core/Version.h"
#include "events/Entry.h"
#include "events/EventLog.h"

#include <QStringList>

namespace dtlsd {

template <>
struct Entry<ConfigMessage>
{
    static constexpr EventKind kind{"configuration-warning", "7187ad447dc94929a8c31612df49292c",
                                    Priority::Warning};

    static void write(RecordBuilder &entry, const ConfigMessage &warning)
    {
        entry.message(warning.toString()).place(warning);
    }
};

template <>
struct Entry<Started>
{
    static constexpr EventKind kind{"started", "4f7cadc1a03848c7ac4d417f1fb8f0d2",
                                    Priority::Notice};

    static void write(RecordBuilder &entry, const Started &event)
    {
        const QString backend = nameIn(backendNames, event.tlsBackend);
        const QString takenOver =
            event.kept.takenOver == 0
                ? QString()
                : QStringLiteral("; %1 taken over").arg(counted(event.kept.takenOver, "session"));
        entry.message(
            QStringLiteral("dtlsd %1 listens on %2%3 with %4 for %5; TLS backend: %6%7%8")
                .arg(version, toString(event.addresses),
                     event.isSocketActivated ? QStringLiteral(" (passed by systemd)") : QString(),
                     counted(event.workers, "worker"),
                     counted(event.identities, "identity", "identities"), backend, inert(event),
                     takenOver));
        entry.text("DTLSD_LOCAL_ADDRESS", toString(event.addresses));
        entry.text("DTLSD_TLS_BACKEND", backend);
        entry.text("DTLSD_CONNECTION_IDS",
                   yesOrNo(event.connectionIds == ConnectionIdUse::InForce));
        entry.text("DTLSD_KEPT_SESSIONS", yesOrNo(event.kept.areKept()));
        entry.number("DTLSD_TAKEN_OVER", event.kept.takenOver);
        if (!event.configFile.isEmpty())
            entry.text("DTLSD_CONFIG_FILE", event.configFile);
    }

private:
    static QString yesOrNo(bool is) { return is ? QStringLiteral("yes") : QStringLiteral("no"); }

    /// What the backend makes of the keys that need the other one.
    static QString inert(const Started &event)
    {
        QStringList keys;
        if (event.connectionIds == ConnectionIdUse::Inert)
            keys += QStringLiteral("[tls] connection_ids");
        if (event.kept.use == KeepSessionsUse::Inert)
            keys += QStringLiteral("[server] keep_sessions");
        if (keys.isEmpty())
            return {};
        return QStringLiteral(", so %1 %2 no effect")
            .arg(keys.join(u" and "),
                 keys.size() == 1 ? QStringLiteral("has") : QStringLiteral("have"));
    }
};

template <>
struct Entry<SessionsLost>
{
    static constexpr EventKind kind{"sessions-lost", "c1224d35a8db4189ac2b26e66a26302a",
                                    Priority::Warning};

    static void write(RecordBuilder &entry, const SessionsLost &event)
    {
        entry
            .message(QStringLiteral("%1 of the process before not taken over: %2; their devices "
                                    "open new ones")
                         .arg(event.count > 0 ? counted(event.count, "session")
                                              : QStringLiteral("sessions"),
                              event.why))
            .text("DTLSD_REASON", event.why)
            .number("DTLSD_COUNT", event.count);
    }
};

template <>
struct Entry<Stopping>
{
    static constexpr EventKind kind{"stopping", "fbf8b8c61b1a40c58b82ecc682da8512",
                                    Priority::Notice};

    static void write(RecordBuilder &entry, const Stopping &event)
    {
        entry
            .message(QStringLiteral("stopping on %1; %2 %3")
                         .arg(event.reason, counted(event.sessions, "session"),
                              event.areKept ? QStringLiteral("kept for the next process")
                                            : QStringLiteral("to close")))
            .text("DTLSD_REASON", event.reason)
            .number("DTLSD_COUNT", event.sessions);
    }
};

template <>
struct Entry<Reloaded>
{
    static constexpr EventKind kind{"reloaded", "560e07700cdc4ad7b2a593daa2b0fe9b",
                                    Priority::Notice};

    static void write(RecordBuilder &entry, const Reloaded &event)
    {
        const QString revoked =
            event.revoked == 0
                ? QString()
                : QStringLiteral("; %1 revoked").arg(counted(event.revoked, "session"));
        entry.message(
            QStringLiteral("configuration reloaded: %1%2").arg(event.change.toString(), revoked));
        entry.number("DTLSD_COUNT", event.revoked);
        if (!event.configFile.isEmpty())
            entry.text("DTLSD_CONFIG_FILE", event.configFile);
    }
};

template <>
struct Entry<ReloadRejected>
{
    static constexpr EventKind kind{"reload-rejected", "f89df71487074acda91a38e54bf08889",
                                    Priority::Error};

    static void write(RecordBuilder &entry, const ReloadRejected &event)
    {
        const QString further = event.further > 0
                                    ? QStringLiteral("; %1, see dtlsd --check")
                                          .arg(counted(event.further, "further error"))
                                    : QString();
        entry
            .message(QStringLiteral("configuration not reloaded: %1%2")
                         .arg(event.error.toString(), further))
            .place(event.error);
    }
};

template <>
struct Entry<Losses>
{
    static constexpr EventKind kind{"entries-dropped", "506c63730c434945b2e0206d9a87f7c6",
                                    Priority::Warning};

    static void write(RecordBuilder &entry, const Losses &event)
    {
        QStringList causes;
        if (event.crowdedOut > 0)
            causes += QStringLiteral("%1 for want of room in [log] queue").arg(event.crowdedOut);
        if (event.refused > 0)
            causes += QStringLiteral("%1 not kept by the log").arg(event.refused);
        entry
            .message(
                QStringLiteral("%1 lost (%2); datagrams among them got no receipt; check "
                               "journald, or what reads our output, and its disk")
                    .arg(counted(event.total(), "entry was", "entries were"), causes.join(u", ")))
            .number("DTLSD_COUNT", event.total());
    }
};

template <>
struct Entry<Verifiability>
{
    static constexpr EventKind kind{"log-unverifiable", "b7cc02536c6d4636a64720f9d92251e9",
                                    Priority::Warning};

    static void write(RecordBuilder &entry, const Verifiability &event)
    {
        const bool isReadable = event.obstacle.empty();
        const QString message =
            isReadable
                ? QStringLiteral("entries can be read back from the journal again, after %1; %2 "
                                 "meanwhile could not be acknowledged")
                      .arg(inWords(event.lasted), counted(event.unverified, "entry", "entries"))
                : QStringLiteral(
                      "entries cannot be read back from the journal, so datagrams get no "
                      "receipt: %1")
                      .arg(QString::fromStdString(event.obstacle));
        entry.message(message)
            .text("DTLSD_REASON",
                  isReadable ? QStringLiteral("readable") : QStringLiteral("unreadable"))
            .duration(event.lasted)
            .number("DTLSD_COUNT", event.unverified);
    }
};

template <>
struct Entry<StatisticsTaken>
{
    static constexpr EventKind kind{"statistics", "e135c23185ef404ab243e105d7a0980d",
                                    Priority::Info};

    static void write(RecordBuilder &entry, const StatisticsTaken &event)
    {
        const Statistics &period = event.period;
        const QString overflowed =
            period.unverified.overflowed == 0
                ? QString()
                : QStringLiteral(", %1 dropped by the kernel").arg(period.unverified.overflowed);
        entry
            .message(QStringLiteral("%1 open, %2 half-open; in the last %3: %4 opened, %5 "
                                    "closed, %6 failed, %7 received, %8 replies sent%9")
                         .arg(counted(period.sessions, "session"))
                         .arg(period.halfOpen)
                         .arg(formatDuration(event.length))
                         .arg(period.sessionsOpened)
                         .arg(period.sessionsClosed.total())
                         .arg(period.handshakesFailed.total())
                         .arg(counted(period.received.datagrams, "datagram"),
                              QString::number(period.sent.datagrams), overflowed))
            .duration(event.length)
            .number("DTLSD_SESSIONS", period.sessions)
            .number("DTLSD_HALF_OPEN", period.halfOpen)
            .number("DTLSD_SESSIONS_OPENED", period.sessionsOpened)
            .number("DTLSD_SESSIONS_CLOSED", period.sessionsClosed.total())
            .number("DTLSD_HANDSHAKES_FAILED", period.handshakesFailed.total())
            .number("DTLSD_COUNT", period.received.datagrams)
            .traffic(period.received, period.sent)
            .number("DTLSD_BAD_RECORDS", period.badRecords)
            .number("DTLSD_KERNEL_DROPS", period.unverified.overflowed)
            .number("DTLSD_UNVERIFIED", period.unverified.total());
    }
};

LogRecord EventLog::describe(const DaemonEvent &event) const
{
    return recordOf(event, m_options);
}

const EventKind &EventLog::kindOf(const DaemonEvent &event)
{
    return kindIn(event);
}

std::vector<EventKind> EventLog::kinds()
{
    std::vector<EventKind> kinds = KindsOf<DaemonEvent>::all;
    for (const auto &more : {serverKinds(), serviceKinds()})
        kinds.insert(kinds.end(), more.begin(), more.end());
    return kinds;
}

} // namespace dtlsd
