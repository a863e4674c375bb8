// SPDX-License-Identifier: Apache-2.0
#include "bench/throughput/NetworkNamespace.h"

#include <QFile>

#include <cerrno>
#include <cstring>

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dtlsd::bench {

namespace {

bool raiseLoopback()
{
    ifreq loopback{};
    std::memcpy(loopback.ifr_name, "lo", sizeof "lo");
    loopback.ifr_flags = IFF_UP;
    const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool raised = ioctl(descriptor, SIOCSIFFLAGS, &loopback) == 0;
    close(descriptor);
    return raised;
}

} // namespace

Result<> enterOwnNetwork()
{
    if (unshare(CLONE_NEWNET) == 0 && raiseLoopback())
        return success();
    return Error{QStringLiteral("no network of our own: %1; be root")
                     .arg(QString::fromLocal8Bit(std::strerror(errno)))};
}

Result<> setUnixQueueLength(int length)
{
    QFile file(QStringLiteral("/proc/sys/net/unix/max_dgram_qlen"));
    if (file.open(QIODevice::WriteOnly | QIODevice::Unbuffered) &&
        file.write(QByteArray::number(length)) > 0)
        return success();
    return Error{QStringLiteral("cannot set %1: %2").arg(file.fileName(), file.errorString())};
}

} // namespace dtlsd::bench
