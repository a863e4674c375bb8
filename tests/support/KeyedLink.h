// SPDX-License-Identifier: Apache-2.0
//
// KeyedLink: a DeviceLink made by a KeyedClient, over UDP.
#pragma once

#include "support/DeviceLink.h"
#include "support/KeyedClient.h"

#include <QTimer>
#include <QUdpSocket>

namespace dtlsd::test {

class KeyedLink : public DeviceLink
{
    Q_OBJECT

public:
    explicit KeyedLink(KeyedClient::Options options);

    void start(const SocketAddress &server) override;
    void send(const QByteArray &message) override;
    void close() override;
    /// From now on it has another port, and talks to that address of the server.
    void moveTo(const SocketAddress &server);

private:
    void read();
    void sendAll();

    KeyedClient m_client;
    bool m_isConnected = false;
    QUdpSocket m_socket;
    QTimer m_ticks; // for OpenSSL's timer
};

} // namespace dtlsd::test
