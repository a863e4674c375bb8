// SPDX-License-Identifier: Apache-2.0
//
// ConfigReader: makes a Config of an INI text and of the key files it names, and checks what
// concerns several keys at once.
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
    /// @p file is empty for the embedded defaults. @p keyDirectory is where relative paths begin.
    ConfigReader(const QString &file, const QString &keyDirectory, const Machine &machine = {});

    /// Reads the INI file's @p text. Once per object.
    ConfigResult read(const RegularFile &text);

private:
    void addFile(const QString &path);
    void readSections();
    void readSection(const IniDocument::Section &section);
    void unknownSection(const IniDocument::Section &section);
    void unknownKey(const IniPlace &place);
    [[nodiscard]] bool hasProblems(const IniDocument::Section &section) const;
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
    QStringList m_files; // that were named
    bool m_hasInlineKey = false;
    bool m_identitiesBroken = false; // there are some, but not as they should be
};

} // namespace dtlsd
