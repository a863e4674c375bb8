// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QByteArrayView>

#include <QtEndian>

#include <cstdint>
#include <optional>

namespace dtlsd {

/// A handshake message or a piece of it (RFC 6347 §4.2.2), as it fills a record.
struct HandshakeFragment
{
    static constexpr qsizetype headerSize = 12;

    // Types of messages (RFC 5246 §7.4)
    static constexpr std::uint8_t clientHello = 1;
    static constexpr std::uint8_t clientKeyExchange = 16;
    static constexpr std::uint8_t finished = 20;

    std::uint8_t type = 0;
    std::uint32_t length = 0; ///< bytes of the message
    std::uint16_t messageSequence = 0;
    std::uint32_t offset = 0;         ///< bytes
    std::uint32_t fragmentLength = 0; ///< bytes

    /// nullopt: the header is incomplete, does not fit to its message, or to @p content.
    static std::optional<HandshakeFragment> in(QByteArrayView content)
    {
        if (content.size() < headerSize)
            return std::nullopt;
        const auto uint24 = [&](qsizetype at) {
            return qFromBigEndian<quint32>(content.data() + at) >> 8;
        };
        const HandshakeFragment fragment{
            .type = static_cast<std::uint8_t>(content[0]),
            .length = uint24(1),
            .messageSequence = qFromBigEndian<quint16>(content.data() + 4),
            .offset = uint24(6),
            .fragmentLength = qFromBigEndian<quint32>(content.data() + 8) & 0xff'ffffU};
        const bool fits =
            fragment.offset <= fragment.length &&
            fragment.fragmentLength <= fragment.length - fragment.offset &&
            fragment.fragmentLength == static_cast<std::uint32_t>(content.size() - headerSize);
        return fits ? std::optional(fragment) : std::nullopt;
    }

    [[nodiscard]] bool isWhole() const { return fragmentLength == length; }
};

} // namespace dtlsd
