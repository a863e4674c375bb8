// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wire/CipherSuite.h"
#include "wire/Record.h"

#include <QByteArrayView>

#include <cstdint>
#include <optional>
#include <vector>

namespace dtlsd {

/// What a fragment of a ClientHello in clear says that a server looks at before it keeps anything
/// (RFC 6347 §4.2.2).
struct ClientHello
{
    /// Bytes of a whole one that are accepted. Clients with two post-quantum key shares, for
    /// servers that speak DTLS 1.3, send 3,000; OpenSSL's buffer for it begins with 16,384.
    static constexpr quint32 maximumSize = 4096;

    /// nullopt: @p record is no fragment of a ClientHello in epoch 0, or has not even the random.
    static std::optional<ClientHello> in(const Record &record);

    quint32 length = 0;         ///< bytes of the whole body, as announced
    quint32 fragmentOffset = 0; ///< above 0: a further fragment, and what follows here is empty
    QByteArrayView random;      ///< tells a repeated hello from a client that started anew
    /// Well-formed as far as the cookie: one can be sent, or looked at. Otherwise what follows is
    /// empty.
    bool isAnswerable = false;
    QByteArrayView cookie; ///< empty at first
    QByteArrayView body;   ///< as much of it as the fragment has

    [[nodiscard]] bool isFirstFragment() const { return fragmentOffset == 0; }
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
