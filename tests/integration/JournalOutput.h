// SPDX-License-Identifier: Apache-2.0
//
// What journalctl prints, taken apart.
#pragma once

#include <QByteArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QList>
#include <QRegularExpression>
#include <QStringList>

namespace dtlsd::test {

inline QList<QByteArray> linesOf(const QByteArray &output)
{
    QList<QByteArray> lines = output.split('\n');
    if (lines.last().isEmpty())
        lines.removeLast();
    return lines;
}

/// What stands behind `HOST dtlsd[PID]: `, line by line.
inline QStringList messagesOf(const QByteArray &output)
{
    static const QRegularExpression head(QStringLiteral(R"(^.*? dtlsd\[\d+\]: )"));
    QStringList messages;
    for (const QByteArray &line : linesOf(output))
        messages << QString::fromUtf8(line).remove(head);
    return messages;
}

/// Of --output=json.
inline QList<QJsonObject> objectsOf(const QByteArray &output)
{
    QList<QJsonObject> objects;
    for (const QByteArray &line : linesOf(output))
        objects << QJsonDocument::fromJson(line).object();
    return objects;
}

} // namespace dtlsd::test
