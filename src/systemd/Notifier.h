// SPDX-License-Identifier: Apache-2.0
//
// Notifier: tells the service manager how this process is doing (sd_notify(3)). Without
// $NOTIFY_SOCKET nobody asked, and nothing is sent. A message that cannot be delivered is not
// reported: the service manager has its own timeouts, and the daemon works without it.
#pragma once

#include <QString>

#include <chrono>
#include <optional>

class QByteArray;

namespace dtlsd {

class Notifier
{
public:
    /// RELOADING=1, with the time that tells this reload from the one before; ends with ready().
    void reloading() const;
    /// READY=1: started, or a reload has ended.
    void ready() const;
    /// STOPPING=1: the first thing on the way down.
    void stopping() const;
    /// WATCHDOG=1: all that has to work does.
    void alive() const;
    /// How long the service manager waits for the next alive() before it ends this process;
    /// nothing if it does not watch.
    [[nodiscard]] static std::optional<std::chrono::microseconds> watchdogInterval();
    /// STATUS=: one line for `systemctl status`; control characters become blanks.
    void status(QString text) const;

private:
    static void notify(const QByteArray &state);
};

} // namespace dtlsd
