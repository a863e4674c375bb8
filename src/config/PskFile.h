// SPDX-License-Identifier: Apache-2.0
//
// PskFile: the file that `[psk] file` names. It has lines `identity:hexkey`, split at the first
// colon as mosquitto and stunnel do, blank lines, and comments that begin with a `#` and a blank. A
// byte order mark at the start is skipped. The last line may lack its line feed, unless its key is
// shorter than another in the file.
#pragma once

#include "config/Config.h"

#include <QByteArray>
#include <QByteArrayView>
#include <QHash>
#include <QList>
#include <QString>

#include <cstdint>

namespace dtlsd {

/// Identities already configured, and where: `FILE:LINE, [identity NAME]`.
using TakenIdentities = QHash<QByteArray, QString>;

/// Size limit in bytes of a key file, and of a file to be imported as one.
inline constexpr std::int64_t keyFileLimit = std::int64_t{64} << 20;

/// Why a key file cannot have @p identity, and what is accepted; empty = it can.
QString identityProblem(const QByteArray &identity);

/// Why @p identity, though valid, is probably a mistake, as a warning that contains no part of it;
/// empty = it is not.
QString identityDoubt(QByteArrayView identity);
/// identityDoubt() for a line of a key file, which may be meant as a comment.
QString keyLineDoubt(QByteArrayView identity);

/// Why no line of a key file can hold @p identity, with what can; empty = one can.
QString keyLineProblem(const QByteArray &identity);
/// `identity:hexkey` and a line feed, of an identity without keyLineProblem(); addPskFile() reads
/// it back.
QByteArray keyLine(const QByteArray &identity, const PskKey &key);

/// At most 100 of each kind, and the number of further ones. No message contains any part of a
/// line: if a colon is missing or misplaced, a key looks like an identity.
struct PskFileMessages
{
    QList<ConfigMessage> errors;
    QList<ConfigMessage> warnings;
};

/// Adds the identities of the file @p path to @p store.
PskFileMessages addPskFile(const QString &path, qsizetype minimumKeySize,
                           const TakenIdentities &taken, PskStore &store);

} // namespace dtlsd
