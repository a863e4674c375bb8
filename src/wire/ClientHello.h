// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wire/CipherSuite.h"
#include "wire/Record.h"

#include <QByteArrayView>

#include <cstdint>
#include <optional>
#include <vector>

namespace dtlsd {

/// The parts of an unencrypted ClientHello fragment that a server reads before it keeps any state
/// (RFC 6347 §4.2.2).
struct ClientHello
{
    /// Maximum size of a ClientHello in bytes. Clients with two post-quantum key shares, for DTLS
    /// 1.3 servers, send 3,000; OpenSSL's buffer for it begins with 16,384.
    static constexpr quint32 maximumSize = 4096;

    /// nullopt: @p record is not a fragment of a ClientHello in epoch 0, or lacks its random.
    static std::optional<ClientHello> in(const Record &record);

    Record record;              ///< it is in
    quint32 length = 0;         ///< bytes of the whole body, as announced
    quint32 fragmentOffset = 0; ///< above 0: a further fragment; the members below are empty
    QByteArrayView random;      ///< tells a repeated hello from a new handshake
    /// Well-formed up to the cookie, which can be sent or checked. If not, the members below are
    /// empty.
    bool isAnswerable = false;
    QByteArrayView cookie; ///< empty in a client's first hello
    QByteArrayView body;   ///< the part of it in this fragment

    [[nodiscard]] bool isFirstFragment() const { return fragmentOffset == 0; }
    [[nodiscard]] bool isTooLong() const { return length > maximumSize; }
};

/// What a whole ClientHello offers (RFC 5246 §7.4.1.2).
struct HelloOffer
{
    /// Parses the body of a ClientHello; nullopt: it is truncated or malformed.
    static std::optional<HelloOffer> in(QByteArrayView body);

    std::vector<CipherSuite> suites; ///< in the client's order, without signals
    /// Numbers of IANA's registry "TLS Supported Groups"; nullopt: the hello has no such extension.
    /// Any group would be allowed then (RFC 8422 §4), but OpenSSL finds none.
    std::optional<std::vector<std::uint16_t>> groups;
};

} // namespace dtlsd
