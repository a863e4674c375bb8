// SPDX-License-Identifier: Apache-2.0
#include "core/Json.h"

#include <QJsonDocument>
#include <QStringDecoder>

#include <algorithm>
#include <optional>

namespace dtlsd {

namespace {

/// Every character of @p bytes, or nothing when they are not UTF-8. QString::fromUtf8() drops a
/// byte order mark.
std::optional<QString> decoded(QByteArrayView bytes)
{
    using Flag = QStringConverter::Flag;
    QStringDecoder decoder(QStringConverter::Utf8, Flag::Stateless | Flag::ConvertInitialBom);
    QString text = decoder.decode(bytes);
    if (decoder.hasError())
        return std::nullopt;
    return text;
}

bool isInvisible(QChar character)
{
    switch (character.category()) {
    case QChar::Other_Control:
    case QChar::Other_Format:
    case QChar::Separator_Line:
    case QChar::Separator_Paragraph:
        return true;
    default:
        return false;
    }
}

/// QJsonDocument escapes what JSON demands, the controls below U+0020. DEL, the C1 controls, line
/// separators and the marks that turn the writing direction are allowed in a string, where they
/// would reach the terminal of whoever reads the line.
QByteArray withoutInvisible(const QByteArray &json)
{
    const auto isHarmless = [](char byte) { return byte >= 0x20 && byte < 0x7f; };
    if (std::all_of(json.begin(), json.end(), isHarmless))
        return json;
    QString text;
    for (const QChar character : QString::fromUtf8(json)) {
        if (isInvisible(character))
            text += QStringLiteral("\\u%1").arg(character.unicode(), 4, 16, QChar(u'0'));
        else
            text += character;
    }
    return text.toUtf8();
}

} // namespace

void insertBytes(QJsonObject &object, const QString &name, const QByteArray &value)
{
    if (const auto text = decoded(value))
        object.insert(name, *text);
    else
        object.insert(name + QStringLiteral("_base64"), QString::fromLatin1(value.toBase64()));
}

QByteArray jsonLine(const QJsonObject &object)
{
    return withoutInvisible(QJsonDocument(object).toJson(QJsonDocument::Compact)) + '\n';
}

} // namespace dtlsd
