// SPDX-License-Identifier: Apache-2.0
//
// dtlsd's answers laid out for people. Text from a peer is escaped.
#pragma once

#include "tools/dtlsctl/Answers.h"
#include "tools/dtlsctl/Terminal.h"

#include <QList>

namespace dtlsd {

TextBlock statusReport(const StatusAnswer &status);

/// A table of sessions, in blocks: a column is as wide as the widest text in it so far.
class SessionsTable
{
public:
    /// Lines are cut to @p terminalColumns; 0: not cut.
    explicit SessionsTable(int terminalColumns = 0)
        : m_terminalColumns(terminalColumns)
    {
    }

    /// The lines of @p sessions, which come next; before the first, the headings.
    [[nodiscard]] TextBlock next(const QList<SessionAnswer> &sessions);
    [[nodiscard]] bool isBegun() const { return !m_widths.isEmpty(); }

private:
    int m_terminalColumns;
    QList<int> m_widths; // of the columns; empty: there are no headings yet
};

/// A whole table.
TextBlock sessionsReport(const QList<SessionAnswer> &sessions, int terminalColumns);

} // namespace dtlsd
