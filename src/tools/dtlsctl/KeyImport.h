// SPDX-License-Identifier: Apache-2.0
//
// KeyImport: key files of other servers as lines of ours. What it has to say never shows any part
// of a line: where a colon is missing or misplaced, a key looks like an identity.
#pragma once

#include "config/Config.h"
#include "core/Names.h"

#include <QByteArray>
#include <QList>
#include <QString>

namespace dtlsd {

enum class KeyFormat {
    Mosquitto, ///< psk_file: identity:hexkey
    Stunnel,   ///< PSKsecrets: identity:key, which is hex if OpenSSL can read it as such, else text
    GnuTls     ///< psk.passwd of psktool: identity:hexkey, #hexidentity:hexkey
};

inline constexpr Names<KeyFormat, 3> keyFormatNames{
    {{QLatin1StringView("mosquitto"), KeyFormat::Mosquitto},
     {QLatin1StringView("stunnel"), KeyFormat::Stunnel},
     {QLatin1StringView("gnutls"), KeyFormat::GnuTls}}};

struct ImportedKeys
{
    QByteArray lines; ///< in the order of the file; to be used only without errors
    QList<ConfigMessage> errors;
    QList<ConfigMessage> warnings;
};

/// @p file is the name for messages.
ImportedKeys importKeys(KeyFormat format, const QString &file, QByteArrayView content);

} // namespace dtlsd
