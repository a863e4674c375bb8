// SPDX-License-Identifier: Apache-2.0
#include "core/Escape.h"

#include <QChar>

#include <algorithm>

namespace dtlsd {

namespace {

/// How many bytes the well-formed sequence at the front of @p bytes has (RFC 3629 §4), or 0.
qsizetype sequenceLength(QByteArrayView bytes)
{
    const auto at = [bytes](qsizetype i) { return static_cast<uchar>(bytes[i]); };
    const uchar lead = at(0);
    const qsizetype length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
    if (length > bytes.size())
        return 0;
    for (qsizetype i = 1; i < length; ++i) {
        if ((at(i) & 0xc0) != 0x80)
            return 0;
    }
    const bool overlong = (lead == 0xe0 && at(1) < 0xa0) || (lead == 0xf0 && at(1) < 0x90);
    const bool surrogate = lead == 0xed && at(1) >= 0xa0;
    const bool tooLarge = lead == 0xf4 && at(1) >= 0x90;
    return overlong || surrogate || tooLarge ? 0 : length;
}

/// Whether @p piece, one character or none, can stand in a line as it is.
bool isPrintable(const QString &piece)
{
    if (piece.isEmpty())
        return false;
    const char32_t character = piece.size() == 1
                                   ? piece[0].unicode()
                                   : QChar::surrogateToUcs4(piece[0].unicode(), piece[1].unicode());
    switch (QChar::category(character)) {
    case QChar::Other_Control:
    case QChar::Other_Format:
    case QChar::Other_Surrogate:
    case QChar::Other_PrivateUse:
    case QChar::Other_NotAssigned:
    case QChar::Separator_Line:
    case QChar::Separator_Paragraph:
        return false;
    default:
        return true;
    }
}

QString hexEscaped(QByteArrayView bytes)
{
    QString result;
    for (const char byte : bytes)
        result += QStringLiteral("\\x%1").arg(static_cast<uchar>(byte), 2, 16, QChar(u'0'));
    return result;
}

/// How many bytes at the front of @p bytes stand for themselves; as a rule, all of them.
qsizetype plainLength(QByteArrayView bytes)
{
    const auto isPlain = [](char byte) { return byte >= ' ' && byte <= '~' && byte != '\\'; };
    return std::find_if_not(bytes.begin(), bytes.end(), isPlain) - bytes.begin();
}

} // namespace

QString escaped(QByteArrayView bytes, qsizetype limit)
{
    QString result;
    while (!bytes.isEmpty()) {
        const qsizetype room = limit - result.size();
        const qsizetype plain = plainLength(bytes.first(qMin(bytes.size(), room)));
        result += QLatin1String(bytes.data(), plain);
        bytes = bytes.sliced(plain);
        if (bytes.isEmpty())
            break;
        const qsizetype length = sequenceLength(bytes);
        const QByteArrayView sequence = bytes.first(qMax<qsizetype>(length, 1));
        QString piece = QString::fromUtf8(sequence.first(length));
        if (!isPrintable(piece))
            piece = hexEscaped(sequence);
        else if (piece == u'\\')
            piece += piece;
        if (result.size() + piece.size() > limit)
            return result + u'…';
        result += piece;
        bytes = bytes.sliced(sequence.size());
    }
    return result;
}

} // namespace dtlsd
