// SPDX-License-Identifier: Apache-2.0
//
// Makes bytes from outside safe for a line that a person reads.
#pragma once

#include <QByteArray>
#include <QString>

namespace dtlsd {

/// Whether a line for people may show @p character; log lines, JSON lines and terminals all use
/// this. Not printable are controls (C0, DEL, C1), format characters (such as direction overrides
/// and invisible tags), line separators, surrogates, private and unassigned code points.
bool isPrintable(char32_t character);

/// Keeps printable UTF-8; every other byte, and each byte of invalid UTF-8, becomes `\xNN`, and a
/// backslash `\\`. At most @p limit characters, then `…`. The result is one line, and cannot move a
/// terminal's cursor or change its colour.
QString escaped(QByteArrayView bytes, qsizetype limit = 256);

/// escaped() for a name such as an identity: an empty one is `""`, as in its section.
QString escapedName(QByteArrayView name, qsizetype limit = 256);

/// escaped() for formatted text of several lines: keeps line feeds and backslashes, and has no
/// limit.
QByteArray forTerminal(QByteArrayView text);

} // namespace dtlsd
