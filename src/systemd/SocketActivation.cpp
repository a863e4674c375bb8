// SPDX-License-Identifier: Apache-2.0
#include "systemd/SocketActivation.h"

#include <cstdlib>
#include <cstring>
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

} // namespace

Result<std::vector<int>> passedSockets()
{
    char **names = nullptr;
    const int count = sd_listen_fds_with_names(true, &names);
    const std::unique_ptr<char *, FreeNames> owner(names);
    if (count < 0)
        return Error{QStringLiteral("cannot tell which sockets systemd has passed: %1; LISTEN_FDS "
                                    "and its like are accepted as sd_listen_fds(3) has them")
                         .arg(QString::fromLocal8Bit(std::strerror(-count)))};
    std::vector<int> descriptors;
    for (int i = 0; i < count; ++i) {
        const int descriptor = SD_LISTEN_FDS_START + i;
        if (sd_is_socket_inet(descriptor, AF_UNSPEC, SOCK_DGRAM, -1, 0) <= 0)
            return Error{QStringLiteral("systemd has passed descriptor %1 (%2), which is no UDP "
                                        "socket; UDP sockets over IPv4 or IPv6 are accepted, as "
                                        "ListenDatagram= makes them")
                             .arg(descriptor)
                             .arg(QString::fromLocal8Bit(names[i]))};
        descriptors.push_back(descriptor);
    }
    return descriptors;
}

} // namespace dtlsd
