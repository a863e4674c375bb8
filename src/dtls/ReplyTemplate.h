// SPDX-License-Identifier: Apache-2.0
//
// ReplyTemplate: the reply to a datagram that the log has taken.
#pragma once

#include "core/Result.h"
#include "core/SocketAddress.h"

#include <QByteArray>
#include <QByteArrayView>
#include <QString>

#include <cstdint>
#include <vector>

namespace dtlsd {

/// `none`, `echo`, `ack`, or a text with {peer}, {identity}, {size} and {sequence}; `ack` is short
/// for `to {peer}: ACK`, the answer of Qt's DTLS server example.
class ReplyTemplate
{
public:
    struct Values
    {
        SocketAddress peer;
        QByteArrayView identity;
        QByteArray payload;
        std::uint64_t sequence = 0;
    };

    /// `ack`.
    ReplyTemplate();
    /// `none`.
    static ReplyTemplate none();
    /// Fails on an unknown or unclosed placeholder, an empty text, and a text that could become
    /// longer than a DTLS record.
    static Result<ReplyTemplate> parse(const QString &text);

    /// Whether the reply confirms that the datagram was taken: `ack`, or any text.
    [[nodiscard]] bool isReceipt() const { return m_kind == Kind::Text; }
    /// The reply to one datagram; empty for `none`.
    [[nodiscard]] QByteArray render(const Values &values) const;
    /// As configured; parse() reads it back.
    [[nodiscard]] const QString &text() const { return m_text; }

    friend bool operator==(const ReplyTemplate &a, const ReplyTemplate &b)
    {
        return a.m_text == b.m_text;
    }

private:
    enum class Kind { None, Echo, Text };
    enum class Slot { Literal, Peer, Identity, Size, Sequence };
    struct Piece
    {
        Slot slot = Slot::Literal;
        QByteArray literal;
    };

    Result<> compile(const QString &text);
    [[nodiscard]] qsizetype largestSize() const;

    Kind m_kind = Kind::Text;
    QString m_text;
    std::vector<Piece> m_pieces;
};

} // namespace dtlsd
