// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QByteArrayView>

#include <optional>

namespace dtlsd {

/// What the first fragment of a ClientHello says that a server looks at before it keeps anything.
struct ClientHello
{
    /// nullopt: @p datagram does not begin with a ClientHello of epoch 0 whose first fragment holds
    /// the cookie (RFC 6347 §4.2.1).
    static std::optional<ClientHello> in(QByteArrayView datagram);

    QByteArrayView recordSequence; ///< 6 bytes; a HelloVerifyRequest repeats them
    QByteArrayView cookie;         ///< empty at first
};

} // namespace dtlsd
