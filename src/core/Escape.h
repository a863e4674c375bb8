// SPDX-License-Identifier: Apache-2.0
//
// Bytes from outside, made safe for a line that a person reads.
#pragma once

#include <QByteArray>
#include <QString>

namespace dtlsd {

/// Printable UTF-8 stays; every other byte becomes `\xNN` and a backslash `\\`: control and
/// format characters (among them those that turn the writing direction), line separators,
/// invalid UTF-8. At most @p limit characters, then `…`. The result is one line, and cannot move
/// a terminal's cursor or colour.
QString escaped(QByteArrayView bytes, qsizetype limit = 256);

} // namespace dtlsd
