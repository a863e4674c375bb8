// SPDX-License-Identifier: Apache-2.0
//
// ValueCodec: how one kind of configuration value is parsed, written and described. ConfigSchema
// assigns one to each key.
#pragma once

#include "core/Names.h"
#include "core/Result.h"
#include "core/SocketAddress.h"
#include "dtls/CipherPolicy.h"
#include "dtls/Psk.h"
#include "dtls/ReplyTemplate.h"

#include <QByteArray>
#include <QList>
#include <QString>

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace dtlsd {

template <class T>
struct ValueCodec
{
    /// An error has the value, escaped and bounded, and the fault: `"ten" is not a number`.
    std::function<Result<T>(const QString &)> parse;
    /// parse() reads it back.
    std::function<QString(const T &)> format;
    /// The rest of the error: `a whole number from 1 to 9 is accepted`.
    QString accepted;
};

using Milliseconds = std::chrono::milliseconds;

ValueCodec<std::int64_t> wholeNumber(std::int64_t minimum, std::int64_t maximum);
/// 0 is allowed, and described by @p meaning: `0 for no limit`.
ValueCodec<std::int64_t> wholeNumberOrZero(std::int64_t maximum, const QString &meaning);
/// `auto` is 0.
ValueCodec<std::int64_t> wholeNumberOrAuto(std::int64_t maximum);
/// wholeNumber() of a narrower type.
template <class T>
ValueCodec<T> narrowNumber(T minimum, T maximum);
ValueCodec<std::int64_t> byteSize(std::int64_t minimum, std::int64_t maximum);

ValueCodec<Milliseconds> duration(Milliseconds minimum, Milliseconds maximum);
/// 0 is allowed, and described by @p meaning.
ValueCodec<Milliseconds> durationOrZero(Milliseconds minimum, Milliseconds maximum,
                                        const QString &meaning);

/// UTF-8, or nothing.
ValueCodec<QByteArray> shortText(qsizetype maximumSize);
/// Absolute, or nothing. @p maximumSize in bytes.
ValueCodec<QString> absolutePath(qsizetype maximumSize);
/// Also relative, or nothing.
ValueCodec<QString> filePath();

ValueCodec<ReplyTemplate> replyTemplate();
ValueCodec<CipherPolicy> cipherPolicy();
ValueCodec<QList<SocketAddress>> listenAddresses();
/// Of a service on this machine; `none` is SocketAddress().
ValueCodec<SocketAddress> serviceAddress();
/// Empty = any address.
ValueCodec<QList<Subnet>> subnets();

/// One of a few words.
template <class T>
ValueCodec<T> choice(const std::vector<std::pair<QString, T>> &words);

// ---------------------------------------------------------------------------------------------

/// The elements between the commas of a list, without blanks around them.
QStringList listElements(const QString &text);

/// `"value" is unknown`, with the closest of @p words as a suggestion.
Error unknownWord(const QString &text, const QStringList &words);
/// `a, b or c is accepted`
QString acceptedWords(const QStringList &words);

template <class T>
ValueCodec<T> narrowNumber(T minimum, T maximum)
{
    const auto number = wholeNumber(minimum, maximum);
    return {[parse = number.parse](const QString &text) -> Result<T> {
                const auto value = parse(text);
                if (!value)
                    return value.error();
                return static_cast<T>(value.value());
            },
            number.format, number.accepted};
}

template <class T>
ValueCodec<T> choice(const std::vector<std::pair<QString, T>> &words)
{
    QStringList names;
    for (const auto &[name, value] : words)
        names += name;
    ValueCodec<T> codec;
    codec.accepted = acceptedWords(names);
    codec.parse = [words, names](const QString &text) -> Result<T> {
        for (const auto &[name, value] : words) {
            if (name == text)
                return value;
        }
        return unknownWord(text, names);
    };
    codec.format = [words](const T &wanted) {
        for (const auto &[name, value] : words) {
            if (value == wanted)
                return name;
        }
        return QString();
    };
    return codec;
}

template <class T, std::size_t count>
ValueCodec<T> choice(const Names<T, count> &names)
{
    std::vector<std::pair<QString, T>> words;
    for (const auto &[name, value] : names)
        words.emplace_back(name, value);
    return choice<T>(std::move(words));
}

} // namespace dtlsd
