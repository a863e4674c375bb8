// SPDX-License-Identifier: Apache-2.0
#include "config/Machine.h"

#include <QString>

#include <array>
#include <cerrno>

#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dtlsd {

Machine Machine::current()
{
    // Also where a service manager's sandbox forbids the family (RestrictAddressFamilies=).
    const int descriptor = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool isUnknown = descriptor < 0 && errno == EAFNOSUPPORT;
    if (descriptor >= 0)
        ::close(descriptor);
    return {!isUnknown};
}

bool isInterface(QStringView scope)
{
    std::array<char, IF_NAMESIZE> name{};
    return if_nametoindex(scope.toUtf8().constData()) != 0 ||
           if_indextoname(scope.toUInt(), name.data()) != nullptr;
}

} // namespace dtlsd
