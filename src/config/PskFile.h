// SPDX-License-Identifier: Apache-2.0
//
// PskFile: the file that `[psk] file` names. Lines `identity:hexkey`, split at the first colon as
// mosquitto and stunnel do, blank lines, and comments that begin with a `#` and a blank. The last
// line may lack its line feed, unless its key is shorter than another in the file.
#pragma once

#include "config/Config.h"

#include <QByteArray>
#include <QHash>
#include <QList>
#include <QString>

#include <cstdint>

namespace dtlsd {

/// Identities that are taken, and by what: `FILE:LINE, [identity NAME]`.
using TakenIdentities = QHash<QByteArray, QString>;

/// What a key file may have, and other servers' that are to become one, in bytes.
inline constexpr std::int64_t keyFileLimit = std::int64_t{64} << 20;

/// Why @p identity is none, with what is accepted; empty = it is one.
QString identityProblem(const QByteArray &identity);

/// Adds what the file @p path holds to @p store. Returns what is wrong with it, at most 100
/// messages and the number of the others, without any part of a line: where a colon is missing or
/// misplaced, a key looks like an identity.
QList<ConfigMessage> addPskFile(const QString &path, qsizetype minimumKeySize,
                                const TakenIdentities &taken, PskStore &store);

} // namespace dtlsd
