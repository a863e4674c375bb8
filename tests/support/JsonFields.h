// SPDX-License-Identifier: Apache-2.0
//
// Members of a JSON object by their name.
#pragma once

#include <QJsonObject>
#include <QString>

namespace dtlsd::test {

/// Empty: the member is missing, or no text.
inline QString text(const QJsonObject &object, const char *name)
{
    return object.value(QLatin1String(name)).toString();
}

/// -1: the member is missing, or no whole number.
inline qint64 number(const QJsonObject &object, const char *name)
{
    return object.value(QLatin1String(name)).toInteger(-1);
}

} // namespace dtlsd::test
