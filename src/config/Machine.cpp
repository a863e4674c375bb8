// SPDX-License-Identifier: Apache-2.0
#include "config/Machine.h"

#include "core/Descriptor.h"

#include <QString> // QStringView::toUInt()

#include <array>
#include <cerrno>

#include <net/if.h>
#include <sys/socket.h>

namespace dtlsd {

Machine Machine::current()
{
    // Also fails if a service manager's sandbox forbids the family (RestrictAddressFamilies=).
    const Descriptor socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const bool isUnknown = !socket.isOpen() && errno == EAFNOSUPPORT;
    return {!isUnknown};
}

bool isInterface(QStringView scope)
{
    std::array<char, IF_NAMESIZE> name{};
    return if_nametoindex(scope.toUtf8().constData()) != 0 ||
           if_indextoname(scope.toUInt(), name.data()) != nullptr;
}

} // namespace dtlsd
