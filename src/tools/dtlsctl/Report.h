// SPDX-License-Identifier: Apache-2.0
//
// What dtlsd answers, laid out for a person. What came from a peer is escaped.
#pragma once

#include "tools/dtlsctl/Answers.h"
#include "tools/dtlsctl/Terminal.h"

#include <QList>

namespace dtlsd {

TextBlock statusReport(const StatusAnswer &status);

/// A table; one that is wider than @p columns (0: that may be) is cut there.
TextBlock sessionsReport(const QList<SessionAnswer> &sessions, int columns);

} // namespace dtlsd
