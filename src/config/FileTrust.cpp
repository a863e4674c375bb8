// SPDX-License-Identifier: Apache-2.0
#include "config/FileTrust.h"

#include "config/RegularFile.h"
#include "core/Descriptor.h"
#include "core/Result.h"

#include <QFile>
#include <QFileInfo>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <system_error>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace dtlsd {

namespace {

/// The user and group of the service; packaging/systemd/dtlsd.sysusers creates them.
constexpr auto serviceName = "dtlsd";

template <class Id>
bool contains(const std::vector<Id> &ids, Id id)
{
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

Result<FileStatus> statusOf(int descriptor)
{
    struct stat status = {};
    struct statvfs mount = {};
    if (::fstat(descriptor, &status) != 0 || ::fstatvfs(descriptor, &mount) != 0)
        return Error{QString::fromStdString(std::generic_category().message(errno))};
    return FileStatus{status.st_mode, status.st_uid, status.st_gid,
                      (mount.f_flag & ST_RDONLY) != 0};
}

/// The directory of the open file @p descriptor, all links resolved, even if the links by which it
/// was opened have changed since.
Result<QString> directoryOf(int descriptor)
{
    std::array<char, PATH_MAX> path{};
    const QByteArray link = "/proc/self/fd/" + QByteArray::number(descriptor);
    const ssize_t size = ::readlink(link.constData(), path.data(), path.size());
    if (size < 0)
        return Error{QString::fromStdString(std::generic_category().message(errno))};
    return QFileInfo(QFile::decodeName(QByteArray(path.data(), size))).path();
}

FileTrust ofDirectory(int file, const TrustedUsers &trusted)
{
    const auto unknown = [](const Error &error) {
        return FileTrust{
            QStringLiteral("its directory cannot be examined: %1").arg(error.message), {}, false};
    };
    const Result<QString> path = directoryOf(file);
    if (!path)
        return unknown(path.error());
    const Descriptor directory(::openat(AT_FDCWD, QFile::encodeName(path.value()).constData(),
                                        O_PATH | O_DIRECTORY | O_CLOEXEC));
    const Result<FileStatus> status = statusOf(directory.number());
    return status ? FileTrust::judge(status.value(), path.value(), trusted)
                  : unknown(status.error());
}

} // namespace

TrustedUsers TrustedUsers::current()
{
    TrustedUsers result{{::geteuid()}, {::getegid()}};
    const int count = std::max(0, ::getgroups(0, nullptr));
    std::vector<gid_t> further(static_cast<std::size_t>(count));
    further.resize(static_cast<std::size_t>(std::max(0, ::getgroups(count, further.data()))));
    result.groups.insert(result.groups.end(), further.begin(), further.end());
    if (::geteuid() != 0)
        return result;
    result.groups.push_back(0);
    if (const passwd *user = ::getpwnam(serviceName))
        result.users.push_back(user->pw_uid);
    if (const group *group = ::getgrnam(serviceName))
        result.groups.push_back(group->gr_gid);
    return result;
}

FileTrust FileTrust::judge(const FileStatus &status, const QString &path,
                           const TrustedUsers &trusted)
{
    const bool isDirectory = S_ISDIR(status.mode);
    const bool isSticky = isDirectory && (status.mode & S_ISVTX) != 0;
    if (status.isOnReadOnlyMount)
        return {};
    FileTrust trust;
    const QString shown = shownPath(path);
    const QString act = isDirectory
                            ? QStringLiteral("put another in its place (mode %1 of %2)")
                                  .arg(shownMode(status.mode), shown)
                            : QStringLiteral("change it (mode %1)").arg(shownMode(status.mode));
    const auto remedy = [&](const char *mode) {
        return QStringLiteral("; chmod %1 %2 mends that")
            .arg(QLatin1String(isDirectory ? mode : "0640"), shown);
    };
    if ((status.mode & S_IWOTH) != 0 && !isSticky)
        trust.error = QStringLiteral("others can %1").arg(act) + remedy("o-w");
    else if ((status.mode & S_IWGRP) != 0 && !isSticky && !contains(trusted.groups, status.group))
        trust.error = QStringLiteral("group %1, which is none of dtlsd's, can %2")
                          .arg(status.group)
                          .arg(act) +
                      remedy("g-w");
    if (status.owner != 0 && !contains(trusted.users, status.owner))
        trust.warning =
            QStringLiteral("%1 belongs to user %2, who can change that; root or user %3, which "
                           "runs dtlsd, is expected")
                .arg(isDirectory ? QStringLiteral("its directory ") + shown
                                 : QStringLiteral("the file"))
                .arg(status.owner)
                .arg(trusted.users.front());
    return trust;
}

FileTrust FileTrust::of(int descriptor, const QString &path)
{
    static const TrustedUsers trusted = TrustedUsers::current(); // does not change
    const Result<FileStatus> status = statusOf(descriptor);
    if (!status)
        return {QStringLiteral("cannot be examined: ") + status.error().message, {}, false};
    FileTrust file = judge(status.value(), path, trusted);
    FileTrust directory = ofDirectory(descriptor, trusted);
    return {file.error.isEmpty() ? directory.error : file.error,
            file.warning.isEmpty() ? directory.warning : file.warning,
            status.value().isOnReadOnlyMount};
}

FileTrust FileTrust::ofFile(const QString &path)
{
    const Descriptor file(::open(QFile::encodeName(path).constData(), O_PATH | O_CLOEXEC));
    return file.isOpen() ? of(file.number(), path) : FileTrust();
}

} // namespace dtlsd
