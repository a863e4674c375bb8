// SPDX-License-Identifier: Apache-2.0
#include "support/KeyedDevice.h"

#include "support/MemoryNetwork.h"

namespace dtlsd::test {

bool KeyedDevice::connect()
{
    for (auto datagrams = takeSent(); !datagrams.empty(); datagrams = takeSent()) {
        for (const QByteArray &datagram : datagrams)
            m_network.arrive(m_address, datagram);
        listen();
    }
    return isConnected();
}

std::vector<QByteArray> KeyedDevice::connectUpToLastFlight()
{
    for (int flight = 0; flight < 2; ++flight) { // the hello, without and with its cookie
        for (const QByteArray &datagram : takeSent())
            m_network.arrive(m_address, datagram);
        listen();
    }
    return takeSent();
}

void KeyedDevice::listen()
{
    for (const OutgoingDatagram &datagram : m_network.serverSocket->takeSent()) {
        if (datagram.path.peer == m_address)
            take(datagram.bytes);
    }
}

void KeyedDevice::send(const QByteArray &datagram)
{
    m_network.arrive(m_address, datagram);
    listen();
}

} // namespace dtlsd::test
