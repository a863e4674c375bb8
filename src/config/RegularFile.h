// SPDX-License-Identifier: Apache-2.0
//
// RegularFile: the content of a file, and who else can read or change it, read in one go. Never
// waits for a FIFO or a device, never reads more than it was told to.
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
    unsigned mode = 0; ///< permission bits, as chmod(1) counts them
    FileTrust trust;

    /// Symbolic links are followed: Kubernetes mounts secrets as such. The error has no path in it.
    static Result<RegularFile> read(const QString &path, std::int64_t limit);
    /// As read(), for files with keys: refused when others can read it, change it or replace it,
    /// with what mends that.
    static Result<RegularFile> readSecret(const QString &path, std::int64_t limit);
    /// Whether there is no such file; false also when that cannot be known.
    static bool isAbsent(const QString &path);
};

/// Why a secret at @p path that others can read is refused, with what mends that: chmod, or what a
/// container's engine is told where that cannot help.
QString readableByOthers(const QString &path, unsigned mode, bool isOnReadOnlyMount);

/// Permission bits as chmod(1) counts them: `0640`.
QString shownMode(unsigned mode);
/// A path as a message can show it.
QString shownPath(const QString &path);

} // namespace dtlsd
