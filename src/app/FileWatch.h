// SPDX-License-Identifier: Apache-2.0
//
// FileWatch: notices changed files by polling stat(2). So it sees the file that open(2) would find,
// also behind a switched symbolic link, as in a mounted Secret of Kubernetes, and on network file
// systems. It reads no file.
//
// A file may be half written. So a change is reported once no file has changed from one look to the
// next; a writer that pauses for longer in the middle of a file is not noticed.
#pragma once

#include <QHash>
#include <QObject>
#include <QString>
#include <QStringList>
#include <QTimer>

#include <chrono>
#include <cstdint>

namespace dtlsd {

class FileWatch : public QObject
{
    Q_OBJECT

public:
    FileWatch();

    /// Time between two looks; 0 = never.
    void setInterval(std::chrono::milliseconds interval);
    /// Sets the files to watch; they need not exist. A file that was watched before keeps its last
    /// seen version, so a change during a reload is not missed.
    void setFiles(const QStringList &files);

    /// Looks at all files. The timer of setInterval() calls it.
    void look();

Q_SIGNALS:
    /// Once for all changes since the last signal.
    void changed();

private:
    /// Properties that differ in some way between any two versions of a file.
    struct Version
    {
        std::uint64_t device = 0; // all 0: no such file
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t modified = 0; // ns
        std::int64_t changed = 0;  // ns

        friend bool operator==(const Version &, const Version &) = default;
    };

    static Version versionOf(const QString &file);

    QHash<QString, Version> m_seen;
    bool m_hasNews = false; // a change is not reported yet
    QTimer m_timer;
};

} // namespace dtlsd
