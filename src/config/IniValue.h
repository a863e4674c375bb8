// SPDX-License-Identifier: Apache-2.0
//
// IniValue: what stands after the `=` of an INI line, without its quotes, escapes and comment.
// IniDocument.h has the grammar.
#pragma once

#include "core/Result.h"

#include <QString>

namespace dtlsd {

struct IniValue
{
    QString text;
    bool quoted = false;

    /// @p text is the rest of the line after `=`. The error never shows any part of it.
    static Result<IniValue> parse(QStringView text);
    /// The shortest form that parse() reads as @p text.
    static QString written(const QString &text);
};

/// A space or a tab: what INI readers agree to be a blank.
bool isBlank(QChar c);
/// Without blanks at both ends; no other white space is removed.
QStringView trimBlanks(QStringView text);

} // namespace dtlsd
