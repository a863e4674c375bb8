// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dtls/Events.h"

#include <QByteArray>

namespace dtlsd {

/// What stands before a datagram of @p session, which is open, if `forward_header = proxy`: the
/// header of the PROXY protocol, version 2, for datagrams (haproxy.org, proxy-protocol.txt §2.2):
/// the addresses of the device and of dtlsd, and as TLVs
///
///   SSL         0x20  the device has authenticated itself, with
///     version   0x21  `DTLSv1.2`
///     CN        0x22  the identity; missing if that is not UTF-8
///     cipher    0x23  OpenSSL's name of the suite
///   UNIQUE_ID   0x05  the session, as in DTLSD_SESSION
///   0xE0              the identity, only if it is not UTF-8
[[nodiscard]] QByteArray proxyHeader(const SessionInfo &session);

} // namespace dtlsd
