// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/Report.h"

#include "core/Escape.h"
#include "core/Quantity.h"
#include "tools/dtlsctl/Units.h"

namespace dtlsd {

namespace {

using Tone = TextLine::Tone;

TextLine line(const QString &label, const QString &text, Tone tone = Tone::Plain)
{
    return {QStringLiteral("  %1 %2").arg(label, -14).arg(text), tone};
}

TextLine configuration(const StatusAnswer &status)
{
    QString text =
        status.configFile.isEmpty() ? QStringLiteral("built-in defaults") : safe(status.configFile);
    if (status.reloadsApplied + status.reloadsRejected > 0)
        text += QStringLiteral(", reloaded %1, rejected %2, the last time %3")
                    .arg(counted(status.reloadsApplied, "time"),
                         counted(status.reloadsRejected, "time"), safe(status.lastReload));
    return line(QStringLiteral("Configuration"), text,
                status.lastReload == u"rejected" ? Tone::Warning : Tone::Plain);
}

/// What a restart does to the open sessions, and what the last one did.
QString restarts(const StatusAnswer &status)
{
    QString text =
        status.keepsSessions ? QStringLiteral("sessions are kept") : QStringLiteral("sessions end");
    if (!status.keepObstacle.isEmpty())
        text += QStringLiteral(": ") + safe(status.keepObstacle);
    if (status.takenOver > 0)
        text += QStringLiteral(", %1 at the last one").arg(status.takenOver);
    return text;
}

QString traffic(std::int64_t datagrams, std::int64_t bytes)
{
    return QStringLiteral("%1 (%2)").arg(counted(datagrams, "datagram"), bytesText(bytes));
}

TextLine log(const StatusAnswer &status)
{
    const bool isStalled = status.logStalledSeconds >= 1;
    const QString unverified = status.logUnverified > 0
                                   ? QStringLiteral(", %1 not read back").arg(status.logUnverified)
                                   : QString();
    const QString stalled =
        isStalled ? QStringLiteral(", stalled for %1").arg(spanText(status.logStalledSeconds))
                  : QString();
    return line(
        QStringLiteral("Log"),
        safe(status.logTarget) + QStringLiteral(": %1 written, %2 lost%3, %4 of %5 waiting%6")
                                     .arg(status.logWritten)
                                     .arg(status.logLost)
                                     .arg(unverified)
                                     .arg(status.logWaiting)
                                     .arg(status.logCapacity)
                                     .arg(stalled),
        status.logLost > 0 || status.logUnverified > 0 || isStalled ? Tone::Warning : Tone::Plain);
}

/// Why no receipts are given at present; empty if they are given.
TextBlock logProblem(const StatusAnswer &status)
{
    const QString label = QStringLiteral("No receipts");
    if (!status.logObstacle.isEmpty())
        return {line(
            label, QStringLiteral("entries cannot be read back: %1").arg(safe(status.logObstacle)),
            Tone::Warning)};
    if (status.logLosingSeconds >= 1)
        return {line(label,
                     QStringLiteral("all entries have been lost for %1: %2")
                         .arg(spanText(status.logLosingSeconds), safe(status.logLossReason)),
                     Tone::Warning)};
    return {};
}

QString drops(const ForwardAnswer &forward)
{
    QStringList drops;
    for (const DropAnswer &drop : forward.dropped) {
        if (drop.datagrams > 0)
            drops += QStringLiteral("%1 %2").arg(drop.datagrams).arg(safe(drop.cause));
    }
    return drops.join(QStringLiteral(", "));
}

/// Empty where no service is configured.
TextBlock forwarding(const ForwardAnswer &forward)
{
    if (forward.services.isEmpty())
        return {};
    TextBlock block;
    for (const ServiceAnswer &service : forward.services)
        block +=
            line(QStringLiteral("Service"),
                 safe(service.service) + (service.isReachable ? QStringLiteral(": reachable")
                                                              : QStringLiteral(": not reachable")),
                 service.isReachable ? Tone::Plain : Tone::Warning);
    block += line(QStringLiteral("Forwarded"),
                  QStringLiteral("%1 to services, %2 from services, %3")
                      .arg(traffic(forward.datagramsToService, forward.bytesToService),
                           traffic(forward.datagramsFromService, forward.bytesFromService),
                           counted(forward.sockets, "socket")));
    if (const QString dropped = drops(forward); !dropped.isEmpty())
        block += line(QStringLiteral("Not taken"), dropped, Tone::Warning);
    return block;
}

TextLine workerLine(const WorkerAnswer &worker)
{
    return line(QStringLiteral("Worker %1").arg(worker.worker),
                QStringLiteral("%1, %2, %3 received, %4 s of CPU")
                    .arg(counted(worker.sessions, "session"), counted(worker.halfOpen, "handshake"),
                         counted(worker.datagramsReceived, "datagram"))
                    .arg(worker.cpuSeconds, 0, 'f', 2));
}

} // namespace

TextBlock statusReport(const StatusAnswer &status)
{
    TextBlock block{
        {QStringLiteral("dtlsd %1, process %2, up %3")
             .arg(safe(status.version), QString::number(status.pid),
                  spanText(status.uptimeSeconds)),
         Tone::Heading},
        line(QStringLiteral("Listening on"), safe(status.listen.join(QStringLiteral(", ")), 4096)),
        configuration(status),
        line(QStringLiteral("TLS backend"), safe(status.tlsBackend)),
        line(QStringLiteral("At a restart"), restarts(status)),
        line(QStringLiteral("Now"), QStringLiteral("%1 of %2, %3 under way")
                                        .arg(counted(status.sessions, "session"),
                                             counted(status.identities, "identity", "identities"),
                                             counted(status.halfOpen, "handshake"))),
        line(QStringLiteral("Since start"),
             QStringLiteral("%1 opened, %2 closed, %3 failed")
                 .arg(counted(status.sessionsOpened, "session"))
                 .arg(status.sessionsClosed)
                 .arg(counted(status.handshakesFailed, "handshake"))),
        line(QStringLiteral("Received"),
             traffic(status.traffic.datagramsReceived, status.traffic.bytesReceived)),
        line(QStringLiteral("Sent"),
             traffic(status.traffic.datagramsSent, status.traffic.bytesSent)),
        line(QStringLiteral("Receipts"), QStringLiteral("%1 withheld").arg(status.receiptsWithheld),
             status.receiptsWithheld > 0 ? Tone::Warning : Tone::Plain),
        log(status)};
    block += logProblem(status);
    block += forwarding(status.forward);
    for (const WorkerAnswer &worker : status.workers)
        block += workerLine(worker);
    return block;
}

} // namespace dtlsd
