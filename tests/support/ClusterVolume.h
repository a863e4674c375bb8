// SPDX-License-Identifier: Apache-2.0
//
// ClusterVolume: a folder whose files are replaced as in a Secret or ConfigMap that Kubernetes has
// mounted: each file is a link into `..data`, itself a link to the folder of one version, and only
// `..data` is switched, in one step.
#pragma once

#include <QDir>
#include <QFile>
#include <QHash>
#include <QTemporaryDir>

#include <cstdio>

namespace dtlsd::test {

class ClusterVolume
{
public:
    [[nodiscard]] QString path(const QString &name) const { return m_folder.filePath(name); }

    /// All files, each of mode 0440. false: it failed.
    bool update(const QHash<QString, QByteArray> &files)
    {
        const QString before = m_version;
        m_version = QStringLiteral("..2026_%1").arg(++m_count);
        if (!QDir(m_folder.path()).mkdir(m_version) || !writeAll(files) || !switchLink())
            return false;
        for (auto it = files.begin(); it != files.end(); ++it)
            QFile::link(QStringLiteral("..data/") + it.key(), path(it.key())); // if it is new
        return before.isEmpty() || QDir(path(before)).removeRecursively();
    }

private:
    bool writeAll(const QHash<QString, QByteArray> &files)
    {
        for (auto it = files.begin(); it != files.end(); ++it) {
            QFile file(path(m_version + u'/' + it.key()));
            if (!file.open(QIODevice::WriteOnly) || file.write(it.value()) != it.value().size() ||
                !file.setPermissions(QFile::ReadOwner | QFile::ReadGroup))
                return false;
        }
        return true;
    }

    /// QFile::rename() does not replace.
    bool switchLink()
    {
        const QString made = path(QStringLiteral("..data_tmp"));
        return QFile::link(m_version, made) &&
               std::rename(QFile::encodeName(made).constData(),
                           QFile::encodeName(path(QStringLiteral("..data"))).constData()) == 0;
    }

    QTemporaryDir m_folder;
    QString m_version;
    int m_count = 0;
};

} // namespace dtlsd::test
