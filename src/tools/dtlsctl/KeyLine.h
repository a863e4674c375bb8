// SPDX-License-Identifier: Apache-2.0
//
// KeyLine: an identity and its key as the file that `[psk] file` names has them. config/PskFile.h
// reads them back.
#pragma once

#include "dtls/Psk.h"

#include <QByteArray>
#include <QString>

namespace dtlsd {

/// Why no line of a key file can hold @p identity, with what can; empty = one can.
QString keyLineProblem(const QByteArray &identity);

/// `identity:hexkey` and a line feed, of an identity without a problem.
QByteArray keyLine(const QByteArray &identity, const PskKey &key);

} // namespace dtlsd
