// SPDX-License-Identifier: Apache-2.0
#include "Guide.h"

#include <QRegularExpression>

namespace dtlsd::test {

QList<Recipe> readGuide(const QString &text)
{
    static const QRegularExpression lead(QStringLiteral(R"(^\*\*(.+?)\.?\*\*)"));
    QList<Recipe> recipes;
    QString title;
    bool inBlock = false;
    for (const QString &line : text.split(u'\n')) {
        if (const auto match = lead.match(line); match.hasMatch() && !inBlock) {
            title = match.captured(1);
        } else if (line.startsWith(u'#') && !inBlock) {
            title.clear();
        } else if (line == QStringLiteral("```sh") && !title.isEmpty()) {
            inBlock = true;
            if (recipes.isEmpty() || recipes.last().title != title)
                recipes << Recipe{title, {}};
            recipes.last().blocks << QString();
        } else if (line == QStringLiteral("```")) {
            inBlock = false;
        } else if (inBlock) {
            recipes.last().blocks.last() += line + u'\n';
        }
    }
    return recipes;
}

} // namespace dtlsd::test
