// SPDX-License-Identifier: Apache-2.0
//
// IniValue: what stands after the `=` of an INI line, without its quotes, escapes and comment.
// IniDocument.h has the grammar.
#pragma once

#include "core/Result.h"

#include <QString>

namespace dtlsd {

/// @p text is the rest of the line after `=`. The error never shows any part of it.
Result<QString> parseIniValue(QStringView text);
/// @p value as a file has to say it, in quotes where needed. parseIniValue() reads it back, and so
/// does IniDocument unless it has control characters.
QString writtenIniValue(const QString &value);

/// A space or a tab.
bool isBlank(QChar c);
/// Without blanks at both ends; no other white space is removed.
QStringView trimBlanks(QStringView text);

} // namespace dtlsd
