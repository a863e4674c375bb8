// SPDX-License-Identifier: Apache-2.0
#include "core/Escape.h"

#include <QChar>
#include <QList>

#include <algorithm>

namespace dtlsd {

namespace {

/// The length of the well-formed sequence at the front of @p bytes (RFC 3629 §4), or 0.
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

/// The first bytes of the text still to be shown.
struct Piece
{
    QByteArrayView bytes; ///< a UTF-8 character, or a byte that begins none
    QString text;         ///< the character, or `\xNN` for each byte
};

QString hexEscaped(QByteArrayView bytes)
{
    QString result;
    for (const char byte : bytes)
        result += QStringLiteral("\\x%1").arg(static_cast<uchar>(byte), 2, 16, QChar(u'0'));
    return result;
}

/// The first piece of @p bytes, which must not be empty.
Piece firstPiece(QByteArrayView bytes)
{
    const qsizetype length = sequenceLength(bytes);
    Piece piece{bytes.first(qMax<qsizetype>(length, 1)),
                QString::fromUtf8(bytes.first(length))}; // empty for a byte order mark
    const auto characters = piece.text.toUcs4();
    if (characters.isEmpty() || !isPrintable(characters.constFirst()))
        piece.text = hexEscaped(piece.bytes);
    return piece;
}

/// How many bytes at the front of @p bytes need no escape; usually all.
qsizetype plainLength(QByteArrayView bytes)
{
    const auto isPlain = [](char byte) { return byte >= ' ' && byte <= '~' && byte != '\\'; };
    return std::find_if_not(bytes.begin(), bytes.end(), isPlain) - bytes.begin();
}

} // namespace

bool isPrintable(char32_t character)
{
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
        Piece piece = firstPiece(bytes);
        if (piece.text == u'\\')
            piece.text += piece.text;
        if (result.size() + piece.text.size() > limit)
            return result + u'…';
        result += piece.text;
        bytes = bytes.sliced(piece.bytes.size());
    }
    return result;
}

QString escapedName(QByteArrayView name, qsizetype limit)
{
    return name.isEmpty() ? QStringLiteral("\"\"") : escaped(name, limit);
}

QByteArray forTerminal(QByteArrayView text)
{
    QByteArray result;
    while (!text.isEmpty()) {
        const qsizetype plain = plainLength(text);
        result += text.first(plain);
        text = text.sliced(plain);
        if (text.isEmpty())
            break;
        const Piece piece = firstPiece(text);
        result += text[0] == '\n' ? "\n" : piece.text.toUtf8();
        text = text.sliced(piece.bytes.size());
    }
    return result;
}

} // namespace dtlsd
