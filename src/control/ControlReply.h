// SPDX-License-Identifier: Apache-2.0
//
// ControlReply: what the control socket's answers have in common: JSON objects, one a line, of
// which the last says whether it is done.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QString>

namespace dtlsd {

/// The last line of an answer that is done; @p more stands in it too.
QByteArray doneLine(QJsonObject more = {});

/// The last line of one that is not: @p code is for programs, @p error for people.
QByteArray refusalLine(const char *code, const QString &error);

} // namespace dtlsd
