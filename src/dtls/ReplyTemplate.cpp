// SPDX-License-Identifier: Apache-2.0
#include "dtls/ReplyTemplate.h"

#include "wire/Record.h"

#include <utility>

namespace dtlsd {

ReplyTemplate::ReplyTemplate()
    : m_text(QStringLiteral("ack"))
{
    m_pieces = {{Slot::Literal, "to "}, {Slot::Peer, {}}, {Slot::Literal, ": ACK"}};
}

ReplyTemplate ReplyTemplate::none()
{
    ReplyTemplate result;
    result.m_kind = Kind::None;
    result.m_text = QStringLiteral("none");
    result.m_pieces.clear();
    return result;
}

Result<ReplyTemplate> ReplyTemplate::parse(const QString &text)
{
    ReplyTemplate result;
    if (text == u"ack")
        return result;
    if (text == u"none")
        return none();
    result.m_text = text;
    result.m_pieces.clear();
    if (text == u"echo") {
        result.m_kind = Kind::Echo;
    } else if (const Result<> compiled = result.compile(text); !compiled) {
        return compiled.error();
    }
    return result;
}

Result<> ReplyTemplate::compile(const QString &text)
{
    static constexpr std::pair<QStringView, Slot> slots[]{{u"peer", Slot::Peer},
                                                          {u"identity", Slot::Identity},
                                                          {u"size", Slot::Size},
                                                          {u"sequence", Slot::Sequence}};
    if (text.isEmpty())
        return Error{QStringLiteral("is empty")};

    QStringView rest = text;
    while (!rest.isEmpty()) {
        const qsizetype brace = rest.indexOf(u'{');
        const QStringView literal = brace < 0 ? rest : rest.first(brace);
        if (literal.contains(u'}'))
            return Error{QStringLiteral("has a } without its {")};
        if (!literal.isEmpty())
            m_pieces.push_back({Slot::Literal, literal.toUtf8()});
        if (brace < 0)
            break;
        const qsizetype end = rest.indexOf(u'}', brace);
        if (end < 0)
            return Error{QStringLiteral("has a { without its }")};
        const QStringView name = rest.sliced(brace + 1, end - brace - 1);
        const auto *slot = std::find_if(std::begin(slots), std::end(slots),
                                        [name](const auto &known) { return known.first == name; });
        if (slot == std::end(slots))
            return Error{QStringLiteral("has an unknown placeholder {%1}").arg(name)};
        m_pieces.push_back({slot->second, {}});
        rest = rest.sliced(end + 1);
    }
    if (largestSize() > Record::maximumPlaintext)
        return Error{QStringLiteral("can become longer than the %1 bytes of a record")
                         .arg(Record::maximumPlaintext)};
    return success();
}

qsizetype ReplyTemplate::largestSize() const
{
    constexpr qsizetype largestValue = 255; // of an identity; the others are shorter
    qsizetype size = 0;
    for (const Piece &piece : m_pieces)
        size += piece.slot == Slot::Literal ? piece.literal.size() : largestValue;
    return size;
}

QByteArray ReplyTemplate::render(const Values &values) const
{
    if (m_kind == Kind::Echo)
        return values.payload;
    QByteArray reply;
    for (const Piece &piece : m_pieces) {
        switch (piece.slot) {
        case Slot::Literal:
            reply += piece.literal;
            break;
        case Slot::Peer:
            reply += values.peer.toUtf8(); // takes as long as to decrypt a datagram
            break;
        case Slot::Identity:
            reply += values.identity;
            break;
        case Slot::Size:
            reply += QByteArray::number(values.payload.size());
            break;
        case Slot::Sequence:
            reply += QByteArray::number(values.sequence);
            break;
        }
    }
    return reply;
}

} // namespace dtlsd
