// SPDX-License-Identifier: Apache-2.0
//
// FileErrors: what is wrong with one key file: the first Diagnostics::maximumPerFile errors, and
// how many more there are.
#pragma once

#include "config/Diagnostics.h"

#include <QList>
#include <QString>

#include <utility>

namespace dtlsd {

class FileErrors
{
public:
    explicit FileErrors(QString file)
        : m_file(std::move(file))
    {
    }

    void append(int line, const QString &text)
    {
        if (isFull())
            ++m_unshown;
        else
            m_errors.append({m_file, line, text});
    }
    [[nodiscard]] bool isEmpty() const { return m_errors.isEmpty(); }
    /// What comes now is only counted.
    [[nodiscard]] bool isFull() const { return m_errors.size() == Diagnostics::maximumPerFile; }

    [[nodiscard]] QList<ConfigMessage> all() const
    {
        QList<ConfigMessage> errors = m_errors;
        if (m_unshown > 0)
            errors.append({m_file, 0, QStringLiteral("%1 more errors").arg(m_unshown)});
        return errors;
    }

private:
    const QString m_file;
    QList<ConfigMessage> m_errors;
    qsizetype m_unshown = 0;
};

} // namespace dtlsd
