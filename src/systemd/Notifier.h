// SPDX-License-Identifier: Apache-2.0
//
// Notifier: reports the state of this process to the service manager (sd_notify(3)); without
// $NOTIFY_SOCKET it sends nothing. A notification that cannot be sent is not reported: the service
// manager has its own timeouts, and the daemon works without it.
#pragma once

#include <QString>

#include <chrono>
#include <optional>

class QByteArray;

namespace dtlsd {

class Notifier
{
public:
    /// RELOADING=1 with MONOTONIC_USEC=, the time of this reload; ready() ends it.
    void reloading() const;
    /// READY=1: the start or a reload is complete.
    void ready() const;
    /// STOPPING=1: the first step of a stop.
    void stopping() const;
    /// WATCHDOG=1: everything that has to work does.
    void alive() const;
    /// WatchdogSec=: how long the service manager waits for the next alive() before it ends this
    /// process; nullopt without a watchdog.
    [[nodiscard]] static std::optional<std::chrono::microseconds> watchdogInterval();
    /// STATUS=: one line for `systemctl status`; control characters become blanks.
    void status(QString text) const;

private:
    static void notify(const QByteArray &state);
};

} // namespace dtlsd
