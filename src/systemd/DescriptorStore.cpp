// SPDX-License-Identifier: Apache-2.0
#include "systemd/DescriptorStore.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

#include <sys/socket.h>
#include <systemd/sd-daemon.h>

namespace dtlsd {

namespace {

struct FreeNames
{
    void operator()(char **names) const
    {
        for (char **name = names; name && *name; ++name)
            std::free(*name);
        std::free(static_cast<void *>(names));
    }
};

QString textOf(int error)
{
    return QString::fromLocal8Bit(std::strerror(error));
}

/// What a function of sd_notify(3) has returned.
Result<> outcome(int result, const QString &what)
{
    if (result > 0)
        return success();
    return Error{QStringLiteral("%1: %2").arg(
        what, result < 0 ? textOf(-result) : QStringLiteral("$NOTIFY_SOCKET is not set"))};
}

} // namespace

Result<PassedDescriptors> passedDescriptors()
{
    char **names = nullptr;
    const int count = sd_listen_fds_with_names(true, &names);
    const std::unique_ptr<char *, FreeNames> owner(names);
    if (count < 0)
        return Error{QStringLiteral("cannot tell which sockets systemd has passed: %1; LISTEN_FDS "
                                    "and its like are accepted as sd_listen_fds(3) has them")
                         .arg(textOf(-count))};
    PassedDescriptors passed;
    for (int i = 0; i < count; ++i) {
        const int descriptor = SD_LISTEN_FDS_START + i;
        if (const QByteArray name(names[i]); name.startsWith(keptPrefix))
            passed.kept.push_back({name, descriptor});
        else if (sd_is_socket_inet(descriptor, AF_UNSPEC, SOCK_DGRAM, -1, 0) > 0)
            passed.sockets.push_back(descriptor);
        else
            return Error{QStringLiteral("systemd has passed descriptor %1 (%2), which is no UDP "
                                        "socket; UDP sockets over IPv4 or IPv6 are accepted, as "
                                        "ListenDatagram= makes them")
                             .arg(descriptor)
                             .arg(QString::fromLocal8Bit(name))};
    }
    return passed;
}

bool DescriptorStore::isThere()
{
    return !qgetenv("NOTIFY_SOCKET").isEmpty();
}

std::size_t DescriptorStore::most()
{
    bool isSaid = false;
    const qulonglong most = qgetenv("FDSTORE").toULongLong(&isSaid);
    return isSaid ? most : std::numeric_limits<std::size_t>::max();
}

Result<> DescriptorStore::keep(const QByteArray &name, int descriptor) const
{
    // Without FDPOLL=0 a socket with an error in it would leave the store.
    const QByteArray request = "FDSTORE=1\nFDPOLL=0\nFDNAME=" + name;
    return outcome(sd_pid_notify_with_fds(0, 0, request.constData(), &descriptor, 1),
                   QStringLiteral("cannot store %1").arg(QLatin1String(name)));
}

void DescriptorStore::forget(const QByteArray &name) const
{
    sd_notify(0, ("FDSTOREREMOVE=1\nFDNAME=" + name).constData());
}

Result<> DescriptorStore::barrier(std::chrono::milliseconds patience) const
{
    const std::chrono::microseconds time = patience;
    return outcome(sd_notify_barrier(0, static_cast<std::uint64_t>(time.count())),
                   QStringLiteral("the service manager does not answer"));
}

} // namespace dtlsd
