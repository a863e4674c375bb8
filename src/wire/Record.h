// SPDX-License-Identifier: Apache-2.0
//
// The DTLS records of a datagram (RFC 6347 §4.1), parsed as far as needed to dispatch them. Nothing
// is authenticated, and nothing is allocated.
#pragma once

#include "wire/Alert.h"
#include "wire/ConnectionId.h"

#include <QByteArrayView>

#include <cstdint>
#include <optional>

namespace dtlsd {

/// RFC 5246 §6.2.1, RFC 9146 §4, RFC 9853 §4
enum class ContentType : std::uint8_t {
    ChangeCipherSpec = 20,
    Alert = 21,
    Handshake = 22,
    ApplicationData = 23,
    WithId = 25, ///< tls12_cid: a connection ID is in the header, and the type is encrypted
    ReturnRoutability = 27
};

/// One well-formed record: a view into a datagram.
struct Record
{
    static constexpr qsizetype headerSize = 13;           ///< without a connection ID
    static constexpr qsizetype idPlace = 11;              ///< in the header
    static constexpr qsizetype maximumPlaintext = 16'384; // RFC 5246 §6.2.1

    ContentType type = ContentType::Alert;
    std::uint16_t epoch = 0;
    std::uint64_t sequence = 0; ///< 48 bits
    QByteArrayView bytes;       ///< with the header

    /// By its header. The header of a ClientHello may say DTLS 1.0.
    [[nodiscard]] bool isOfDtls12() const { return bytes[2] == '\xfd'; }
    [[nodiscard]] bool hasId() const { return type == ContentType::WithId; }
    /// Of a record that hasId().
    [[nodiscard]] ConnectionId id() const { return ConnectionId::of(bytes.sliced(idPlace)); }
    [[nodiscard]] QByteArrayView header() const
    {
        constexpr auto idSize = static_cast<qsizetype>(ConnectionId::size);
        return bytes.first(hasId() ? headerSize + idSize : headerSize);
    }
    [[nodiscard]] QByteArrayView fragment() const { return bytes.sliced(header().size()); }
    /// A ClientKeyExchange or ChangeCipherSpec in clear. Beside an open session it repeats the
    /// client's last flight, because the answer was lost (RFC 6347 §4.2.4).
    [[nodiscard]] bool isOfAClearFlight() const;
    /// Whether only a handshake can process it.
    [[nodiscard]] bool isOfAHandshake() const
    {
        return epoch == 0 || type == ContentType::Handshake;
    }
    /// An unencrypted alert, which may be forged; nullopt: it is no such alert.
    [[nodiscard]] std::optional<Alert> clearAlert() const;
};

/// Splits a datagram into its records.
class RecordReader
{
public:
    explicit RecordReader(QByteArrayView datagram)
        : m_rest(datagram)
    {
    }

    /// The next record. nullopt at the end, and from a record on whose header is unknown or
    /// announces more bytes than are left.
    [[nodiscard]] std::optional<Record> next();
    /// The bytes after the last record that next() returned.
    [[nodiscard]] QByteArrayView rest() const { return m_rest; }

private:
    QByteArrayView m_rest;
};

} // namespace dtlsd
