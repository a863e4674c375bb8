// SPDX-License-Identifier: Apache-2.0
//
// forEachLine(): the lines of a key file.
#pragma once

#include <QByteArrayView>

namespace dtlsd {

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
