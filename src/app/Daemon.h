// SPDX-License-Identifier: Apache-2.0
//
// Daemon: the composition root. It owns the workers, the log and the process's signals, connects
// them, starts and stops them, and decides nothing else.
#pragma once

#include "app/EventLog.h"
#include "app/SinkChoice.h"
#include "app/WorkerPool.h"
#include "config/Config.h"
#include "log/LogWriter.h"
#include "systemd/Notifier.h"
#include "systemd/UnixSignals.h"

#include <QList>
#include <QObject>
#include <QTimer>

namespace dtlsd {

class Daemon : public QObject
{
    Q_OBJECT

public:
    /// Made in the main thread, before any other thread and after QCoreApplication.
    Daemon(Config config, const QList<ConfigMessage> &warnings);

    /// Serves until a signal ends it. Returns the exit status.
    int run();

private:
    Result<> start();
    /// Ends the process with @p status if the log hangs.
    void stop(int status);
    void handleSignal(int number);
    void takeStatistics();
    /// Logs a warning about the configuration as a whole.
    void warn(const QString &what);

    const Config m_config;
    const EventLog m_events;
    UnixSignals m_signals;
    Notifier m_notifier;
    const SinkChoice m_sink;
    LogWriter m_writer;
    WorkerPool m_workers; // run() stops the log first: it settles entries with the workers
    QList<SocketAddress> m_addresses;
    QString m_stopReason;
    QTimer m_statisticsTimer;
    Statistics m_statistics; // at the end of the last period
};

} // namespace dtlsd
