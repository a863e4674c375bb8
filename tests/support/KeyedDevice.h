// SPDX-License-Identifier: Apache-2.0
//
// KeyedDevice: a KeyedClient in a MemoryNetwork.
#pragma once

#include "core/SocketAddress.h"
#include "support/KeyedClient.h"

#include <QByteArray>

#include <utility>
#include <vector>

namespace dtlsd::test {

class MemoryNetwork;

class KeyedDevice : public KeyedClient
{
public:
    /// A device at @p address of @p network, which outlives it.
    KeyedDevice(MemoryNetwork &network, const SocketAddress &address, Options options)
        : KeyedClient(std::move(options))
        , m_network(network)
        , m_address(address)
    {
    }

    /// Exchanges datagrams until both sides are silent. true: it is connected.
    bool connect();
    /// The same, but its last flight does not leave: it is returned.
    [[nodiscard]] std::vector<QByteArray> connectUpToLastFlight();
    /// Hands it the server's datagrams; takeSent() has its answers.
    void listen();
    /// Carries @p datagram to the server, and takes the answers.
    void send(const QByteArray &datagram);

    [[nodiscard]] const SocketAddress &address() const { return m_address; }
    /// From now on it sends from @p address, and hears what comes there.
    void moveTo(const SocketAddress &address) { m_address = address; }

private:
    MemoryNetwork &m_network;
    SocketAddress m_address;
};

} // namespace dtlsd::test
