// SPDX-License-Identifier: Apache-2.0
#include "config/IniValue.h"

namespace dtlsd {

namespace {

bool hasHashAfterBlank(QStringView text)
{
    for (qsizetype i = 1; i < text.size(); ++i) {
        if (text[i] == u'#' && isBlank(text[i - 1]))
            return true;
    }
    return text.startsWith(u'#');
}

/// Why @p text needs quotes as a value; empty = it does not.
QString plainProblem(QStringView text)
{
    if (text.contains(u'"'))
        return QStringLiteral("a double quote stands inside the value; quotes around the whole "
                              "value are accepted, and \\\" inside them");
    if (text.contains(u'\\'))
        return QStringLiteral("a backslash stands in a value without quotes; \"...\" around the "
                              "value is accepted, and \\\\ inside it");
    if (hasHashAfterBlank(text))
        return QStringLiteral("a # begins no comment after a value; a comment that begins with ; "
                              "or \"...\" around the value is accepted");
    return {};
}

Result<QString> parsePlain(QStringView text)
{
    const qsizetype semicolon = text.indexOf(u';');
    if (semicolon == 0 || (semicolon > 0 && !isBlank(text[semicolon - 1])))
        return Error{QStringLiteral("a ; stands inside the value; \"...\" around the value is "
                                    "accepted, or a blank before the ; of a comment")};
    const QStringView plain = trimBlanks(semicolon < 0 ? text : text.first(semicolon));
    if (const QString wrong = plainProblem(plain); !wrong.isEmpty())
        return Error{wrong};
    return plain.toString();
}

/// @p text begins after the opening quote.
Result<QString> parseQuoted(QStringView text)
{
    QString value;
    qsizetype i = 0;
    for (; i < text.size() && text[i] != u'"'; ++i) {
        if (text[i] == u'\\') {
            ++i;
            if (i == text.size() || (text[i] != u'\\' && text[i] != u'"'))
                return Error{QStringLiteral("a backslash in quotes stands before something else; "
                                            "\\\\ and \\\" are accepted")};
        }
        value += text[i];
    }
    if (i == text.size())
        return Error{QStringLiteral("the double quote is not closed; \"...\" in one line is "
                                    "accepted")};
    const QStringView rest = trimBlanks(text.sliced(i + 1));
    if (!rest.isEmpty() && !rest.startsWith(u';'))
        return Error{QStringLiteral("there is text after the closing quote; quotes around the "
                                    "whole value are accepted, and \\\" inside them")};
    return value;
}

} // namespace

bool isBlank(QChar c)
{
    return c == u' ' || c == u'\t';
}

QStringView trimBlanks(QStringView text)
{
    while (!text.isEmpty() && isBlank(text.front()))
        text = text.sliced(1);
    while (!text.isEmpty() && isBlank(text.back()))
        text.chop(1);
    return text;
}

Result<QString> parseIniValue(QStringView text)
{
    const QStringView trimmed = trimBlanks(text);
    return trimmed.startsWith(u'"') ? parseQuoted(trimmed.sliced(1)) : parsePlain(text);
}

QString writtenIniValue(const QString &value)
{
    if (trimBlanks(value) == value && !value.contains(u';') && plainProblem(value).isEmpty())
        return value;
    QString quoted = value;
    quoted.replace(u'\\', QStringLiteral("\\\\")).replace(u'"', QStringLiteral("\\\""));
    return u'"' + quoted + u'"';
}

} // namespace dtlsd
