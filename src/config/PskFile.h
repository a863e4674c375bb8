// SPDX-License-Identifier: Apache-2.0
//
// PskFile: the file that `[psk] file` names. Lines `identity:hexkey`, split at the first colon as
// mosquitto and stunnel do, blank lines, and comments that begin with a `#` and a blank. A byte
// order mark at the start of the file is no part of its first line. The last line may lack its line
// feed, unless its key is shorter than another in the file.
#pragma once

#include "config/Config.h"

#include <QByteArray>
#include <QByteArrayView>
#include <QHash>
#include <QList>
#include <QString>

#include <cstdint>

namespace dtlsd {

/// Identities that are taken, and by what: `FILE:LINE, [identity NAME]`.
using TakenIdentities = QHash<QByteArray, QString>;

/// What a key file may have, and other servers' that are to become one, in bytes.
inline constexpr std::int64_t keyFileLimit = std::int64_t{64} << 20;

/// Why @p identity is none that a key file can have, with what is accepted; empty = it is one.
QString identityProblem(const QByteArray &identity);

/// Why @p identity, accepted as it is written, is probably not meant so, as the text of a warning
/// without any part of it; empty = it is.
QString identityDoubt(QByteArrayView identity);
/// The same of an identity in a line of a key file, where it may be meant as a comment.
QString keyLineDoubt(QByteArrayView identity);

/// Why no line of a key file can hold @p identity, with what can; empty = one can.
QString keyLineProblem(const QByteArray &identity);
/// `identity:hexkey` and a line feed, of an identity without a problem; addPskFile() reads it back.
QByteArray keyLine(const QByteArray &identity, const PskKey &key);

/// Of each kind at most 100, and the number of the others. None has any part of a line: where a
/// colon is missing or misplaced, a key looks like an identity.
struct PskFileMessages
{
    QList<ConfigMessage> errors;
    QList<ConfigMessage> warnings;
};

/// Adds what the file @p path holds to @p store.
PskFileMessages addPskFile(const QString &path, qsizetype minimumKeySize,
                           const TakenIdentities &taken, PskStore &store);

} // namespace dtlsd
