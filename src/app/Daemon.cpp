// SPDX-License-Identifier: Apache-2.0
#include "app/Daemon.h"

#include "app/LogHealth.h"
#include "app/TlsBackendChoice.h"
#include "core/Console.h"
#include "core/Quantity.h"
#include "dtls/DtlsConfiguration.h"
#include "tls/TlsBackend.h"

#include <QCoreApplication>

#include <cstdlib>

#include <signal.h>
#include <sysexits.h>

namespace dtlsd {

namespace {

// Long enough for a full queue, shorter than a service manager's stop timeout.
constexpr std::chrono::seconds logPatience{5};

} // namespace

Daemon::Daemon(ConfigResult initial, ConfigSource source, const PassedDescriptors &passed)
    : m_config(std::move(initial.config))
    , m_missing(std::move(initial.missing))
    , m_tlsBackend(useTlsBackend(m_config.tlsBackend))
    , m_events(m_config.log)
    , m_signals({SIGTERM, SIGINT, SIGHUP})
    , m_sink(SinkChoice::of(m_config.log.target, Surroundings::current()))
    // The log thread calls both, so each has its own EventLog, which no reload changes.
    , m_writer(makeSink(m_sink), static_cast<std::size_t>(m_config.log.queue),
               {[events = m_events](const auto &losses) { return events.describe(losses); },
                [events = m_events](const auto &report) { return events.describe(report); }})
    , m_keeping(keptSessions(m_config.server.keepSessions, TlsBackend::inForce(), {}).use,
                passed.kept)
    , m_workers(m_config, m_writer, m_mailbox, passed.sockets, m_keeping)
    , m_source(std::move(source))
    , m_reloader({[this] { return loadAnew(); },
                  [this](Config &&config) { putInForce(std::move(config)); },
                  [this](const ReloadOutcome &outcome) { concludeReload(outcome); }},
                 m_config, m_workers)
    , m_control(*this)
    , m_controlServer([this](const QByteArray &request,
                             const Reply &reply) { m_control.answer(request, reply); },
                      ControlServer::Limits())
    , m_metricsFile([this](auto then) { state(std::move(then)); },
                    [this](const QString &what) { warn(what); })
{
    connect(&m_signals, &UnixSignals::received, this, &Daemon::handleSignal);
    m_statisticsTimer.setTimerType(Qt::PreciseTimer); // others may be minutes late in an hour
    connect(&m_statisticsTimer, &QTimer::timeout, this, &Daemon::takeStatistics);
    connect(&m_watch, &FileWatch::changed, this, [this] { m_reloader.reload(); });
    m_watch.setFiles(initial.files);
    m_mailbox.open();
    for (const ConfigMessage &warning : initial.warnings)
        log(warning);
    if (!m_sink.warning.isEmpty()) {
        warn(m_sink.warning);
        if (m_sink.target == LogTarget::Journal) // a missing journal cannot log this
            say(stderr, QStringLiteral("dtlsd: %1\n").arg(m_sink.warning));
    }
}

int Daemon::run()
{
    const bool started = start().ok();
    if (started)
        QCoreApplication::exec();
    else
        m_notifier.stopping();
    const int status = started ? m_exitStatus : EX_UNAVAILABLE;
    stop(status);
    return status;
}

Result<> Daemon::start()
{
    if (!isDtlsSupported())
        return failToListen(QStringLiteral("Qt's OpenSSL plugin is not installed"));
    if (!m_tlsBackend && m_config.tlsBackend)
        return failToListen(m_tlsBackend.error().message);
    if (!m_tlsBackend)
        warn(m_tlsBackend.error().message);
    if (!m_missing.isEmpty() && !m_workers.listeners().arePassed())
        return failToListen(m_missing.constFirst().toString());
    if (const Result<> forward = m_workers.checkForward(m_config); !forward)
        return failToListen(forward.error().message);
    if (Result<> bound = m_workers.bind(m_config.server.listen); !bound)
        return bound; // logged as listen-failed where it happened
    m_workers.takeOver([this](const Takeover::Count &left) { begin(left); });
    return success();
}

void Daemon::begin(const Takeover::Count &left)
{
    if (isStopping())
        return;
    m_workers.leaveAllBut(m_config.server.listen); // where a former process has listened
    for (const QString &lack : m_workers.listeners().lacksOf(m_config.server))
        warn(lack);
    confirmKeeping();
    m_kept.takenOver = left.taken;
    for (const SessionsLost &lost : m_keeping.lost(left))
        log(lost);
    openControlSocket(); // before `started`, so that it works for readers of that entry
    log(Started{m_config.file, m_workers.listeners().addresses(), m_workers.size(),
                m_config.settings.identities->size(), m_workers.listeners().arePassed(),
                TlsBackend::inForce(), connectionIds(), m_kept});
    m_workers.serve(m_config.server.listen); // what has come meanwhile waits in the sockets
    startWatchdog();
    m_period.start();
    followConfig();
}

void Daemon::confirmKeeping()
{
    const Result<> kept = m_keeping.confirm();
    const KeptSessions now = keptSessions(m_config.server.keepSessions, TlsBackend::inForce(),
                                          kept ? QString() : kept.error().message);
    m_kept.use = now.use;
    m_kept.obstacle = now.obstacle;
    // Without a service manager there is nothing to mend.
    if (m_kept.use == KeepSessionsUse::Unavailable && DescriptorStore::isThere())
        warn(QStringLiteral("[server] keep_sessions: sessions will not outlive this process: %1")
                 .arg(m_kept.obstacle));
}

void Daemon::followConfig()
{
    if (m_keeping.isUnconfirmed()) // there are more sockets, or more sessions are admitted
        confirmKeeping();
    scheduleStatistics();
    m_watch.setInterval(m_config.watchInterval);
    tellStatus();
    m_metricsFile.setPath(m_config.control.metricsFile);
    m_notifier.ready();
}

Error Daemon::failToListen(const QString &why)
{
    Error error{QStringLiteral("cannot listen: ") + why};
    log(ListenFailed{m_config.server.listen.constFirst(), error.message});
    return error;
}

void Daemon::openControlSocket()
{
    if (m_config.control.socket.isEmpty())
        return;
    // A failure is only a warning: the devices are served without the control socket.
    if (const Result<> listening = m_controlServer.listen(m_config.control.socket); !listening)
        warn(QStringLiteral("[control] socket: %1; dtlsctl cannot reach this dtlsd")
                 .arg(listening.error().message));
}

void Daemon::startWatchdog()
{
    const auto interval = Notifier::watchdogInterval();
    if (!interval)
        return;
    connect(&m_watchdogTimer, &QTimer::timeout, this, [this] {
        state([this](const Result<DaemonState> &state) {
            if (!state || !m_writer.isAlive(lifePatience))
                return;
            m_notifier.alive();
            m_latest = state.value().total();
            tellStatus();
        });
    });
    m_watchdogTimer.start(std::chrono::duration_cast<std::chrono::milliseconds>(*interval / 2));
}

void Daemon::handleSignal(int number)
{
    if (number == SIGHUP)
        return m_reloader.reload(); // the outcome goes to the log alone
    if (isStopping())
        return;
    bool isRestart = m_keeping.isForARestart();
    if (const QString obstacle = isRestart ? obstacleToNext() : QString(); !obstacle.isEmpty()) {
        warn(QStringLiteral("[server] keep_sessions: %1; all sessions are closed").arg(obstacle));
        isRestart = false;
    }
    beginStop(QString::fromLatin1(sigabbrev_np(number)).prepend(u"SIG"), isRestart);
}

/// Why the next process would not take the sessions over; empty: it would.
QString Daemon::obstacleToNext() const
{
    if (m_kept.use == KeepSessionsUse::Off)
        return QStringLiteral("[server] keep_sessions = no");
    const ConfigResult next = m_source();
    return next.errors.isEmpty() ? m_kept.obstacle
                                 : QStringLiteral("the next process would refuse to start: %1")
                                       .arg(next.errors.constFirst().toString());
}

Result<QString> Daemon::restart()
{
    if (isStopping())
        return Error{QStringLiteral("dtlsd is stopping already")};
    if (const QString obstacle = obstacleToNext(); !obstacle.isEmpty())
        return Error{QStringLiteral("a restart would end all sessions: %1").arg(obstacle)};
    m_exitStatus = EX_TEMPFAIL; // which the units start again
    beginStop(QStringLiteral("request"), true);
    return QStringLiteral("restarting; the sessions are kept");
}

ConfigResult Daemon::loadAnew()
{
    m_notifier.reloading();
    ConfigResult result = m_source();
    m_watch.setFiles(result.files); // of a rejected configuration too: it may be corrected
    return result;
}

void Daemon::putInForce(Config &&config)
{
    m_config = std::move(config);
    m_events = EventLog(m_config.log);
}

void Daemon::concludeReload(const ReloadOutcome &outcome)
{
    m_reloads.count(std::holds_alternative<Reloaded>(outcome) ? ReloadCounts::Outcome::Applied
                                                              : ReloadCounts::Outcome::Rejected);
    if (const auto *reloaded = std::get_if<Reloaded>(&outcome)) {
        for (const ConfigMessage &warning : reloaded->warnings)
            log(warning);
    }
    std::visit([this](const auto &event) { log(event); }, outcome);
    if (!isStopping())
        followConfig();
}

void Daemon::scheduleStatistics()
{
    const std::chrono::milliseconds interval = m_config.log.statisticsInterval;
    if (interval.count() == 0)
        m_statisticsTimer.stop();
    else if (!m_statisticsTimer.isActive() || m_statisticsTimer.intervalAsDuration() != interval)
        m_statisticsTimer.start(interval);
}

void Daemon::takeStatistics()
{
    state([this](const Result<DaemonState> &state) {
        if (!state)
            return; // a worker hangs, which the watchdog deals with
        const Statistics now = state.value().total();
        // Not the interval, which a reload may have changed within the period.
        const std::chrono::milliseconds length(m_period.restart());
        log(StatisticsTaken{now.since(m_statistics),
                            std::chrono::round<std::chrono::seconds>(length)});
        m_statistics = now;
        m_latest = now;
        tellStatus();
    });
}

void Daemon::health(Then<Result<Health>> then)
{
    m_workers.receivingSockets([this, then = std::move(then)](const Result<int> &sockets) {
        if (!sockets)
            return then(sockets.error());
        if (const Result<> log = checkLog(m_writer, m_sink.target); !log)
            return then(log.error());
        then(Health{m_workers.size(), sockets.value(), connectionIds(), m_kept.areKept()});
    });
}

void Daemon::state(Then<Result<DaemonState>> then)
{
    m_workers.states([this, then = std::move(then)](Result<std::vector<WorkerState>> workers) {
        if (workers)
            then(stateOf(std::move(workers).value()));
        else
            then(workers.error());
    });
}

ConnectionIdUse Daemon::connectionIds() const
{
    return connectionIdUse(m_config.settings.tls.connectionIds, TlsBackend::inForce());
}

DaemonState Daemon::stateOf(std::vector<WorkerState> workers) const
{
    return DaemonState{m_started,
                       m_config.file,
                       m_workers.listeners().addresses(),
                       TlsBackend::inForce(),
                       connectionIds(),
                       m_kept,
                       m_workers.listeners().isSteered(),
                       m_config.settings.identities->size(),
                       std::move(workers),
                       m_workers.services(),
                       m_sink.target,
                       static_cast<std::size_t>(m_config.log.queue),
                       m_writer.state(),
                       m_reloads,
                       residentMemory()};
}

void Daemon::tellStatus()
{
    if (isStopping())
        return;
    m_notifier.status(QStringLiteral("Listening on %1; %2 sessions%3")
                          .arg(toString(m_workers.listeners().addresses()),
                               QString::number(m_latest.sessions),
                               m_reloads.last == ReloadCounts::Outcome::Rejected
                                   ? QStringLiteral("; the last reload was rejected")
                                   : QString()));
}

void Daemon::beginStop(const QString &why, bool keepsSessions)
{
    m_stopReason = why;
    m_notifier.stopping();
    m_reloader.stop();
    m_metricsFile.setPath({});
    m_statisticsTimer.stop();
    state([this, keepsSessions](const Result<DaemonState> &state) {
        log(Stopping{m_stopReason, state ? state.value().total().sessions : 0, keepsSessions});
        if (keepsSessions)
            return m_workers.leave([] { QCoreApplication::quit(); });
        m_keeping.forgetAll();
        m_workers.close([] { QCoreApplication::quit(); });
    });
}

void Daemon::stop(int status)
{
    m_workers.stop();
    m_mailbox.close();
    if (m_writer.stop(logPatience)) {
        if (const std::uint64_t lost = m_writer.unreported())
            say(stderr, QStringLiteral("dtlsd: %1 entries were lost\n").arg(lost));
        return;
    }
    // The log thread hangs in a call that nothing can interrupt; the entries behind it were never
    // acknowledged. Destructors would wait for it, so none run.
    say(stderr,
        QStringLiteral("dtlsd: the log takes nothing; leaving without its last %1 entries\n")
            .arg(m_writer.state().waiting));
    std::_Exit(status);
}

} // namespace dtlsd
