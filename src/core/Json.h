// SPDX-License-Identifier: Apache-2.0
//
// JSON lines, as the log and the control socket write them.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QString>

namespace dtlsd {

/// Inserts @p value as text, or if it is not UTF-8, as base64 under `NAME_base64`.
void insertBytes(QJsonObject &object, const QString &name, const QByteArray &value);

/// @p object and a line feed. Unprintable characters (core/Escape.h) are escaped.
QByteArray jsonLine(const QJsonObject &object);

} // namespace dtlsd
