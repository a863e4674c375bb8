// SPDX-License-Identifier: Apache-2.0
#include "Walkthrough.h"

#include <QRegularExpression>

#include <array>
#include <utility>

namespace dtlsd::test {

namespace {

const QString endOfInput = QStringLiteral("END");

/// Those of a ```console block.
QList<Step> stepsOf(const QStringList &block)
{
    QList<Step> steps{Step()};
    bool isInput = false; // a here-document's
    for (const QString &line : block) {
        if (isInput) {
            steps.last().command += u'\n' + line;
            isInput = line != endOfInput;
        } else if (line.startsWith(QStringLiteral("$ ")) || line.startsWith(QStringLiteral("# "))) {
            steps << Step{line.sliced(2), {}};
            isInput = line.contains(QStringLiteral("<<") + endOfInput);
        } else if (!line.isEmpty()) {
            steps.last().output << line;
        }
    }
    if (steps.first().output.isEmpty())
        steps.removeFirst();
    return steps;
}

} // namespace

QList<Step> readWalkthrough(const QString &text, const QString &heading)
{
    QList<Step> steps;
    QStringList block;
    bool isUnder = false;
    bool isInBlock = false;
    for (const QString &line : text.split(u'\n')) {
        if (isInBlock && line == QStringLiteral("```")) {
            isInBlock = false;
            steps += stepsOf(block);
        } else if (isInBlock) {
            block << line;
        } else if (line.startsWith(u'#')) {
            isUnder = line == heading;
        } else if (line == QStringLiteral("```console") && isUnder) {
            isInBlock = true;
            block.clear();
        }
    }
    return steps;
}

QString shapeOf(QString line)
{
    using Pattern = QRegularExpression;
    static const std::array patterns{
        std::pair(Pattern(QStringLiteral(R"(^[-\d]+ [:.\d]+Z)")), QStringLiteral("TIME")),
        std::pair(Pattern(QStringLiteral(R"(\b[.\d]+ (ms|s)\b)")), QStringLiteral("DURATION")),
        std::pair(Pattern(QStringLiteral(R"(\b\d+ bytes\b)")), QStringLiteral("SIZE")),
        std::pair(Pattern(QStringLiteral(R"(:(?!22334\b)\d{4,5}\b)")), QStringLiteral(":PORT")),
        std::pair(Pattern(QStringLiteral(R"(\b\d+ workers?\b)")), QStringLiteral("WORKERS")),
        std::pair(Pattern(QStringLiteral(R"(\): .*\\x.*temperature.*?(?=\\xff[.\d]+$|$))")),
                  QStringLiteral("): HEADER temperature")),
    };
    for (const auto &[pattern, name] : patterns)
        line.replace(pattern, name);
    return line;
}

} // namespace dtlsd::test
