// SPDX-License-Identifier: Apache-2.0
//
// The recipes of a document: commands under a bold lead, as an operator would read and type them.
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

/// Of the document @p text, in its order. A block of commands that has no bold lead under its
/// heading belongs to no recipe.
QList<Recipe> readGuide(const QString &text);

} // namespace dtlsd::test
