// SPDX-License-Identifier: Apache-2.0
#include "config/KeyText.h"

#include "config/Lines.h"
#include "config/RegularFile.h"

#include <QDir>

#include <algorithm>

namespace dtlsd {

namespace {

constexpr std::int64_t keyTextLimit = 4096; // bytes; a key needs 136 at most

// The length of an AES-128 key in base64 without padding; anything shorter may be a word.
constexpr qsizetype shortestBase64 = 22;

bool isHexDigit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool isBlank(char c)
{
    return c == ' ' || c == '\t';
}

/// Whether @p text consists of hexadecimal digits, at least one, and of @p isSeparator characters.
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

/// Why @p text is not hexadecimal, to follow `is not hexadecimal` in a message, such as `: it
/// begins with 0x`. Empty if it resembles no key format of other programs. Contains no part of
/// @p text.
QString keyHabit(QByteArrayView text)
{
    const QLatin1StringView habit = habitOf(text);
    return habit.isEmpty() ? QString() : QStringLiteral(": ") + habit;
}

Result<PskKey> sized(QByteArray bytes, qsizetype minimumSize)
{
    PskKey key(std::move(bytes));
    if (key.size() >= std::max<qsizetype>(1, minimumSize) && key.size() <= PskKey::maximumSize)
        return key;
    // Only the configuration requires more than one byte.
    const QString setting = minimumSize > 1 ? QStringLiteral(" ([tls] min_key_bytes)") : QString();
    return Error{QStringLiteral("is %1 bytes long; %2 to %3 bytes are accepted%4")
                     .arg(key.size())
                     .arg(std::max<qsizetype>(1, minimumSize))
                     .arg(PskKey::maximumSize)
                     .arg(setting)};
}

Result<PskKey> parseBase64Key(QByteArrayView text, qsizetype minimumSize)
{
    const QByteArray encoded = text.toByteArray();
    QByteArray decoded = QByteArray::fromBase64(encoded);
    // Qt accepts missing padding and stray bits, but each key must have one spelling.
    if (decoded.toBase64() != encoded)
        return Error{QStringLiteral("is not base64; base64 with its padding is accepted after "
                                    "base64:")};
    return sized(std::move(decoded), minimumSize);
}

/// nullopt: @p text has none of the prefixes.
std::optional<Result<PskKey>> parsePrefixed(QByteArrayView text, qsizetype minimumSize)
{
    if (text.startsWith("hex:"))
        return parseHexKey(text.sliced(4), minimumSize);
    if (text.startsWith("base64:"))
        return parseBase64Key(text.sliced(7), minimumSize);
    if (text.startsWith("text:"))
        return sized(text.sliced(5).toByteArray(), minimumSize);
    return std::nullopt;
}

} // namespace

Result<PskKey> parseHexKey(QByteArrayView digits, qsizetype minimumSize)
{
    if (digits.size() % 2 != 0 || !std::all_of(digits.begin(), digits.end(), isHexDigit))
        return Error{QStringLiteral("is not hexadecimal%1; an even number of hexadecimal digits "
                                    "is accepted")
                         .arg(keyHabit(digits))};
    return sized(QByteArray::fromHex(digits.toByteArray()), minimumSize);
}

Result<PskKey> parseBareKey(QByteArrayView text, qsizetype minimumSize)
{
    if (auto key = parsePrefixed(text, minimumSize))
        return std::move(*key);
    if (std::all_of(text.begin(), text.end(), isHexDigit))
        return parseHexKey(text, minimumSize);
    return Error{QStringLiteral("has no known form%1; hexadecimal digits, or hex:, base64: or "
                                "text: before the key are accepted")
                     .arg(keyHabit(text))};
}

Result<PskKey> readKeyFile(const QString &path, qsizetype minimumSize)
{
    Result<RegularFile> file = RegularFile::readSecret(path, keyTextLimit);
    if (!file)
        return file.error();
    const Result<QByteArrayView> text = withoutByteOrderMark(file.value().content);
    if (!text)
        return text.error();
    QByteArrayView line = text.value();
    if (line.endsWith('\n'))
        line.chop(1);
    if (line.endsWith('\r'))
        line.chop(1);
    if (line.contains('\n'))
        return Error{QStringLiteral("has more than one line; one line with the key is accepted")};
    Result<PskKey> key = parseBareKey(line, minimumSize);
    if (!key)
        return Error{QStringLiteral("the key in it ") + key.error().message};
    return key;
}

std::optional<QString> pathIn(const QString &value)
{
    constexpr QStringView prefix(u"file:");
    return value.startsWith(prefix) ? std::optional(value.sliced(prefix.size())) : std::nullopt;
}

Result<PskKey> parseKey(const QString &text, const KeyRules &rules)
{
    if (const auto named = pathIn(text); named && !named->isEmpty()) {
        const QString path = resolvedPath(*named, rules.directory);
        Result<PskKey> key = readKeyFile(path, rules.minimumSize);
        if (!key)
            return Error{shownPath(path) + QStringLiteral(": ") + key.error().message};
        return key;
    }
    const QByteArray bytes = text.toUtf8();
    if (auto key = parsePrefixed(bytes, rules.minimumSize))
        return std::move(*key);
    const QString wrong = text.isEmpty() ? QStringLiteral("is missing")
                                         : QStringLiteral("has no known form") + keyHabit(bytes);
    return Error{wrong + QStringLiteral("; ") + keyForms};
}

QString resolvedPath(const QString &path, const QString &directory)
{
    return QDir::cleanPath(QDir(directory).absoluteFilePath(path));
}

} // namespace dtlsd
