// SPDX-License-Identifier: Apache-2.0
//
// The recipes of a section of README.md: what an operator would read and type.
#pragma once

#include <QList>
#include <QString>
#include <QStringList>

namespace dtlsd::test {

struct Recipe
{
    QString title;      ///< the bold words that it begins with
    QStringList blocks; ///< the commands of its ```sh blocks
};

/// Of the section under the heading @p heading, in its order. A block before the first bold lead
/// has an empty title.
QList<Recipe> readGuide(const QString &text, const QString &heading);

} // namespace dtlsd::test
