// SPDX-License-Identifier: Apache-2.0
#include "control/DaemonState.h"

#include <QFile>

#include <unistd.h>

namespace dtlsd {

std::int64_t residentMemory()
{
    QFile file(QStringLiteral("/proc/self/statm"));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    const QByteArray pages = file.readLine().split(' ').value(1); // proc(5)
    return pages.toLongLong() * sysconf(_SC_PAGESIZE);
}

} // namespace dtlsd
