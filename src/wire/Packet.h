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

    /// The ClientHello that it begins; nullptr if it begins none, or continues one.
    [[nodiscard]] const ClientHello *newHello() const
    {
        return hello && hello->isFirstFragment() ? &*hello : nullptr;
    }

    /// The connection ID of the first record.
    [[nodiscard]] std::optional<ConnectionId> id() const
    {
        return first && first->hasId() ? std::optional(first->id()) : std::nullopt;
    }

    QByteArrayView bytes;
    RecordReader further;        ///< the records after the first
    std::optional<Record> first; ///< nullopt: the datagram is not DTLS
    std::optional<ClientHello> hello;
};

} // namespace dtlsd
