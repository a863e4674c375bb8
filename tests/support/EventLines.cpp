// SPDX-License-Identifier: Apache-2.0
#include "support/EventLines.h"

#include <QJsonDocument>

#include <algorithm>
#include <iterator>
#include <utility>

namespace dtlsd::test {

void EventLines::append(const QByteArray &piece)
{
    m_line += piece;
    for (qsizetype end = m_line.indexOf('\n'); end >= 0; end = m_line.indexOf('\n')) {
        const QByteArray line = m_line.first(end);
        m_line.remove(0, end + 1);
        const QJsonDocument document = QJsonDocument::fromJson(line);
        if (document.isObject())
            m_events << document.object();
        else
            m_stray << line;
    }
}

void EventLines::end()
{
    if (!m_line.isEmpty())
        m_stray << std::exchange(m_line, {});
}

QList<QJsonObject> EventLines::events(const QString &name) const
{
    QList<QJsonObject> found;
    std::copy_if(m_events.cbegin(), m_events.cend(), std::back_inserter(found),
                 [&name](const QJsonObject &event) {
                     return event[QStringLiteral("event")].toString() == name;
                 });
    return found;
}

QList<QByteArray> EventLines::strayLines() const
{
    return m_line.isEmpty() ? m_stray : m_stray + QList<QByteArray>{m_line};
}

} // namespace dtlsd::test
