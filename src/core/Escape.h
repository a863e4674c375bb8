// SPDX-License-Identifier: Apache-2.0
//
// Bytes from outside, made safe for a line that a person reads.
#pragma once

#include <QByteArray>
#include <QString>

namespace dtlsd {

/// Whether @p character may stand in a line that a person reads. The one answer for log lines, JSON
/// lines and terminals: not a control (C0, DEL, C1) or format character (among them those that turn
/// the writing direction, and invisible tags), line separator, surrogate, private or unassigned
/// code point.
bool isPrintable(char32_t character);

/// Printable UTF-8 stays; every other byte, and each byte of invalid UTF-8, becomes `\xNN`, and a
/// backslash `\\`. At most @p limit characters, then `…`. The result is one line, and cannot move a
/// terminal's cursor or colour.
QString escaped(QByteArrayView bytes, qsizetype limit = 256);

/// The same for text of several lines that has its form already: line feeds and backslashes stay,
/// and nothing is cut.
QByteArray forTerminal(QByteArrayView text);

} // namespace dtlsd
