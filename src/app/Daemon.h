// SPDX-License-Identifier: Apache-2.0
//
// Daemon: the composition root. It owns the workers, the log, the control socket and the process's
// signals, connects them, starts, reloads and stops them, and decides nothing else.
#pragma once

#include "app/FileWatch.h"
#include "app/Gathering.h"
#include "app/Keeping.h"
#include "app/LogEvent.h"
#include "app/Mailbox.h"
#include "app/PoolSessions.h"
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
#include "systemd/DescriptorStore.h"
#include "systemd/Notifier.h"
#include "systemd/UnixSignals.h"

#include <QDateTime>
#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include <cstdint>
#include <memory>
#include <vector>

namespace dtlsd {

class Daemon : public QObject, private Controllable
{
    Q_OBJECT

public:
    /// Create it in the main thread, after QCoreApplication and before any other thread. @p initial
    /// has no errors; @p source loads the configuration for a reload. Sockets in @p passed, if
    /// there are any, replace `[server] listen`.
    Daemon(ConfigResult initial, ConfigSource source, const PassedDescriptors &passed);

    /// Serves until a signal ends it. Returns the exit status.
    int run();

private:
    void state(Then<Result<DaemonState>> then) override;
    std::shared_ptr<Sessions> sessions(const SessionQuery &query) override
    {
        return std::make_shared<PoolSessions>(m_workers, query);
    }
    void closeSessions(const SessionPicker &isMeant, Then<std::int64_t> then) override
    {
        m_workers.closeSessions(isMeant, std::move(then));
    }
    void send(const SessionPicker &isMeant, const QByteArray &payload,
              Then<std::vector<Delivery>> then) override
    {
        m_workers.send(isMeant, payload, std::move(then));
    }
    /// Reloads the configuration; @p then gets the outcome, which is also logged.
    void reload(Reloader::Hear then) override { m_reloader.reload(std::move(then)); }
    Result<QString> restart() override;
    void health(Then<Result<Health>> then) override;

    Result<> start();
    /// The second half of the start: the sessions of former processes are taken over.
    void begin(const Takeover::Count &left);
    void confirmKeeping();
    /// Logs and returns the reason why it listens nowhere.
    Error failToListen(const QString &why);
    [[nodiscard]] QString obstacleToNext() const;
    [[nodiscard]] ConnectionIdUse connectionIds() const;
    [[nodiscard]] DaemonState stateOf(std::vector<WorkerState> workers) const;
    /// Loads the configuration for Reloader.
    ConfigResult loadAnew();
    void putInForce(Config &&config);
    void concludeReload(const ReloadOutcome &outcome);
    /// Applies the settings that concern the process itself: statistics, watch, metrics file.
    void followConfig();
    /// Closes every session, or leaves those that are kept to the next process, then quits the
    /// event loop.
    void beginStop(const QString &why, bool keepsSessions);
    [[nodiscard]] bool isStopping() const { return !m_stopReason.isEmpty(); }
    /// Runs after the event loop. Ends the process with @p status if the log hangs.
    void stop(int status);
    void openControlSocket();
    void startWatchdog();
    void handleSignal(int number);
    void scheduleStatistics();
    void takeStatistics();
    void tellStatus();
    void log(const auto &event) { logEvent(m_events, m_writer, event); }
    /// Logs a warning about the configuration as a whole.
    void warn(const QString &what) { log(ConfigMessage{m_config.file, 0, what}); }

    Config m_config;                      // in force
    const QList<ConfigMessage> m_missing; // what the machine lacked at the start
    const Result<> m_tlsBackend;          // activated before the first use of Qt's TLS classes
    EventLog m_events;
    UnixSignals m_signals;
    Notifier m_notifier;
    Mailbox m_mailbox; // for answers of the workers; outlives them
    const SinkChoice m_sink;
    LogWriter m_writer;
    Keeping m_keeping;
    KeptSessions m_kept;  // known from begin() on
    WorkerPool m_workers; // run() stops the log first: it settles entries with the workers
    FileWatch m_watch;    // on the files of the configuration loaded last, rejected or not
    const ConfigSource m_source;
    Reloader m_reloader;
    Control m_control;
    ControlServer m_controlServer;
    ReloadCounts m_reloads;
    MetricsFile m_metricsFile;
    QString m_stopReason; // empty until the stop begins
    int m_exitStatus = 0;
    QTimer m_watchdogTimer;
    QTimer m_statisticsTimer;
    const QDateTime m_started = QDateTime::currentDateTimeUtc();
    QElapsedTimer m_period;
    Statistics m_statistics; // at the beginning of m_period
    Statistics m_latest;     // shown in the service manager's status
};

} // namespace dtlsd
