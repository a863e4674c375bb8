// SPDX-License-Identifier: Apache-2.0
//
// InstalledMachine: this machine as it would be with dtlsd installed, for one test: dtlsd's files
// at their places, fail2ban, a journal of its own, and a copy of /etc that commands may change.
// There is no service manager: systemctl(1) works offline, and the test does what it would do.
#pragma once

#include "support/JournalInstance.h"

#include <QTemporaryDir>

#include <optional>

namespace dtlsd::test {

class InstalledMachine
{
public:
    /// Whether start() can work here; if not, @p why says what is missing.
    static bool isAvailable(QString *why);

    /// false: errorText() says why.
    [[nodiscard]] bool start();
    [[nodiscard]] QString errorText() const { return m_errorText; }

    [[nodiscard]] JournalInstance &journal() { return m_journal; }
    /// A folder that is the same inside and outside.
    [[nodiscard]] QString directory() const { return m_directory.path(); }

    /// What has a shell run @p script here.
    [[nodiscard]] Command shell(const QString &script) const;
    /// The output of @p script. Nothing: it failed; errorText() has what it said.
    [[nodiscard]] std::optional<QByteArray> run(const QString &script);

    /// What follows @p key, from the beginning of a line of the file on; the first time.
    [[nodiscard]] QString valueIn(const QString &path, const QString &key) const;

private:
    JournalInstance m_journal;
    QTemporaryDir m_directory;
    QString m_errorText;
};

} // namespace dtlsd::test
