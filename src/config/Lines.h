// SPDX-License-Identifier: Apache-2.0
//
// Lines: the encoding and the lines of text files that people write.
#pragma once

#include "core/Result.h"

#include <QByteArrayView>

namespace dtlsd {

/// Windows editors start UTF-8 files with it.
inline constexpr QByteArrayView byteOrderMark("\xef\xbb\xbf");

/// @p content without a byte order mark at its start. Fails on UTF-16, with a message about the
/// file: `is UTF-16; UTF-8 is accepted`. Does not check that the rest is valid UTF-8.
Result<QByteArrayView> withoutByteOrderMark(QByteArrayView content);

/// Calls @p visit with each line, without LF or CRLF, and its number from 1, until @p visit returns
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
