// SPDX-License-Identifier: Apache-2.0
#include "config/Machine.h"

#include "core/Descriptor.h"

#include <QString> // QStringView::toUInt()

#include <array>
#include <cerrno>

#include <net/if.h>
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
    return {.hasIPv4 = hasFamily(AF_INET),
            .hasIPv6 = hasFamily(AF_INET6),
            .descriptors = descriptorLimit()};
}

bool isInterface(QStringView scope)
{
    std::array<char, IF_NAMESIZE> name{};
    return if_nametoindex(scope.toUtf8().constData()) != 0 ||
           if_indextoname(scope.toUInt(), name.data()) != nullptr;
}

} // namespace dtlsd
