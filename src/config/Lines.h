// SPDX-License-Identifier: Apache-2.0
//
// Lines: the encoding and the lines of every file that people write.
#pragma once

#include "core/Result.h"

#include <QByteArrayView>

namespace dtlsd {

/// Editors of Windows begin UTF-8 with it.
inline constexpr QByteArrayView byteOrderMark("\xef\xbb\xbf");

/// @p content without a byte order mark at its start. Fails on UTF-16, where the message is about
/// the file: `is UTF-16; UTF-8 is accepted`. Whether the rest is valid UTF-8 is not checked.
Result<QByteArrayView> withoutByteOrderMark(QByteArrayView content);

/// Calls @p visit with each line, without its LF or CRLF, and its number from 1, until that returns
/// false.
template <class Visit>
void forEachLine(QByteArrayView text, Visit visit)
{
    for (int number = 1; !text.isEmpty(); ++number) {
        const qsizetype end = text.indexOf('\n');
        QByteArrayView line = end < 0 ? text : text.first(end);
        text = end < 0 ? QByteArrayView() : text.sliced(end + 1);
        if (line.endsWith('\r'))
            line.chop(1);
        if (!visit(line, number))
            return;
    }
}

} // namespace dtlsd
