// SPDX-License-Identifier: Apache-2.0
//
// Terminal: what standard output is. TextLine: a line for it, whose tone is a colour where there
// are colours.
#pragma once

#include "tools/dtlsctl/Failure.h"

#include <QByteArray>
#include <QList>
#include <QString>

#include <optional>

namespace dtlsd {

struct TextLine
{
    enum class Tone { Plain, Heading, Warning };

    QString text;
    Tone tone = Tone::Plain;
};

using TextBlock = QList<TextLine>;

struct Terminal
{
    bool isOne = false;
    bool hasColours = false;
    int columns = 0; ///< 0: lines may have any length
    int rows = 0;    ///< the same for blocks

    /// As it is now: a window may change its size.
    static Terminal ofStandardOutput();

    /// @p block, line after line.
    [[nodiscard]] QByteArray printed(const TextBlock &block) const;
    /// @p block in place of what is on the screen, cut to it. To be written at once; nothing has to
    /// be restored afterwards.
    [[nodiscard]] QByteArray redrawn(const TextBlock &block) const;

private:
    [[nodiscard]] QByteArray encoded(const TextLine &line) const;
};

/// How many columns of a terminal @p text takes, without control characters.
int displayWidth(QStringView text);

/// The front of @p text, with `…` where it was cut to @p columns; all of it if that is 0.
QString cut(const QString &text, int columns);

/// Writes lines to standard output: exactly, unless it is a terminal (forTerminal()). A failure
/// without words is that nobody reads it any more.
[[nodiscard]] std::optional<Failure> print(QByteArrayView text);

/// The same for what a Terminal has made of a block, with its colours.
[[nodiscard]] std::optional<Failure> printEncoded(QByteArrayView bytes);

} // namespace dtlsd
