// SPDX-License-Identifier: Apache-2.0
//
// IdentitySections: reads the `[identity NAME]` and `[identity *]` sections into a PskStore.
#pragma once

#include "config/Diagnostics.h"
#include "config/IniDocument.h"
#include "config/KeyText.h"
#include "config/PskFile.h"
#include "dtls/Psk.h"

#include <QByteArray>
#include <QList>
#include <QString>
#include <QStringList>

namespace dtlsd {

/// The section of the identity @p name: `identity NAME`, or `identity ""` for the empty one.
QString identitySection(QByteArrayView name);
/// The identity of a section `identity NAME`.
QByteArray identityOf(QStringView section);

class IdentitySections
{
public:
    /// @p file is the INI file's path; both references must outlive this. @p unforwarded is the
    /// reply to what goes to no service, if an identity does not say.
    IdentitySections(QString file, KeyRules rules, ReplyTemplate unforwarded, PskStore &store,
                     Diagnostics &diagnostics)
        : m_file(std::move(file))
        , m_rules(std::move(rules))
        , m_unforwarded(std::move(unforwarded))
        , m_store(store)
        , m_diagnostics(diagnostics)
    {
    }

    /// `[identity NAME]`, or `[identity]` without a name, which read() refuses.
    static bool isOne(const IniDocument::Section &section);

    /// @p hasProblems: the parser refused some of its entries, so a missing key is not reported.
    void read(const IniDocument::Section &section, bool hasProblems);

    /// The key files that the sections name.
    [[nodiscard]] const QStringList &files() const { return m_files; }
    /// Whether the INI file itself contains a key.
    [[nodiscard]] bool hasInlineKey() const { return m_hasInlineKey; }
    /// The identities of the sections in file order, without the wildcard; errors do not matter.
    [[nodiscard]] const QList<QByteArray> &names() const { return m_names; }
    [[nodiscard]] const TakenIdentities &taken() const { return m_taken; }

private:
    PskIdentity readEntries(const IniDocument::Section &section);
    [[nodiscard]] bool hasGoodName(const IniDocument::Section &section, const QByteArray &name);
    void readEntry(const IniPlace &place, const IniDocument::Entry &entry, PskIdentity &identity);
    Result<> readKey(const IniDocument::Entry &entry, PskIdentity &identity);

    QString m_file;
    KeyRules m_rules;
    ReplyTemplate m_unforwarded;
    PskStore &m_store;
    Diagnostics &m_diagnostics;
    QList<QByteArray> m_names;
    TakenIdentities m_taken;
    QStringList m_files;
    bool m_hasInlineKey = false;
};

} // namespace dtlsd
