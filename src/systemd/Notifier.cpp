// SPDX-License-Identifier: Apache-2.0
#include "systemd/Notifier.h"

#include <QByteArray>

#include <algorithm>

#include <systemd/sd-daemon.h>

namespace dtlsd {

void Notifier::ready() const
{
    notify("READY=1");
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
