// SPDX-License-Identifier: Apache-2.0
//
// Packet: a received datagram, parsed once, as far as needed to dispatch it. Nothing is
// authenticated, and nothing is allocated.
#pragma once

#include "wire/ClientHello.h"
#include "wire/Record.h"

#include <QByteArrayView>

#include <optional>

namespace dtlsd {

struct Packet
{
    explicit Packet(QByteArrayView datagram)
        : bytes(datagram)
        , further(datagram)
        , first(further.next())
        , hello(first ? ClientHello::in(*first) : std::nullopt)
    {
    }

    /// Whether it begins a ClientHello, rather than continues one.
    [[nodiscard]] bool isHello() const { return hello && hello->isFirstFragment(); }

    QByteArrayView bytes;
    RecordReader further;        ///< the records after the first
    std::optional<Record> first; ///< nullopt: the datagram is not DTLS
    std::optional<ClientHello> hello;
};

} // namespace dtlsd
