// SPDX-License-Identifier: Apache-2.0
//
// JSON lines, as the log and the control socket write them.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QString>

namespace dtlsd {

/// Inserts @p value exactly: as text, or as base64 into `NAME_base64` when it is not UTF-8.
void insertBytes(QJsonObject &object, const QString &name, const QByteArray &value);

/// @p object and a line feed. What is not printable (core/Escape.h) is escaped.
QByteArray jsonLine(const QJsonObject &object);

} // namespace dtlsd
