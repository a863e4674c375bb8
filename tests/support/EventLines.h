// SPDX-License-Identifier: Apache-2.0
//
// EventLines: parses dtlsd's JSON output as it arrives: events, and lines that are none.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <QString>

namespace dtlsd::test {

class EventLines
{
public:
    /// The next piece of the output, wherever it ends.
    void append(const QByteArray &piece);
    /// What comes from now on is another process's: a line that is not ended never will be.
    void end();

    /// All events of that name so far, oldest first.
    [[nodiscard]] QList<QJsonObject> events(const QString &name) const;
    /// Lines that are no JSON objects, and an unfinished line.
    [[nodiscard]] QList<QByteArray> strayLines() const;

private:
    QByteArray m_line; // begun, not ended yet
    QList<QJsonObject> m_events;
    QList<QByteArray> m_stray;
};

} // namespace dtlsd::test
