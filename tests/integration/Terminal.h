// SPDX-License-Identifier: Apache-2.0
//
// Terminal: a shell on an InstalledMachine into which a test types one command after the other.
#pragma once

#include "support/ChildProcess.h"

#include <QByteArray>
#include <QString>
#include <QStringList>

namespace dtlsd::test {

class InstalledMachine;

class Terminal
{
public:
    explicit Terminal(const InstalledMachine &machine);
    /// Ends what it runs in the background.
    ~Terminal();
    Terminal(const Terminal &) = delete;
    Terminal &operator=(const Terminal &) = delete;

    /// false: the command failed, or has not ended in time.
    [[nodiscard]] bool type(const QString &command);
    /// Waits until @p count lines were printed since the last command was typed, empty ones not
    /// counted; returns what there is then.
    [[nodiscard]] QStringList lines(qsizetype count);

private:
    [[nodiscard]] QStringList lines();

    ChildProcess m_shell;
    QByteArray m_output; // since the last command
};

} // namespace dtlsd::test
