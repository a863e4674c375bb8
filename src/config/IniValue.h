// SPDX-License-Identifier: Apache-2.0
//
// IniValue: the value after the `=` of an INI line, without quotes, escapes and comment.
// IniDocument.h has the grammar.
#pragma once

#include "core/Result.h"

#include <QString>

namespace dtlsd {

/// @p text is the rest of the line after `=`. The error contains no part of it.
Result<QString> parseIniValue(QStringView text);
/// @p value in INI form, quoted if necessary. parseIniValue() reads it back; IniDocument too,
/// unless the value has control characters.
QString writtenIniValue(const QString &value);

/// A space or a tab.
bool isBlank(QChar c);
/// Removes blanks from both ends, but no other white space.
QStringView trimBlanks(QStringView text);

} // namespace dtlsd
