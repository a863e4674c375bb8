// SPDX-License-Identifier: Apache-2.0
#include "support/PseudoTerminal.h"

#include <QtGlobal>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace dtlsd::test {

PseudoTerminal::PseudoTerminal(int columns, int rows)
    : m_screen(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC))
{
    winsize size{};
    size.ws_col = static_cast<unsigned short>(columns);
    size.ws_row = static_cast<unsigned short>(rows);
    if (m_screen < 0 || ::grantpt(m_screen) != 0 || ::unlockpt(m_screen) != 0 ||
        ::ioctl(m_screen, TIOCSWINSZ, &size) != 0)
        qFatal("no pseudo terminal");
    m_line = ::open(::ptsname(m_screen), O_RDWR | O_NOCTTY | O_CLOEXEC);
}

PseudoTerminal::~PseudoTerminal()
{
    ::close(m_line);
    ::close(m_screen);
}

QString PseudoTerminal::path() const
{
    return QString::fromLocal8Bit(::ptsname(m_screen));
}

QByteArray PseudoTerminal::output()
{
    char room[4096];
    for (ssize_t size = 0; (size = ::read(m_screen, room, sizeof room)) > 0;)
        m_output.append(room, size);
    return m_output;
}

} // namespace dtlsd::test
