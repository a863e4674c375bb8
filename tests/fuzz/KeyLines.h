// SPDX-License-Identifier: Apache-2.0
//
// What the targets that read key files ask of their input.
#pragma once

#include <QByteArray>
#include <QByteArrayList>
#include <QString>

namespace dtlsd::fuzz {

/// The lines of @p text, without their ends.
QByteArrayList linesOf(QByteArrayView text);

/// Whether @p text repeats a key that stands in @p line.
bool shows(const QString &text, const QByteArray &line);

} // namespace dtlsd::fuzz
