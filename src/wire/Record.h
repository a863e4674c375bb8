// SPDX-License-Identifier: Apache-2.0
//
// DTLS records as they lie in a datagram (RFC 6347 §4.1): just enough of them to decide who gets
// which. Nothing here is authenticated; nothing here allocates.
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

    /// By its header. A ClientHello may well say 1.0 there.
    [[nodiscard]] bool isOfDtls12() const { return bytes[2] == '\xfd'; }
    [[nodiscard]] QByteArrayView fragment() const { return bytes.sliced(headerSize); }
    /// Part of a handshake in clear: beside an open session, a repetition of the client's last
    /// flight because the answer was lost (RFC 6347 §4.2.4).
    [[nodiscard]] bool isOfAClearFlight() const
    {
        return epoch == 0 &&
               (type == ContentType::Handshake || type == ContentType::ChangeCipherSpec);
    }
    /// Only a handshake can make something of it.
    [[nodiscard]] bool isOfAHandshake() const
    {
        return epoch == 0 || type == ContentType::Handshake;
    }
    /// An alert sent in clear: anybody can have written it.
    [[nodiscard]] std::optional<Alert> clearAlert() const;
};

/// Takes a datagram apart, record by record.
class RecordReader
{
public:
    explicit RecordReader(QByteArrayView datagram)
        : m_rest(datagram)
    {
    }

    /// The next record; nothing at the end, and nothing more once a header is unknown or longer
    /// than what is left.
    [[nodiscard]] std::optional<Record> next();
    /// What next() could not read as a record.
    [[nodiscard]] QByteArrayView rest() const { return m_rest; }

private:
    QByteArrayView m_rest;
};

} // namespace dtlsd
