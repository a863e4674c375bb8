// SPDX-License-Identifier: Apache-2.0
//
// MatrixTable: what was seen, as a Markdown table. Rows and columns stand in the order in which
// they were first named; what was seen several times in one cell is one word, or several.
#pragma once

#include <QHash>
#include <QString>
#include <QStringList>

#include <utility>

namespace dtlsd::test {

class MatrixTable
{
public:
    explicit MatrixTable(QString corner)
        : m_corner(std::move(corner))
    {
    }

    void record(const QString &row, const QString &column, const QString &seen);
    [[nodiscard]] QString markdown() const;

private:
    QString m_corner;
    QStringList m_rows;
    QStringList m_columns;
    QHash<std::pair<QString, QString>, QStringList> m_cells;
};

} // namespace dtlsd::test
