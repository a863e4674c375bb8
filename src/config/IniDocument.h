// SPDX-License-Identifier: Apache-2.0
//
// IniDocument: an INI text as sections and entries that know their lines, together with everything
// that is wrong with its form. It knows no section or key by name; ConfigSchema does.
//
// The grammar is a subset of what QSettings reads, and what is accepted means the same there:
//
//     document  = [byte order mark] *( line ( LF / CRLF ) )
//     line      = blanks ( nothing / "[" name "]" [comment] / key "=" value / "#" text / comment )
//     comment   = blanks ";" text
//     value     = blanks plain [ blank comment ] / blanks "quoted" [comment]
//
// A plain value has no `;`, `"` or backslash and no `#` after a blank. In a quoted one `\\` and
// `\"` stand for a backslash and a double quote. Neither begins with `@`, which QSettings decodes.
#pragma once

#include <QByteArrayView>
#include <QList>
#include <QString>

namespace dtlsd {

class IniDocument
{
public:
    struct Entry
    {
        QString key;
        QString value;
        bool quoted = false;
        int line = 0; ///< from 1
    };

    struct Section
    {
        QString name;
        int line = 0; ///< from 1
        QList<Entry> entries;
    };

    /// Something that is not of the grammar. Never shows any part of a value.
    struct Problem
    {
        int line = 0;
        QString section; ///< empty = before the first one, or not known
        QString key;     ///< empty = not about an entry
        QString text;    ///< `what is wrong; what is accepted`
    };

    static IniDocument parse(QByteArrayView text);

    /// @p value as a file has to say it, in quotes where needed. parse() reads it back, unless it
    /// begins with `@` or has control characters.
    static QString written(const QString &value);

    [[nodiscard]] const QList<Section> &sections() const { return m_sections; }
    [[nodiscard]] const QList<Problem> &problems() const { return m_problems; }
    /// nullptr: not written.
    [[nodiscard]] const Entry *find(QStringView section, QStringView key) const;

private:
    friend class IniParser;

    QList<Section> m_sections;
    QList<Problem> m_problems;
};

} // namespace dtlsd
