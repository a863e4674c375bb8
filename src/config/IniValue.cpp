// SPDX-License-Identifier: Apache-2.0
#include "config/IniValue.h"

#include <QList>

#include <algorithm>

namespace dtlsd {

namespace {

/// Whether QSettings would decode @p text or, where commas make a list of it, a part of it.
bool beginsWithAt(QStringView text, bool quoted)
{
    if (quoted)
        return text.startsWith(u'@');
    const auto parts = text.split(u',');
    return std::any_of(parts.begin(), parts.end(),
                       [](QStringView part) { return trimBlanks(part).startsWith(u'@'); });
}

bool hasHashAfterBlank(QStringView text)
{
    for (qsizetype i = 1; i < text.size(); ++i) {
        if (text[i] == u'#' && isBlank(text[i - 1]))
            return true;
    }
    return text.startsWith(u'#');
}

/// What keeps @p text from being a value without quotes; empty = nothing.
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

Result<IniValue> checked(IniValue value)
{
    if (beginsWithAt(value.text, value.quoted))
        return Error{QStringLiteral("the value begins with @, which other readers decode; any "
                                    "other first character is accepted")};
    return value;
}

Result<IniValue> parsePlain(QStringView text)
{
    const qsizetype semicolon = text.indexOf(u';');
    if (semicolon == 0 || (semicolon > 0 && !isBlank(text[semicolon - 1])))
        return Error{QStringLiteral("a ; stands inside the value; \"...\" around the value is "
                                    "accepted, or a blank before the ; of a comment")};
    const QStringView plain = trimBlanks(semicolon < 0 ? text : text.first(semicolon));
    if (const QString wrong = plainProblem(plain); !wrong.isEmpty())
        return Error{wrong};
    return checked({plain.toString(), false});
}

/// @p text begins after the opening quote.
Result<IniValue> parseQuoted(QStringView text)
{
    IniValue value{{}, true};
    qsizetype i = 0;
    for (; i < text.size() && text[i] != u'"'; ++i) {
        if (text[i] == u'\\') {
            ++i;
            if (i == text.size() || (text[i] != u'\\' && text[i] != u'"'))
                return Error{QStringLiteral("a backslash in quotes stands before something else; "
                                            "\\\\ and \\\" are accepted")};
        }
        value.text += text[i];
    }
    if (i == text.size())
        return Error{QStringLiteral("the double quote is not closed; \"...\" in one line is "
                                    "accepted")};
    const QStringView rest = trimBlanks(text.sliced(i + 1));
    if (!rest.isEmpty() && !rest.startsWith(u';'))
        return Error{QStringLiteral("there is text after the closing quote; quotes around the "
                                    "whole value are accepted, and \\\" inside them")};
    return checked(std::move(value));
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

Result<IniValue> IniValue::parse(QStringView text)
{
    const QStringView trimmed = trimBlanks(text);
    return trimmed.startsWith(u'"') ? parseQuoted(trimmed.sliced(1)) : parsePlain(text);
}

QString IniValue::written(const QString &text)
{
    const bool plain = trimBlanks(text) == text && !text.contains(u';') && !text.contains(u',') &&
                       plainProblem(text).isEmpty();
    if (plain)
        return text;
    QString quoted = text;
    quoted.replace(u'\\', QStringLiteral("\\\\")).replace(u'"', QStringLiteral("\\\""));
    return u'"' + quoted + u'"';
}

} // namespace dtlsd
