// SPDX-License-Identifier: Apache-2.0
//
// IniDocument: an INI text as sections and entries with their line numbers, and all errors in its
// form. It knows `identity NAME`; the other names are in ConfigSchema.
//
//     document = [byte order mark] *( line ( LF / CRLF ) )
//     line     = blanks [ "[" name "]" comment / key blanks "=" value / ( ";" / "#" ) text ]
//     value    = blanks ( plain [ blank comment ] / quoted comment )
//     comment  = blanks [ ";" text ]
//
// The text is UTF-8, without control characters except tabs; a blank is a space or a tab. A name
// has no `]`; an identity's name has no blank at its ends, and a `"` at its start only in `""`, the
// empty identity. A key has letters, digits, `_`, `-` and `.`. A plain value may be empty, and has
// no `"`, `\` or `;`, nor a `#` at its start or after a blank. A quoted value is in double quotes,
// with `\"` and `\\` for `"` and `\`. Each section is unique, and each key in its section.
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
        int line = 0; ///< from 1
    };

    struct Section
    {
        QString name;
        int line = 0; ///< from 1
        QList<Entry> entries;
    };

    /// A violation of the grammar. Never contains any part of a value.
    struct Problem
    {
        int line = 0;
        QString section; ///< empty = before the first section, or unknown
        QString key;     ///< empty = not about an entry
        QString text;    ///< `what is wrong; what is accepted`
    };

    static IniDocument parse(QByteArrayView text);

    [[nodiscard]] const QList<Section> &sections() const { return m_sections; }
    [[nodiscard]] const QList<Problem> &problems() const { return m_problems; }
    /// nullptr: there is no such entry.
    [[nodiscard]] const Entry *find(QStringView section, QStringView key) const;

private:
    friend class IniParser;

    QList<Section> m_sections;
    QList<Problem> m_problems;
};

} // namespace dtlsd
