// SPDX-License-Identifier: Apache-2.0
//
// ConfigReader: makes a Config from an INI text and the key files it names, and checks values that
// depend on each other.
#pragma once

#include "config/Config.h"
#include "config/Diagnostics.h"
#include "config/IdentitySections.h"
#include "config/IniDocument.h"
#include "config/RegularFile.h"

#include <QString>

namespace dtlsd {

class ConfigReader
{
public:
    /// @p file: empty for the embedded defaults. @p keyDirectory: where relative paths start.
    ConfigReader(const QString &file, const QString &keyDirectory, const Machine &machine = {});

    /// Reads @p text, the INI file. Call once per object.
    ConfigResult read(const RegularFile &text);

private:
    void addFile(const QString &path);
    void readSections();
    void readSection(const IniDocument::Section &section);
    void unknownSection(const IniDocument::Section &section);
    [[nodiscard]] bool hasProblems(const IniDocument::Section &section) const;
    void checkDefaultCiphers();
    void checkListen();
    void readCookieSecret();
    void readIdentities();
    void readKeyFile(PskStore &store, const TakenIdentities &taken);
    void checkAnyIdentity(const PskStore &store);
    void checkReceiptsAreLogged();
    void checkReceiptIsLogged(const ReplyTemplate &reply, const QString &where);
    void judgeAccess(const RegularFile &text);
    void warnAboutOwners();

    QString m_keyDirectory;
    Machine m_machine;
    IniDocument m_document;
    Diagnostics m_diagnostics;
    Config m_config;
    QStringList m_files; // all files named so far
    bool m_hasInlineKey = false;
    bool m_identitiesBroken = false; // there are identities, but with errors
};

} // namespace dtlsd
