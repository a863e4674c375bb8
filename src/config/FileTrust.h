// SPDX-License-Identifier: Apache-2.0
//
// FileTrust: whether other users can change or replace a file with keys. Like sshd's StrictModes,
// but for the file as opened and its real directory only: links are resolved, and parent
// directories are not checked.
//
// What cannot be changed passes: a file on a read-only mount, and a directory in which only owners
// can replace their files (sticky, such as /tmp).
#pragma once

#include <QString>

#include <vector>

#include <sys/types.h>

namespace dtlsd {

/// Status of a file or a directory.
struct FileStatus
{
    mode_t mode = 0; ///< including the file type, as in stat(2)
    uid_t owner = 0;
    gid_t group = 0;
    bool isOnReadOnlyMount = false;
};

/// The users and groups that dtlsd trusts with its keys, besides root.
struct TrustedUsers
{
    std::vector<uid_t> users;
    std::vector<gid_t> groups;

    /// The user and groups of this process. For root also user and group `dtlsd`, if they exist:
    /// root usually runs `dtlsd --check`, for a service that runs as dtlsd.
    static TrustedUsers current();
};

struct FileTrust
{
    QString error;   ///< who else can change it, and what is accepted; empty = nobody
    QString warning; ///< an unexpected owner; empty = none
    bool isOnReadOnlyMount = false; ///< of the file: chmod cannot help

    /// Judges a file or a directory, which the message shows as @p path.
    static FileTrust judge(const FileStatus &status, const QString &path,
                           const TrustedUsers &trusted);
    /// Judges the open file @p descriptor, shown as @p path, and its directory.
    static FileTrust of(int descriptor, const QString &path);
    /// Judges the file at @p path without reading it; empty if there is none.
    static FileTrust ofFile(const QString &path);
};

} // namespace dtlsd
