// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/StandardInput.h"

#include <QFile>

#include <cstdio>

namespace dtlsd {

Result<QByteArray> readStandardInput(qint64 limit)
{
    QFile input;
    if (!input.open(stdin, QIODevice::ReadOnly))
        return Error{QStringLiteral("cannot be opened: %1").arg(input.errorString())};
    QByteArray content = input.read(limit);
    if (input.error() != QFileDevice::NoError)
        return Error{QStringLiteral("cannot be read: %1").arg(input.errorString())};
    return content;
}

} // namespace dtlsd
