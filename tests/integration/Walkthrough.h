// SPDX-License-Identifier: Apache-2.0
//
// What a document shows of a terminal: the commands of its ```console blocks, and what they print.
#pragma once

#include <QList>
#include <QString>
#include <QStringList>

namespace dtlsd::test {

struct Step
{
    QString command;    ///< with the lines of its here-document; empty: a program goes on
    QStringList output; ///< without empty lines

    /// The program that it starts.
    [[nodiscard]] QString program() const { return command.section(u' ', 0, 0); }
};

/// Of the blocks under @p heading in the document @p text, up to the next heading.
QList<Step> readWalkthrough(const QString &text, const QString &heading);

/// @p line without what differs from run to run: times, durations, sizes, ports, processors, and
/// the bytes around a CoAP message's path.
QString shapeOf(QString line);

} // namespace dtlsd::test
