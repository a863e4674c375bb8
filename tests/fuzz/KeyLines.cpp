// SPDX-License-Identifier: Apache-2.0
#include "fuzz/KeyLines.h"

#include <QRegularExpression>

namespace dtlsd::fuzz {

QByteArrayList linesOf(QByteArrayView text)
{
    QByteArrayList lines = text.toByteArray().split('\n');
    if (lines.constLast().isEmpty())
        lines.removeLast();
    for (QByteArray &line : lines) {
        if (line.endsWith('\r'))
            line.chop(1);
    }
    return lines;
}

bool shows(const QString &text, const QByteArray &line)
{
    static const QRegularExpression longHex(QStringLiteral("[0-9A-Fa-f]{16,}"));
    const auto found = longHex.match(QString::fromLatin1(line));
    return found.hasMatch() && text.contains(found.captured());
}

} // namespace dtlsd::fuzz
