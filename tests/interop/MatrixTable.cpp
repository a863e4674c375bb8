// SPDX-License-Identifier: Apache-2.0
#include "interop/MatrixTable.h"

namespace dtlsd::test {

namespace {

void addOnce(QStringList &list, const QString &text)
{
    if (!list.contains(text))
        list << text;
}

QString line(const QStringList &cells)
{
    return QStringLiteral("| ") + cells.join(QStringLiteral(" | ")) + QStringLiteral(" |\n");
}

} // namespace

void MatrixTable::record(const QString &row, const QString &column, const QString &seen)
{
    addOnce(m_rows, row);
    addOnce(m_columns, column);
    addOnce(m_cells[{row, column}], seen);
}

QString MatrixTable::markdown() const
{
    QString text = line(QStringList{m_corner} + m_columns) +
                   line(QStringList(m_columns.size() + 1, QStringLiteral("---")));
    for (const QString &row : m_rows) {
        QStringList cells{row};
        for (const QString &column : m_columns)
            cells << m_cells.value({row, column}).join(QStringLiteral(", "));
        text += line(cells);
    }
    return text;
}

} // namespace dtlsd::test
