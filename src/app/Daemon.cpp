// SPDX-License-Identifier: Apache-2.0
#include "app/Daemon.h"

#include "app/LogEvent.h"
#include "core/Quantity.h"
#include "dtls/DtlsConfiguration.h"

#include <QCoreApplication>
#include <QTextStream>

#include <cstdlib>

#include <signal.h>
#include <sysexits.h>

namespace dtlsd {

namespace {

// Long enough for a full queue, short enough for every service manager's patience.
constexpr std::chrono::seconds logPatience{5};

} // namespace

Daemon::Daemon(Config config, const QList<ConfigMessage> &warnings)
    : m_config(std::move(config))
    , m_events(m_config.log)
    , m_signals({SIGTERM, SIGINT, SIGHUP})
    , m_sink(SinkChoice::of(m_config.log.target, Surroundings::current()))
    , m_writer(makeSink(m_sink.kind, [this] { warn(unreadableJournalWarning()); }),
               static_cast<std::size_t>(m_config.log.queue),
               [this](std::uint64_t count) { return m_events.describe(EntriesDropped{count}); })
    , m_workers(m_config, m_events, m_writer)
{
    connect(&m_signals, &UnixSignals::received, this, &Daemon::handleSignal);
    connect(&m_statisticsTimer, &QTimer::timeout, this, &Daemon::takeStatistics);
    for (const ConfigMessage &warning : warnings)
        logEvent(m_events, m_writer, warning);
    if (!m_sink.warning.isEmpty()) {
        warn(m_sink.warning);
        if (m_sink.kind == SinkKind::Journal) // which cannot say itself that it is not there
            QTextStream(stderr) << "dtlsd: " << m_sink.warning << '\n';
    }
}

int Daemon::run()
{
    const bool started = start().ok();
    if (started)
        QCoreApplication::exec();
    const int status = started ? EX_OK : EX_UNAVAILABLE;
    stop(status);
    return status;
}

Result<> Daemon::start()
{
    if (!isDtlsSupported()) {
        const Error error{QStringLiteral("cannot listen: Qt's OpenSSL plugin is not installed")};
        logEvent(m_events, m_writer,
                 ListenFailed{m_config.server.listen.constFirst(), error.message});
        return error;
    }
    auto addresses = m_workers.listen();
    if (!addresses)
        return addresses.error(); // logged as listen-failed where it happened
    m_addresses = std::move(addresses).value();

    // The kernel doubles what is asked for, to have room for its own bookkeeping.
    const std::int64_t granted = m_workers.receiveBufferSize() / 2;
    if (granted < m_config.server.receiveBuffer)
        warn(QStringLiteral("[server] receive_buffer: the kernel grants %1 instead of %2, so "
                            "bursts may be lost; raise net.core.rmem_max")
                 .arg(formatByteSize(granted), formatByteSize(m_config.server.receiveBuffer)));
    logEvent(m_events, m_writer,
             Started{m_config.file, m_addresses, m_workers.size(),
                     m_config.settings.identities->size()});
    if (m_config.log.statisticsInterval.count() > 0)
        m_statisticsTimer.start(m_config.log.statisticsInterval);
    m_notifier.status(QStringLiteral("Listening on %1").arg(toString(m_addresses)));
    m_notifier.ready();
    return success();
}

void Daemon::warn(const QString &what)
{
    logEvent(m_events, m_writer, ConfigMessage{m_config.file, 0, what});
}

void Daemon::handleSignal(int number)
{
    if (number == SIGHUP) {
        logEvent(
            m_events, m_writer,
            ReloadRejected{QStringLiteral("SIGHUP: this version cannot reload; the configuration "
                                          "stays as it is until a restart")});
        return;
    }
    m_stopReason = QString::fromLatin1(sigabbrev_np(number)).prepend(u"SIG");
    QCoreApplication::quit();
}

void Daemon::takeStatistics()
{
    const Statistics now = m_workers.statistics();
    logEvent(m_events, m_writer,
             StatisticsTaken{now.since(m_statistics), m_config.log.statisticsInterval});
    m_statistics = now;
    m_notifier.status(QStringLiteral("Listening on %1; %2 sessions")
                          .arg(toString(m_addresses))
                          .arg(now.sessions));
}

void Daemon::stop(int status)
{
    m_notifier.stopping();
    if (!m_stopReason.isEmpty())
        logEvent(m_events, m_writer, Stopping{m_stopReason, m_workers.statistics().sessions});
    m_workers.stop();
    if (m_writer.stop(logPatience)) {
        if (const std::uint64_t lost = m_writer.unreported())
            QTextStream(stderr) << "dtlsd: " << lost << " entries were lost\n";
        return;
    }
    // The log thread hangs in a call that nothing can interrupt; what waits behind it was never
    // acknowledged. Destructors would wait for it, so there are none.
    QTextStream(stderr) << "dtlsd: the log takes nothing; leaving without its last entries\n";
    std::_Exit(status);
}

} // namespace dtlsd
