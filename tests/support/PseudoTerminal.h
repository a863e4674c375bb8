// SPDX-License-Identifier: Apache-2.0
//
// PseudoTerminal: a terminal whose output a test reads, for programs that check what they print to.
#pragma once

#include <QByteArray>
#include <QString>

namespace dtlsd::test {

class PseudoTerminal
{
public:
    PseudoTerminal(int columns, int rows);
    ~PseudoTerminal();
    PseudoTerminal(const PseudoTerminal &) = delete;
    PseudoTerminal &operator=(const PseudoTerminal &) = delete;

    /// For QProcess::setStandardOutputFile().
    [[nodiscard]] QString path() const;
    /// All output so far; the terminal turns line feeds into CR LF.
    [[nodiscard]] QByteArray output();

private:
    int m_screen = -1;
    int m_line = -1; // held open, so that output stays after its writer has ended
    QByteArray m_output;
};

} // namespace dtlsd::test
