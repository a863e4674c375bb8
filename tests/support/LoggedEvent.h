// SPDX-License-Identifier: Apache-2.0
//
// An entry of dtlsd's log, in one form for the journal and JSON lines, and its comparison, field by
// field, with expected fields.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QMap>
#include <QStringList>

namespace dtlsd::test {

/// By their names in JSON: `peer_port`. The value's exact bytes; a number's digits.
using Fields = QMap<QByteArray, QByteArray>;

/// @p event is from DaemonProcess; `priority` is syslog(3)'s number. Fields that the target adds
/// are left out: the time, and the journal's fields about the process.
Fields fieldsOf(const QJsonObject &event);

/// Fields of a JSON line that are numbers and should not be, or the reverse.
QStringList wronglyTyped(const QJsonObject &event);

/// Fields that are missing, surplus or different from @p expected; empty if all match. An expected
/// value may refer to facts and to the event's other fields as `{name}`, and has regular
/// expressions between `<` and `>`: `{peer_port} sent <\d+> bytes`.
QStringList differences(const Fields &event, const Fields &expected, const Fields &facts);

} // namespace dtlsd::test
