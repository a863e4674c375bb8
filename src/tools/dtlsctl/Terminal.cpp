// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/Terminal.h"

#include "core/Escape.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

namespace dtlsd {

namespace {

int widthOf(char32_t character)
{
    const int width = ::wcwidth(static_cast<wchar_t>(character));
    return width < 0 ? 1 : width; // unknown to the C library: a newer character
}

} // namespace

Terminal Terminal::ofStandardOutput()
{
    Terminal terminal;
    terminal.isOne = ::isatty(STDOUT_FILENO) == 1;
    if (!terminal.isOne)
        return terminal;
    terminal.hasColours =
        qEnvironmentVariableIsEmpty("NO_COLOR") && qgetenv("TERM") != QByteArray("dumb");
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        terminal.columns = size.ws_col;
        terminal.rows = size.ws_row;
    }
    return terminal;
}

QByteArray Terminal::encoded(const TextLine &line) const
{
    QByteArray text = forTerminal(line.text.toUtf8());
    if (!hasColours || line.tone == TextLine::Tone::Plain)
        return text;
    return (line.tone == TextLine::Tone::Heading ? "\x1b[1m" : "\x1b[33m") + text + "\x1b[0m";
}

QByteArray Terminal::printed(const TextBlock &block) const
{
    QByteArray result;
    for (const TextLine &line : block)
        result += encoded(line) + '\n';
    return result;
}

QByteArray Terminal::redrawn(const TextBlock &block, qint64 further) const
{
    // The cursor needs a row of its own below the block.
    const qsizetype room = rows > 1 ? rows - 1 : block.size() + 1;
    const bool fits = further == 0 && block.size() <= room;
    const qsizetype shown = fits ? block.size() : std::min(block.size(), room - 1);
    QByteArray result("\x1b[H");
    for (const TextLine &line : block.first(shown))
        result += "\x1b[K" + encoded({cut(line.text, columns), line.tone}) + '\n';
    if (!fits)
        result +=
            "\x1b[K" +
            cut(QStringLiteral("… %1 more").arg(block.size() - shown + further), columns).toUtf8() +
            '\n';
    return result + "\x1b[J";
}

int displayWidth(QStringView text)
{
    int width = 0;
    for (const char32_t character : text.toUcs4())
        width += widthOf(character);
    return width;
}

QString cut(const QString &text, int columns)
{
    if (columns <= 0 || displayWidth(text) <= columns)
        return text;
    QString result;
    int room = columns - 1;
    for (const char32_t character : text.toUcs4()) {
        room -= widthOf(character);
        if (room < 0)
            break;
        result += QChar::fromUcs4(character);
    }
    return result + u'…';
}

std::optional<Failure> print(QByteArrayView text)
{
    return ::isatty(STDOUT_FILENO) == 1 ? printEncoded(forTerminal(text)) : printEncoded(text);
}

std::optional<Failure> printEncoded(QByteArrayView bytes)
{
    while (!bytes.isEmpty()) {
        const ssize_t written =
            ::write(STDOUT_FILENO, bytes.data(), static_cast<std::size_t>(bytes.size()));
        const int code = errno;
        if (written >= 0)
            bytes = bytes.sliced(written);
        else if (code == EPIPE)
            return Failure{};
        else if (code != EINTR)
            return Failure{QStringLiteral("standard output cannot be written: %1")
                               .arg(QString::fromStdString(std::generic_category().message(code)))};
    }
    return std::nullopt;
}

} // namespace dtlsd
