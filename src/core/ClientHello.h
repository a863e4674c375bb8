// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/CipherSuite.h"

#include <QByteArrayView>

#include <cstdint>
#include <optional>
#include <vector>

namespace dtlsd {

/// What the first fragment of a ClientHello says that a server looks at before it keeps anything.
struct ClientHello
{
    /// Bytes of a whole one that are accepted. Clients with two post-quantum key shares, for
    /// servers that speak DTLS 1.3, send 3,000; OpenSSL's buffer for it begins with 16,384.
    static constexpr quint32 maximumSize = 4096;

    /// nullopt: @p datagram does not begin with a ClientHello of epoch 0 whose first fragment holds
    /// the cookie (RFC 6347 §4.2.1).
    static std::optional<ClientHello> in(QByteArrayView datagram);

    QByteArrayView recordSequence; ///< 6 bytes; a HelloVerifyRequest repeats them
    QByteArrayView cookie;         ///< empty at first
    QByteArrayView body;           ///< as much of it as the fragment has
    quint32 length = 0;            ///< bytes of the whole body, as announced

    [[nodiscard]] bool isTooLong() const { return length > maximumSize; }
};

/// What a whole ClientHello offers (RFC 5246 §7.4.1.2).
struct HelloOffer
{
    /// Of the body of one; nullopt: it is cut short or none.
    static std::optional<HelloOffer> in(QByteArrayView body);

    std::vector<CipherSuite> suites; ///< as they stand there, but for signals
    /// Numbers of IANA's registry "TLS Supported Groups"; nullopt: no extension says so. Any
    /// group would do then (RFC 8422 §4), but OpenSSL finds none.
    std::optional<std::vector<std::uint16_t>> groups;
};

} // namespace dtlsd
