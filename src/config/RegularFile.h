// SPDX-License-Identifier: Apache-2.0
//
// RegularFile: the content of a file, and who else can read or change it, read at once. Never
// blocks on a FIFO or a device, never reads more than its limit.
#pragma once

#include "config/FileTrust.h"
#include "core/Result.h"

#include <QByteArray>
#include <QString>

#include <cstdint>

namespace dtlsd {

struct RegularFile
{
    QByteArray content;
    unsigned mode = 0; ///< permission bits, as in chmod(1)
    FileTrust trust;

    /// Follows symbolic links: Kubernetes mounts secrets as links. The error contains no path.
    static Result<RegularFile> read(const QString &path, std::int64_t limit);
    /// read() for files with keys: fails if others can read, change or replace the file, and says
    /// how to fix that.
    static Result<RegularFile> readSecret(const QString &path, std::int64_t limit);
    /// Whether there is no such file; false also if that is unknown.
    static bool isAbsent(const QString &path);
};

/// Why a secret at @p path that others can read is refused, and how to fix that: by chmod, or in a
/// container, where chmod cannot help, by settings of the engine.
QString readableByOthers(const QString &path, unsigned mode, bool isOnReadOnlyMount);

/// Permission bits as in chmod(1): `0640`.
QString shownMode(unsigned mode);
/// @p path, escaped and bounded for a message.
QString shownPath(const QString &path);

} // namespace dtlsd
