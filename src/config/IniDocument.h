// SPDX-License-Identifier: Apache-2.0
//
// IniDocument: an INI text as sections and entries that know their lines, together with everything
// that is wrong with its form. It knows `identity NAME`; the other names are ConfigSchema's.
//
//     document = [byte order mark] *( line ( LF / CRLF ) )
//     line     = blanks [ "[" name "]" comment / key blanks "=" value / ( ";" / "#" ) text ]
//     value    = blanks ( plain [ blank comment ] / quoted comment )
//     comment  = blanks [ ";" text ]
//
// The text is UTF-8, without control characters but tabs; a blank is a space or a tab. A name has
// no `]`; that of an identity has no blank at its ends, and `"` at its front only as `""`, the
// empty one. A key is letters, digits, `_`, `-` and `.`. A plain value may be empty, and has no
// `"`, `\` or `;`, nor a `#` at its front or after a blank. A quoted one stands between double
// quotes, `\"` and `\\` in it for `"` and `\`. No section is there twice, and no key in a section.
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

    /// Something that is not of the grammar. Never shows any part of a value.
    struct Problem
    {
        int line = 0;
        QString section; ///< empty = before the first one, or not known
        QString key;     ///< empty = not about an entry
        QString text;    ///< `what is wrong; what is accepted`
    };

    static IniDocument parse(QByteArrayView text);

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
