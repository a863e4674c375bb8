// SPDX-License-Identifier: Apache-2.0
#include "config/RegularFile.h"

#include "core/Descriptor.h"
#include "core/Escape.h"
#include "core/Quantity.h"

#include <QFile>

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dtlsd {

namespace {

/// Where docker, compose and podman mount secrets.
constexpr QStringView engineSecrets(u"/run/secrets/");

Error failure(const char *what)
{
    const int code = errno;
    return {QString::fromLatin1(what) + QStringLiteral(": ") +
            QString::fromStdString(std::generic_category().message(code))};
}

Error tooLarge(std::int64_t limit)
{
    return {QStringLiteral("is larger than %1; up to %1 are accepted").arg(formatByteSize(limit))};
}

/// The file may grow while it is read, so @p limit is checked here too.
Result<QByteArray> readAll(int descriptor, std::int64_t expected, std::int64_t limit)
{
    QByteArray content;
    content.resize(static_cast<qsizetype>(expected) + 1);
    qsizetype filled = 0;
    while (true) {
        if (filled == content.size())
            content.resize(2 * filled);
        const ssize_t got = ::read(descriptor, content.data() + filled,
                                   static_cast<std::size_t>(content.size() - filled));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failure("cannot be read");
        if (got == 0)
            break;
        filled += got;
        if (filled > limit)
            return tooLarge(limit);
    }
    content.resize(filled);
    return content;
}

} // namespace

Result<RegularFile> RegularFile::read(const QString &path, std::int64_t limit)
{
    const QByteArray name = QFile::encodeName(path);
    const Descriptor file(::open(name.constData(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (file.number() < 0)
        return failure("cannot be opened");
    struct stat status = {};
    if (::fstat(file.number(), &status) != 0)
        return failure("cannot be examined");
    if (!S_ISREG(status.st_mode))
        return Error{S_ISDIR(status.st_mode)
                         ? QStringLiteral("is a directory; a regular file is accepted")
                         : QStringLiteral("is not a regular file; a regular file is accepted")};
    if (status.st_size > limit)
        return tooLarge(limit);
    Result<QByteArray> content = readAll(file.number(), status.st_size, limit);
    if (!content)
        return content.error();
    return RegularFile{std::move(content).value(), status.st_mode & 07777,
                       FileTrust::of(file.number(), path)};
}

Result<RegularFile> RegularFile::readSecret(const QString &path, std::int64_t limit)
{
    Result<RegularFile> file = read(path, limit);
    if (!file)
        return file;
    const RegularFile &secret = file.value();
    if (!secret.trust.error.isEmpty())
        return Error{secret.trust.error};
    if ((secret.mode & S_IROTH) != 0)
        return Error{readableByOthers(path, secret.mode, secret.trust.isOnReadOnlyMount)};
    return file;
}

bool RegularFile::isAbsent(const QString &path)
{
    struct stat status = {};
    return ::stat(QFile::encodeName(path).constData(), &status) != 0 && errno == ENOENT;
}

QString readableByOthers(const QString &path, unsigned mode, bool isOnReadOnlyMount)
{
    const QString readable = QStringLiteral("others can read it (mode %1)").arg(shownMode(mode));
    if (!isOnReadOnlyMount && !path.startsWith(engineSecrets))
        return readable + QStringLiteral("; chmod 0640 %1 mends that").arg(shownPath(path));
    return readable +
           QStringLiteral(
               ", a mode that the mount sets; mode 0400 and user %1 are accepted: by uid and "
               "mode of the secret in podman and compose, by chown and chmod of its file if "
               "compose mounts the file itself, by fsGroup and defaultMode: 0440 in "
               "Kubernetes")
               .arg(::geteuid());
}

QString shownMode(unsigned mode)
{
    return QStringLiteral("%1").arg(mode & 07777, 4, 8, QChar(u'0'));
}

QString shownPath(const QString &path)
{
    return escaped(path.toUtf8(), 1024);
}

} // namespace dtlsd
