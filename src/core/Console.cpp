// SPDX-License-Identifier: Apache-2.0
#include "core/Console.h"

#include "core/Escape.h"

#include <cstdlib>

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

namespace dtlsd {

void occupyStandardStreams()
{
    for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        const bool isClosed = ::fcntl(number, F_GETFD) < 0;
        if (!isClosed || ::open("/dev/null", O_RDONLY) == number) // the lowest free number
            continue;
        say(stderr, QStringLiteral("/dev/null cannot take the place of the closed descriptor %1\n")
                        .arg(number));
        std::_Exit(EX_SOFTWARE);
    }
}

void say(std::FILE *stream, const QString &text)
{
    const QByteArray bytes = text.toUtf8();
    const bool isData = stream == stdout && ::isatty(STDOUT_FILENO) == 0;
    const QByteArray shown = isData ? bytes : forTerminal(bytes);
    // A failure here cannot be reported.
    static_cast<void>(
        std::fwrite(shown.constData(), 1, static_cast<std::size_t>(shown.size()), stream));
    static_cast<void>(std::fflush(stream));
}

} // namespace dtlsd
