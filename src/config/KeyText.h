// SPDX-License-Identifier: Apache-2.0
//
// KeyText: pre-shared keys as people write them. No error shows any part of a key.
#pragma once

#include "core/Result.h"
#include "dtls/Psk.h"

#include <QByteArrayView>
#include <QString>

#include <optional>

namespace dtlsd {

struct KeyRules
{
    qsizetype minimumSize = 1; ///< bytes
    QString directory;         ///< where the paths of key files begin, unless absolute
};

/// What parseKey() accepts, for a message.
inline constexpr QLatin1StringView
    keyForms("hex:, base64:, text: or file: before the key is accepted");

/// What follows `file:`, which may be nothing; nullopt if @p value begins otherwise.
std::optional<QString> pathIn(const QString &value);

/// `hex:00ff…`, `base64:AP8=`, `text:bytes` or `file:path`.
Result<PskKey> parseKey(const QString &text, const KeyRules &rules);

/// `hex:`, `base64:`, `text:`, or hexadecimal digits alone: what a key file holds and what a
/// client's user types.
Result<PskKey> parseBareKey(QByteArrayView text, qsizetype minimumSize = 1);

/// Hexadecimal digits alone.
Result<PskKey> parseHexKey(QByteArrayView digits, qsizetype minimumSize = 1);

/// The one line of the file @p path, which others must not be able to read, through
/// parseBareKey().
Result<PskKey> readKeyFile(const QString &path, qsizetype minimumSize = 1);

/// @p path, or what it means in @p directory when it is relative.
QString resolvedPath(const QString &path, const QString &directory);

} // namespace dtlsd
