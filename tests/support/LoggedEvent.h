// SPDX-License-Identifier: Apache-2.0
//
// An entry of dtlsd's log, the same whether it was read from the journal or from a JSON line, and
// its comparison, field by field, with what is expected.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QMap>
#include <QStringList>

namespace dtlsd::test {

/// By their names in JSON: `peer_port`. The value's exact bytes; a number's digits.
using Fields = QMap<QByteArray, QByteArray>;

/// @p event as DaemonProcess gives it, with `priority` as syslog(3) counts. Left out is what the
/// target adds: the time, and what the journal says about the process.
Fields fieldsOf(const QJsonObject &event);

/// Those of a JSON line that are a number and should not be, or the other way round.
QStringList wronglyTyped(const QJsonObject &event);

/// What is missing, surplus or other than @p expected; empty if they are the same. An expected
/// value may refer to facts and to the event's other fields as `{name}`, and has regular
/// expressions between `<` and `>`: `{peer_port} sent <\d+> bytes`.
QStringList differences(const Fields &event, const Fields &expected, const Fields &facts);

} // namespace dtlsd::test
