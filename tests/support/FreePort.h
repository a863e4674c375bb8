// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QHostAddress>
#include <QRandomGenerator>
#include <QTcpServer>
#include <QUdpSocket>

#include <cstdint>

namespace dtlsd::test {

/// A port of this host that nobody has, over IPv4 and IPv6, UDP and TCP. It stays free until it is
/// used: the kernel gives it to nobody who asks for any port, as all other tests do, because those
/// begin at 32768 (net.ipv4.ip_local_port_range).
inline std::uint16_t freePort()
{
    constexpr int usual = 22334; // dtlsd's own
    for (;;) {
        const int port = QRandomGenerator::global()->bounded(10'000, 30'000);
        QUdpSocket udp;
        QTcpServer tcp;
        if (port != usual && udp.bind(QHostAddress::Any, static_cast<std::uint16_t>(port)) &&
            tcp.listen(QHostAddress::Any, static_cast<std::uint16_t>(port)))
            return static_cast<std::uint16_t>(port);
    }
}

} // namespace dtlsd::test
