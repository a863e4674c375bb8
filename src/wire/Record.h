// SPDX-License-Identifier: Apache-2.0
//
// The DTLS records of a datagram (RFC 6347 §4.1), parsed as far as needed to dispatch them. Nothing
// is authenticated, and nothing is allocated.
#pragma once

#include "wire/Alert.h"

#include <QByteArrayView>

#include <cstdint>
#include <optional>

namespace dtlsd {

/// RFC 5246 §6.2.1
enum class ContentType : std::uint8_t {
    ChangeCipherSpec = 20,
    Alert = 21,
    Handshake = 22,
    ApplicationData = 23
};

/// One well-formed record: a view into a datagram.
struct Record
{
    static constexpr qsizetype headerSize = 13;
    static constexpr qsizetype maximumPlaintext = 16'384; // RFC 5246 §6.2.1

    ContentType type = ContentType::Alert;
    std::uint16_t epoch = 0;
    std::uint64_t sequence = 0; ///< 48 bits
    QByteArrayView bytes;       ///< with the header

    /// By its header. The header of a ClientHello may say DTLS 1.0.
    [[nodiscard]] bool isOfDtls12() const { return bytes[2] == '\xfd'; }
    [[nodiscard]] QByteArrayView fragment() const { return bytes.sliced(headerSize); }
    /// Part of an unencrypted handshake. Beside an open session it repeats the client's last
    /// flight, because the answer was lost (RFC 6347 §4.2.4).
    [[nodiscard]] bool isOfAClearFlight() const
    {
        return epoch == 0 &&
               (type == ContentType::Handshake || type == ContentType::ChangeCipherSpec);
    }
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
