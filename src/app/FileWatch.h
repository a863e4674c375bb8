// SPDX-License-Identifier: Apache-2.0
//
// FileWatch: notices that a file has become another, by looking at it now and then. So it sees what
// opening the file would find, also behind links that are switched, as Kubernetes switches those of
// a mounted Secret, and on file systems of other machines. It reads no file.
//
// A file that is being written is half a file. So a change is told once all files have stayed the
// same from one look to the next; a writer that rests for longer in the middle of a file is not
// noticed.
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

    /// Looks so often from now on; 0 = never.
    void setInterval(std::chrono::milliseconds interval);
    /// What to look at; a file need not be there. One that was watched before is compared with what
    /// was last seen of it, so that what changed while somebody read it is not missed.
    void setFiles(const QStringList &files);

    /// Looks at once. The timer of setInterval() calls it.
    void look();

Q_SIGNALS:
    /// Once for all that has changed since it was told last.
    void changed();

private:
    /// What is never all the same for two versions of a file.
    struct Version
    {
        std::uint64_t device = 0; // all 0: there is none
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t modified = 0; // ns
        std::int64_t changed = 0;  // ns

        friend bool operator==(const Version &, const Version &) = default;
    };

    static Version versionOf(const QString &file);

    QHash<QString, Version> m_seen;
    bool m_hasNews = false; // something has changed that was not told yet
    QTimer m_timer;
};

} // namespace dtlsd
