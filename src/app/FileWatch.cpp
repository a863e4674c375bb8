// SPDX-License-Identifier: Apache-2.0
#include "app/FileWatch.h"

#include <QFile>

#include <utility>

#include <sys/stat.h>

namespace dtlsd {

namespace {

std::int64_t nanoseconds(const timespec &time)
{
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

} // namespace

FileWatch::FileWatch()
{
    connect(&m_timer, &QTimer::timeout, this, &FileWatch::look);
}

void FileWatch::setInterval(std::chrono::milliseconds interval)
{
    if (interval.count() == 0)
        m_timer.stop();
    else if (!m_timer.isActive() || m_timer.intervalAsDuration() != interval)
        m_timer.start(interval);
}

void FileWatch::setFiles(const QStringList &files)
{
    const auto before = std::exchange(m_seen, {});
    for (const QString &file : files) {
        const auto seen = before.constFind(file);
        m_seen.insert(file, seen != before.constEnd() ? *seen : versionOf(file));
    }
}

FileWatch::Version FileWatch::versionOf(const QString &file)
{
    struct stat status = {};
    if (::stat(QFile::encodeName(file).constData(), &status) != 0)
        return {};
    return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
            nanoseconds(status.st_ctim)};
}

void FileWatch::look()
{
    bool isStill = true;
    for (auto it = m_seen.begin(); it != m_seen.end(); ++it) {
        const Version now = versionOf(it.key());
        isStill = isStill && now == it.value();
        it.value() = now;
    }
    if (!isStill)
        m_hasNews = true;
    else if (std::exchange(m_hasNews, false))
        Q_EMIT changed();
}

} // namespace dtlsd
