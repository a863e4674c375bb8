// SPDX-License-Identifier: Apache-2.0
//
// ProcessUsage: memory and descriptors of a process, from /proc.
#pragma once

#include <QDir>
#include <QFile>
#include <QString>

namespace dtlsd::test {

class ProcessUsage
{
public:
    explicit ProcessUsage(qint64 processId)
        : m_folder(QStringLiteral("/proc/%1/").arg(processId))
    {
    }

    /// Resident memory in KiB; -1 if the process is gone.
    [[nodiscard]] qint64 memory() const { return field("VmRSS:"); }
    /// The peak of memory() since resetPeak(), or ever, in KiB.
    [[nodiscard]] qint64 peakMemory() const { return field("VmHWM:"); }
    /// false: not permitted.
    [[nodiscard]] bool resetPeak() const
    {
        QFile file(m_folder + QStringLiteral("clear_refs"));
        return file.open(QIODevice::WriteOnly | QIODevice::Unbuffered) && file.write("5") == 1;
    }
    /// Open file descriptors.
    [[nodiscard]] qsizetype descriptors() const
    {
        return QDir(m_folder + QStringLiteral("fd"))
            .entryList(QDir::AllEntries | QDir::System | QDir::NoDotAndDotDot)
            .size();
    }

private:
    [[nodiscard]] qint64 field(const QByteArray &name) const
    {
        QFile file(m_folder + QStringLiteral("status"));
        if (!file.open(QIODevice::ReadOnly))
            return -1;
        for (const QByteArray &line : file.readAll().split('\n')) {
            if (line.startsWith(name))
                return line.mid(name.size()).trimmed().split(' ').first().toLongLong();
        }
        return -1;
    }

    QString m_folder;
};

} // namespace dtlsd::test
