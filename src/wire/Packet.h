// SPDX-License-Identifier: Apache-2.0
//
// Packet: a datagram as it comes, read once, as far as it takes to decide who gets it. Nothing here
// is authenticated; nothing here allocates.
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

    /// Whether it begins a ClientHello, rather than going on with one.
    [[nodiscard]] bool isHello() const { return hello && hello->isFirstFragment(); }

    QByteArrayView bytes;
    RecordReader further;        ///< the records behind the first
    std::optional<Record> first; ///< none: it is no DTLS
    std::optional<ClientHello> hello;
};

} // namespace dtlsd
