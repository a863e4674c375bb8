// SPDX-License-Identifier: Apache-2.0
//
// KeyText: parses pre-shared keys. No error contains any part of a key.
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
    QString directory;         ///< where relative paths of key files start
};

/// What parseKey() accepts, for a message.
inline constexpr QLatin1StringView
    keyForms("hex:, base64:, text: or file: before the key is accepted");

/// The path after `file:`, which may be empty; nullopt if @p value has no such prefix.
std::optional<QString> pathIn(const QString &value);

/// `hex:00ff…`, `base64:AP8=`, `text:bytes` or `file:path`.
Result<PskKey> parseKey(const QString &text, const KeyRules &rules);

/// `hex:`, `base64:`, `text:`, or hexadecimal digits alone: the content of a key file, or a key
/// that a client's user types.
Result<PskKey> parseBareKey(QByteArrayView text, qsizetype minimumSize = 1);

/// Hexadecimal digits alone.
Result<PskKey> parseHexKey(QByteArrayView digits, qsizetype minimumSize = 1);

/// parseBareKey() of the only line of the file @p path, which others must not be able to read.
Result<PskKey> readKeyFile(const QString &path, qsizetype minimumSize = 1);

/// @p path, or if it is relative, its place in @p directory.
QString resolvedPath(const QString &path, const QString &directory);

} // namespace dtlsd
