// SPDX-License-Identifier: Apache-2.0
//
// FileMessages: the errors or the warnings about one key file: the first
// Diagnostics::maximumPerFile, and the number of further ones.
#pragma once

#include "config/Diagnostics.h"

#include <QList>
#include <QString>

#include <utility>

namespace dtlsd {

class FileMessages
{
public:
    /// @p kind is their plural, such as `errors`.
    FileMessages(QString file, QString kind)
        : m_file(std::move(file))
        , m_kind(std::move(kind))
    {
    }

    void append(int line, const QString &text)
    {
        if (isFull())
            ++m_unshown;
        else
            m_messages.append({m_file, line, text});
    }
    [[nodiscard]] bool isEmpty() const { return m_messages.isEmpty(); }
    /// Further messages are only counted.
    [[nodiscard]] bool isFull() const { return m_messages.size() == Diagnostics::maximumPerFile; }

    [[nodiscard]] QList<ConfigMessage> all() const
    {
        QList<ConfigMessage> messages = m_messages;
        if (m_unshown > 0)
            messages.append({m_file, 0, QStringLiteral("%1 more %2").arg(m_unshown).arg(m_kind)});
        return messages;
    }

private:
    const QString m_file;
    const QString m_kind;
    QList<ConfigMessage> m_messages;
    qsizetype m_unshown = 0;
};

} // namespace dtlsd
