// SPDX-License-Identifier: Apache-2.0
#include "core/Console.h"

#include "core/Escape.h"

#include <unistd.h>

namespace dtlsd {

void say(std::FILE *stream, const QString &text)
{
    const QByteArray bytes = text.toUtf8();
    const bool isData = stream == stdout && ::isatty(STDOUT_FILENO) == 0;
    const QByteArray shown = isData ? bytes : forTerminal(bytes);
    // There is nobody left to tell when this fails.
    static_cast<void>(
        std::fwrite(shown.constData(), 1, static_cast<std::size_t>(shown.size()), stream));
    static_cast<void>(std::fflush(stream));
}

} // namespace dtlsd
