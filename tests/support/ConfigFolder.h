// SPDX-License-Identifier: Apache-2.0
//
// ConfigFolder: a temporary folder with configuration and key files.
#pragma once

#include "config/Config.h"

#include <QFile>
#include <QStringList>
#include <QTemporaryDir>

#include <sys/stat.h>

namespace dtlsd {

class ConfigFolder
{
public:
    [[nodiscard]] QString path(const QString &name = QStringLiteral("dtlsd.ini")) const
    {
        return m_folder.filePath(name);
    }

    /// Returns the path; empty when that failed.
    QString write(const QString &name, const QByteArray &content, unsigned mode = 0640) const
    {
        QFile file(path(name));
        const bool written = file.open(QIODevice::WriteOnly) &&
                             file.write(content) == content.size() && file.flush() &&
                             ::fchmod(file.handle(), static_cast<mode_t>(mode)) == 0;
        return written ? file.fileName() : QString();
    }

    /// Writes @p ini and reads it, for a machine that lacks nothing.
    [[nodiscard]] ConfigResult load(const QByteArray &ini, const QString &credentials = {},
                                    const Machine &machine = {}) const
    {
        return loadConfig(write(QStringLiteral("dtlsd.ini"), ini), credentials, machine);
    }

    /// As a user sees them, with `DIR` for this folder.
    [[nodiscard]] QStringList texts(const QList<ConfigMessage> &messages) const
    {
        QStringList result;
        for (const ConfigMessage &message : messages)
            result += message.toString().replace(m_folder.path(), QStringLiteral("DIR"));
        return result;
    }

private:
    QTemporaryDir m_folder;
};

} // namespace dtlsd
