// SPDX-License-Identifier: Apache-2.0
//
// dtlsd's answers laid out for people. Text from a peer is escaped.
#pragma once

#include "tools/dtlsctl/Answers.h"
#include "tools/dtlsctl/Terminal.h"

#include <QList>

namespace dtlsd {

TextBlock statusReport(const StatusAnswer &status);

/// A table, cut to @p columns; 0: not cut.
TextBlock sessionsReport(const QList<SessionAnswer> &sessions, int columns);

} // namespace dtlsd
