// SPDX-License-Identifier: Apache-2.0
#include "app/LogHealth.h"

#include "log/JournalSink.h"

namespace dtlsd {

namespace {

// A disk that is slow for a moment is no reason for an alarm.
constexpr std::chrono::seconds stallPatience{10};

// Losses are reported every second, so a log that has recovered keeps an entry within a second.
constexpr std::chrono::seconds lossPatience{1};

/// Why no datagram gets a receipt; empty if receipts are given.
QString logProblem(const LogState &log)
{
    const auto inSeconds = [](std::chrono::milliseconds time) {
        return std::chrono::floor<std::chrono::seconds>(time).count();
    };
    if (!log.obstacle.empty())
        return QStringLiteral("entries cannot be read back from the journal: %1")
            .arg(QString::fromStdString(log.obstacle));
    if (log.losing > lossPatience)
        return QStringLiteral("the log has lost all entries for %1 s: %2")
            .arg(inSeconds(log.losing))
            .arg(QString::fromStdString(log.lossReason));
    if (log.stalled > stallPatience)
        return QStringLiteral("the log has taken nothing for %1 s").arg(inSeconds(log.stalled));
    return {};
}

} // namespace

Result<> checkLog(LogWriter &writer, LogTarget target)
{
    if (!writer.isAlive(lifePatience))
        return Error{QStringLiteral("the log thread does not answer")};
    if (const QString problem = logProblem(writer.state()); !problem.isEmpty())
        return Error{problem};
    if (target == LogTarget::Journal && !JournalSink::isThere()) // before any entry fails
        return Error{QStringLiteral("nobody receives at %1: is systemd-journald running?")
                         .arg(QLatin1String(JournalSink::defaultSocket))};
    return success();
}

} // namespace dtlsd
