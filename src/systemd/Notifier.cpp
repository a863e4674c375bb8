// SPDX-License-Identifier: Apache-2.0
#include "systemd/Notifier.h"

#include <QByteArray>

#include <algorithm>
#include <cstdint>

#include <systemd/sd-daemon.h>
#include <time.h>

namespace dtlsd {

void Notifier::ready() const
{
    notify("READY=1");
}

void Notifier::reloading() const
{
    timespec now = {};
    static_cast<void>(clock_gettime(CLOCK_MONOTONIC, &now)); // fails only for unknown clocks
    notify("RELOADING=1\nMONOTONIC_USEC=" +
           QByteArray::number(qint64{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000));
}

void Notifier::alive() const
{
    notify("WATCHDOG=1");
}

std::optional<std::chrono::microseconds> Notifier::watchdogInterval()
{
    std::uint64_t microseconds = 0;
    if (sd_watchdog_enabled(0, &microseconds) <= 0)
        return std::nullopt;
    return std::chrono::microseconds(microseconds);
}

void Notifier::stopping() const
{
    notify("STOPPING=1");
}

void Notifier::status(QString text) const
{
    // A line feed would begin the next variable, such as MAINPID=.
    const auto isControl = [](QChar c) { return c.category() == QChar::Other_Control; };
    std::replace_if(text.begin(), text.end(), isControl, QChar(u' '));
    notify("STATUS=" + text.toUtf8());
}

void Notifier::notify(const QByteArray &state)
{
    sd_notify(0, state.constData());
}

} // namespace dtlsd
