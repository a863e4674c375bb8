// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QByteArray>
#include <QFile>
#include <QTemporaryDir>

namespace dtlsd::test {

/// A file to be put, no two blocks of which are alike.
class CoapBody
{
public:
    explicit CoapBody(qsizetype size)
    {
        for (qint64 i = 0; m_bytes.size() < size; ++i)
            m_bytes += QByteArray::number(i * i, 36) + static_cast<char>(i);
        m_bytes.truncate(size);
        QFile written(file());
        if (!written.open(QIODevice::WriteOnly) || written.write(m_bytes) != size)
            qFatal("cannot write %s", qPrintable(file()));
    }

    [[nodiscard]] const QByteArray &bytes() const { return m_bytes; }
    [[nodiscard]] QString file() const { return m_folder.filePath(QStringLiteral("body")); }

private:
    const QTemporaryDir m_folder;
    QByteArray m_bytes;
};

} // namespace dtlsd::test
