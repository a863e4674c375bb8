// SPDX-License-Identifier: Apache-2.0
//
// MetricsFile: keeps the file `[control] metrics_file` up to date, for a collector that reads
// files. A reader sees one complete text or the next.
//
// The file is at most an interval old. If its time is older, the daemon crashed or hangs; a daemon
// that was stopped leaves no file.
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

    /// @p source answers now or later, while this object exists. @p warn is called once for each
    /// kind of failure, until a write succeeds again.
    MetricsFile(Source source, Warn warn,
                std::chrono::milliseconds interval = std::chrono::seconds(15));

    /// Writes to @p path at once and then every interval, and removes the file written before;
    /// empty = none. Unless it is called with an empty path before the end, the file stays.
    void setPath(const QString &path);

private:
    void update();
    void replace(const QByteArray &text);
    [[nodiscard]] QString write(const QByteArray &text) const;

    const Source m_source;
    const Warn m_warn;
    QString m_path;
    QStringList m_failures; // since it last worked
    bool m_isThere = false; // this object has written the file
    QTimer m_timer;
};

} // namespace dtlsd
