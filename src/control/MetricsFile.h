// SPDX-License-Identifier: Apache-2.0
//
// MetricsFile: keeps the file of `[control] metrics_file` up to date, for a collector that reads
// files. A reader sees the one text or the next, never a part.
//
// What is in the file is at most an interval old. What is older comes from a daemon that crashed or
// hangs, and a collector tells by the file's time; a daemon that was stopped leaves no file.
#pragma once

#include "control/DaemonState.h"
#include "core/Result.h"

#include <QObject>
#include <QString>
#include <QStringList>
#include <QTimer>

#include <chrono>
#include <functional>

namespace dtlsd {

class MetricsFile : public QObject
{
    Q_OBJECT

public:
    using Source = std::function<void(Then<Result<DaemonState>>)>;
    using Warn = std::function<void(const QString &)>;

    /// @p source answers now or later, while this object is there. @p warn hears of each kind of
    /// failure once, until it works again.
    MetricsFile(Source source, Warn warn,
                std::chrono::milliseconds interval = std::chrono::seconds(15));

    /// Writes to @p path from now on, at once and then each interval, and removes the file that it
    /// wrote to before; empty = none. Not called before the end, the file stays.
    void setPath(const QString &path);

private:
    void update();
    void replace(const QByteArray &text);
    [[nodiscard]] QString write(const QByteArray &text) const;

    const Source m_source;
    const Warn m_warn;
    QString m_path;
    QStringList m_failures; // since it last worked
    bool m_isThere = false; // the file, by our doing
    QTimer m_timer;
};

} // namespace dtlsd
