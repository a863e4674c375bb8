// SPDX-License-Identifier: Apache-2.0
//
// FileTrust: whether somebody else can change a file with keys, or put another in its place. In the
// manner of sshd's StrictModes, but of the file as it was opened, and of the one directory in which
// it really stands: links are resolved, and directories above are not looked at.
//
// What cannot be changed here is not judged: a read-only mount passes. So does a directory in which
// only owners replace their files (sticky, as /tmp).
#pragma once

#include <QString>

#include <vector>

#include <sys/types.h>

namespace dtlsd {

/// What the kernel says of a file or a directory.
struct FileStatus
{
    mode_t mode = 0; ///< with its type, as stat(2) has it
    uid_t owner = 0;
    gid_t group = 0;
    bool isOnReadOnlyMount = false;
};

/// Whom dtlsd trusts with its keys, beside root.
struct TrustedUsers
{
    std::vector<uid_t> users;
    std::vector<gid_t> groups;

    /// The user and the groups of this process. Of root also `dtlsd`, where there are such a user
    /// and group: `dtlsd --check` is root's as a rule, and the service theirs.
    static TrustedUsers current();
};

struct FileTrust
{
    QString error;   ///< who can change it, and what is accepted; empty = nobody else
    QString warning; ///< an owner that one would not expect; empty = none
    bool isOnReadOnlyMount = false; ///< the file, so that no chmod helps

    /// @p path is shown. Of a directory, that of the file.
    static FileTrust judge(const FileStatus &status, const QString &path,
                           const TrustedUsers &trusted);
    /// Of the open file @p descriptor, which is shown as @p path, and of its directory.
    static FileTrust of(int descriptor, const QString &path);
    /// Of what is at @p path now, which is not opened for reading; empty if nothing is.
    static FileTrust ofFile(const QString &path);
};

} // namespace dtlsd
