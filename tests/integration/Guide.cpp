// SPDX-License-Identifier: Apache-2.0
#include "Guide.h"

#include <QRegularExpression>

namespace dtlsd::test {

namespace {

/// From the line after the heading to the next heading of its rank.
QStringList linesOf(const QString &text, const QString &heading)
{
    QStringList lines = text.split(u'\n');
    const qsizetype start = lines.indexOf(heading) + 1;
    if (start == 0)
        return {};
    lines = lines.sliced(start);
    const qsizetype end = lines.indexOf(QRegularExpression(QStringLiteral("^## .*")));
    return end < 0 ? lines : lines.first(end);
}

} // namespace

QList<Recipe> readGuide(const QString &text, const QString &heading)
{
    static const QRegularExpression lead(QStringLiteral(R"(^\*\*(.+?)\.?\*\*)"));
    QList<Recipe> recipes;
    QString title;
    bool inBlock = false;
    for (const QString &line : linesOf(text, heading)) {
        if (const auto match = lead.match(line); match.hasMatch() && !inBlock) {
            title = match.captured(1);
        } else if (line == QStringLiteral("```sh")) {
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
