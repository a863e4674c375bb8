// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/SocketAddress.h"
#include "net/DatagramSocket.h"

#include <QByteArray>

#include <map>
#include <vector>

namespace dtlsd::test {

/// Sockets bound as systemd binds them for a socket unit, with ReusePort=yes. A letter is an
/// address: `aab` has two sockets at the first one, and one at another.
inline std::vector<int> socketsAt(const QByteArray &letters)
{
    std::map<char, SocketAddress> addresses;
    std::vector<int> sockets;
    for (const char letter : letters) {
        const bool isFirst = !addresses.contains(letter);
        SocketAddress &address = addresses[letter];
        if (isFirst)
            address = SocketAddress::parse(u"127.0.0.1:0").value();
        const auto sharing =
            isFirst ? DatagramSocket::Sharing::First : DatagramSocket::Sharing::Sibling;
        sockets.push_back(DatagramSocket::open(address, {.sharing = sharing}).value().release());
        address = DatagramSocket::addressOf(sockets.back());
    }
    return sockets;
}

} // namespace dtlsd::test
