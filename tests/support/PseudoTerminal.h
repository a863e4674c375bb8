// SPDX-License-Identifier: Apache-2.0
//
// PseudoTerminal: a terminal whose screen a test holds, for programs that look what they print to.
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
    /// All that was written to it so far; line feeds come as CR LF, as terminals have it.
    [[nodiscard]] QByteArray output();

private:
    int m_screen = -1;
    int m_line = -1; // held open: what was written stays there when its writer has ended
    QByteArray m_output;
};

} // namespace dtlsd::test
