// SPDX-License-Identifier: Apache-2.0
#include "config/Machine.h"

#include "core/Descriptor.h"

#include <QString> // QStringView::toUInt()

#include <algorithm>
#include <array>
#include <cerrno>

#include <net/if.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace dtlsd {

namespace {

/// Not if a service manager's sandbox forbids the family (RestrictAddressFamilies=).
bool hasFamily(int family)
{
    const Descriptor socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return socket.isOpen() || errno != EAFNOSUPPORT;
}

} // namespace

Machine Machine::current()
{
    rlimit limit{};
    static_cast<void>(getrlimit(RLIMIT_NOFILE, &limit)); // fails only for unknown limits
    return {.hasIPv4 = hasFamily(AF_INET),
            .hasIPv6 = hasFamily(AF_INET6),
            .descriptors = static_cast<std::int64_t>(
                std::min<rlim_t>(limit.rlim_cur, std::numeric_limits<int>::max()))};
}

bool isInterface(QStringView scope)
{
    std::array<char, IF_NAMESIZE> name{};
    return if_nametoindex(scope.toUtf8().constData()) != 0 ||
           if_indextoname(scope.toUInt(), name.data()) != nullptr;
}

} // namespace dtlsd
