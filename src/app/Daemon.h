// SPDX-License-Identifier: Apache-2.0
//
// Daemon: the composition root. It owns the workers, the log, the control socket and the process's
// signals, connects them, starts, reloads and stops them, and decides nothing else.
#pragma once

#include "app/FileWatch.h"
#include "app/Gathering.h"
#include "app/LogEvent.h"
#include "app/Mailbox.h"
#include "app/Reloader.h"
#include "app/WorkerPool.h"
#include "config/Config.h"
#include "control/Control.h"
#include "control/ControlServer.h"
#include "control/DaemonState.h"
#include "control/MetricsFile.h"
#include "events/EventLog.h"
#include "log/LogWriter.h"
#include "log/SinkChoice.h"
#include "systemd/Notifier.h"
#include "systemd/UnixSignals.h"

#include <QDateTime>
#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include <cstdint>
#include <vector>

namespace dtlsd {

class Daemon : public QObject, private Controllable
{
    Q_OBJECT

public:
    /// Made in the main thread, before any other thread and after QCoreApplication. @p initial has
    /// no errors; @p source is asked for every reload; @p passed are descriptors of bound UDP
    /// sockets to listen on instead of `[server] listen`, if there are any.
    Daemon(ConfigResult initial, ConfigSource source, const std::vector<int> &passed);

    /// Serves until a signal ends it. Returns the exit status.
    int run();

private:
    void state(Then<Result<DaemonState>> then) override;
    void sessions(Then<Result<std::vector<std::vector<SessionReport>>>> then) override
    {
        m_workers.sessions(std::move(then));
    }
    void closeSessions(const SessionPicker &isMeant, Then<std::int64_t> then) override
    {
        m_workers.closeSessions(isMeant, std::move(then));
    }
    /// Reloads the configuration; @p then hears what came of it, which is in the log as well.
    void reload(Reloader::Hear then) override { m_reloader.reload(std::move(then)); }
    void health(Then<Result<Health>> then) override;

    Result<> start();
    /// What has kept it from listening anywhere, logged.
    Error failToListen(const QString &why);
    void warnAboutSockets();
    [[nodiscard]] DaemonState stateOf(std::vector<WorkerState> workers) const;
    [[nodiscard]] Result<Health> judge(const Result<int> &sockets);
    /// What Reloader asks for the configuration.
    ConfigResult loadAnew(const ConfigSource &source);
    void putInForce(Config &&config);
    void concludeReload(const ReloadOutcome &outcome);
    /// What of the configuration in force is about the process itself.
    void followConfig();
    /// Says goodbye to every peer, and then quits the event loop.
    void beginStop();
    [[nodiscard]] bool isStopping() const { return !m_stopReason.isEmpty(); }
    /// After the event loop. Ends the process with @p status if the log hangs.
    void stop(int status);
    void openControlSocket();
    void startWatchdog();
    void handleSignal(int number);
    void scheduleStatistics();
    void takeStatistics();
    void tellStatus();
    void tellStatus(const Statistics &now);
    void log(const auto &event) { logEvent(m_events, m_writer, event); }
    /// Logs a warning about the configuration as a whole.
    void warn(const QString &what) { log(ConfigMessage{m_config.file, 0, what}); }

    Config m_config;                      // in force
    const QList<ConfigMessage> m_missing; // of the machine, at the start
    const Result<> m_tlsBackend;          // before the first use of Qt's TLS classes
    EventLog m_events;
    UnixSignals m_signals;
    Notifier m_notifier;
    Mailbox m_mailbox; // for the answers of the workers, which it outlives
    const SinkChoice m_sink;
    LogWriter m_writer;
    WorkerPool m_workers; // run() stops the log first: it settles entries with the workers
    FileWatch m_watch;    // of what the configuration in force, or a rejected one, is made of
    Reloader m_reloader;
    Control m_control;
    ControlServer m_controlServer;
    ReloadCounts m_reloads;
    MetricsFile m_metricsFile;
    QString m_stopReason; // set once it stops
    QTimer m_watchdogTimer;
    QTimer m_statisticsTimer;
    const QDateTime m_started = QDateTime::currentDateTimeUtc();
    QElapsedTimer m_period;
    Statistics m_statistics; // at its beginning
    Statistics m_latest;     // that the service manager has heard of
};

} // namespace dtlsd
