// SPDX-License-Identifier: Apache-2.0
#include "config/Lines.h"

namespace dtlsd {

namespace {

/// Whether the first two characters are ASCII in UTF-16, with byte @p zero of each a NUL.
bool hasNulAt(QByteArrayView text, qsizetype zero)
{
    const qsizetype other = 1 - zero;
    return text.size() >= 4 && text[zero] == '\0' && text[zero + 2] == '\0' &&
           text[other] != '\0' && text[other + 2] != '\0';
}

bool isUtf16(QByteArrayView text)
{
    if (text.startsWith("\xff\xfe") || text.startsWith("\xfe\xff"))
        return text.contains('\0'); // an identity may begin with the same two bytes
    return hasNulAt(text, 0) || hasNulAt(text, 1);
}

} // namespace

Result<QByteArrayView> withoutByteOrderMark(QByteArrayView content)
{
    if (isUtf16(content))
        return Error{QStringLiteral("is UTF-16; UTF-8 is accepted")};
    return content.startsWith(byteOrderMark) ? content.sliced(byteOrderMark.size()) : content;
}

} // namespace dtlsd
