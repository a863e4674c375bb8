// SPDX-License-Identifier: Apache-2.0
//
// KeyImport: converts key files of other servers to lines of ours. Its messages never show any part
// of a line: if a colon is missing or misplaced, a key looks like an identity.
#pragma once

#include "config/Config.h"
#include "core/Names.h"

#include <QByteArray>
#include <QList>
#include <QString>

namespace dtlsd {

enum class KeyFormat {
    Mosquitto, ///< psk_file: identity:hexkey
    Stunnel,   ///< PSKsecrets: identity:key; the key is hex if OpenSSL reads it as hex, else text
    GnuTls     ///< psk.passwd of psktool: identity:hexkey, #hexidentity:hexkey
};

inline constexpr Names<KeyFormat, 3> keyFormatNames{
    {{QLatin1StringView("mosquitto"), KeyFormat::Mosquitto},
     {QLatin1StringView("stunnel"), KeyFormat::Stunnel},
     {QLatin1StringView("gnutls"), KeyFormat::GnuTls}}};

struct ImportedKeys
{
    QByteArray lines; ///< in the order of the file; valid only without errors
    QList<ConfigMessage> errors;
    QList<ConfigMessage> warnings;
};

/// @p file is the name that messages show.
ImportedKeys importKeys(KeyFormat format, const QString &file, QByteArrayView content);

} // namespace dtlsd
