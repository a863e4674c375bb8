// SPDX-License-Identifier: Apache-2.0
#include "control/ControlReply.h"

#include "core/Json.h"

namespace dtlsd {

QByteArray doneLine(QJsonObject more)
{
    more.insert(QStringLiteral("ok"), true);
    return jsonLine(more);
}

QByteArray refusalLine(const char *code, const QString &error)
{
    return jsonLine({{QStringLiteral("ok"), false},
                     {QStringLiteral("code"), QLatin1String(code)},
                     {QStringLiteral("error"), error}});
}

} // namespace dtlsd
