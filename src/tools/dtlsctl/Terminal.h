// SPDX-License-Identifier: Apache-2.0
//
// Terminal: the properties of standard output. TextLine: a line for it; its tone is a colour on a
// terminal with colours.
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
    int columns = 0; ///< 0: lines of any length
    int rows = 0;    ///< 0: blocks of any length

    /// The present properties: a window may change its size.
    static Terminal ofStandardOutput();

    /// The lines of @p block, encoded for output.
    [[nodiscard]] QByteArray printed(const TextBlock &block) const;
    /// Replaces the screen by @p block, cut to the screen's size; the last row says how many lines
    /// are not shown, with @p further ones that are not in the block. Write it in one piece;
    /// nothing has to be restored afterwards.
    [[nodiscard]] QByteArray redrawn(const TextBlock &block, qint64 further = 0) const;

private:
    [[nodiscard]] QByteArray encoded(const TextLine &line) const;
};

/// How many columns of a terminal @p text takes, without control characters.
int displayWidth(QStringView text);

/// @p text cut to @p columns, with `…` at the cut; uncut if @p columns is 0.
QString cut(const QString &text, int columns);

/// Writes lines to standard output: as forTerminal() on a terminal, otherwise exactly. A failure
/// without a message means that the reader has closed it (EPIPE).
[[nodiscard]] std::optional<Failure> print(QByteArrayView text);

/// Like print(), for a block that Terminal has encoded, with its colours.
[[nodiscard]] std::optional<Failure> printEncoded(QByteArrayView bytes);

} // namespace dtlsd
