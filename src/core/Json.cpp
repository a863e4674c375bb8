// SPDX-License-Identifier: Apache-2.0
#include "core/Json.h"

#include "core/Escape.h"

#include <QJsonDocument>
#include <QList>
#include <QStringDecoder>

#include <algorithm>
#include <optional>

namespace dtlsd {

namespace {

/// Decodes @p bytes; nullopt if they are not UTF-8. Keeps a byte order mark, which
/// QString::fromUtf8() drops.
std::optional<QString> decoded(QByteArrayView bytes)
{
    using Flag = QStringConverter::Flag;
    QStringDecoder decoder(QStringConverter::Utf8, Flag::Stateless | Flag::ConvertInitialBom);
    QString text = decoder.decode(bytes);
    if (decoder.hasError())
        return std::nullopt;
    return text;
}

/// QJsonDocument escapes only what JSON requires, the controls below U+0020; all other unprintable
/// characters would reach the reader's terminal. JSON escapes UTF-16 units: a code point beyond
/// U+FFFF is a pair of escapes (RFC 8259 §7).
QByteArray withoutUnprintable(const QByteArray &json)
{
    const auto isHarmless = [](char byte) { return byte >= 0x20 && byte < 0x7f; };
    if (std::all_of(json.begin(), json.end(), isHarmless))
        return json;
    QString text;
    for (const char32_t character : QString::fromUtf8(json).toUcs4()) {
        const auto units = QChar::fromUcs4(character);
        if (isPrintable(character)) {
            text += units;
            continue;
        }
        for (const QChar unit : QStringView(units))
            text += QStringLiteral("\\u%1").arg(quint16{unit.unicode()}, 4, 16, QChar(u'0'));
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
    return withoutUnprintable(QJsonDocument(object).toJson(QJsonDocument::Compact)) + '\n';
}

} // namespace dtlsd
