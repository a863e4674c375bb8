// SPDX-License-Identifier: Apache-2.0
#include "config/KeyHabit.h"

#include <algorithm>

namespace dtlsd {

namespace {

// An AES-128 key in base64 without its padding; shorter words may be words.
constexpr qsizetype shortestBase64 = 22;

bool isHexDigit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool isBlank(char c)
{
    return c == ' ' || c == '\t';
}

/// Whether nothing but digits is left of @p text, and some, without its @p isSeparator.
template <class Predicate>
bool isHexBut(QByteArrayView text, Predicate isSeparator)
{
    return std::any_of(text.begin(), text.end(), isHexDigit) &&
           std::all_of(text.begin(), text.end(),
                       [&](char c) { return isHexDigit(c) || isSeparator(c); });
}

bool hasPrefix(QByteArrayView text)
{
    return text.startsWith("hex:") || text.startsWith("base64:") || text.startsWith("text:") ||
           text.startsWith("file:");
}

bool hasComment(QByteArrayView text)
{
    return text.contains('#') || text.contains(';') || text.contains(" //") ||
           text.contains("\t//");
}

bool isQuoted(QByteArrayView text)
{
    return text.size() > 1 && text.front() == text.back() &&
           (text.front() == '"' || text.front() == '\'');
}

bool looksLikeBase64(QByteArrayView text)
{
    const auto isOfAlphabet = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '+' || c == '/' || c == '-' || c == '_';
    };
    qsizetype size = text.size();
    while (size > 0 && text[size - 1] == '=')
        --size;
    const bool isPadded = size < text.size() && text.size() % 4 == 0;
    return (isPadded || size >= shortestBase64) &&
           std::all_of(text.begin(), text.begin() + size, isOfAlphabet);
}

QLatin1StringView habitOf(QByteArrayView text)
{
    const QByteArrayView trimmed = text.trimmed();
    if (trimmed.startsWith("0x") || trimmed.startsWith("0X"))
        return QLatin1StringView("it begins with 0x");
    if (hasPrefix(trimmed))
        return QLatin1StringView("it begins with a prefix, as keys in dtlsd.ini do");
    if (hasComment(text))
        return QLatin1StringView("a comment stands behind it");
    if (isHexBut(text, [](char) { return false; }))
        return text.size() % 2 == 0 ? QLatin1StringView()
                                    : QLatin1StringView("it has an odd number of digits");
    if (isHexBut(trimmed, [](char) { return false; }))
        return isBlank(text.front()) ? QLatin1StringView("a blank stands before it")
                                     : QLatin1StringView("a blank stands behind it");
    if (isHexBut(trimmed, isBlank))
        return QLatin1StringView("it has blanks between its digits");
    if (isHexBut(trimmed, [](char c) { return c == ':'; }))
        return QLatin1StringView("it has colons between its bytes");
    if (isHexBut(trimmed, [](char c) { return c == '-'; }))
        return QLatin1StringView("it has hyphens between its bytes");
    if (isQuoted(trimmed))
        return QLatin1StringView("it stands in quotes");
    if (looksLikeBase64(trimmed))
        return QLatin1StringView("it looks like base64");
    return {};
}

} // namespace

QString keyHabit(QByteArrayView text)
{
    const QLatin1StringView habit = habitOf(text);
    return habit.isEmpty() ? QString() : QStringLiteral(": ") + habit;
}

} // namespace dtlsd
