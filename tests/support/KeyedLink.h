// SPDX-License-Identifier: Apache-2.0
//
// KeyedLink: a DeviceLink made by a KeyedClient, over UDP.
#pragma once

#include "support/DeviceLink.h"
#include "support/KeyedClient.h"

#include <QHostAddress>
#include <QTimer>
#include <QUdpSocket>

#include <chrono>

namespace dtlsd::test {

class KeyedLink : public DeviceLink
{
    Q_OBJECT

public:
    /// Why it ended() if the server says goodbye.
    static inline const QString closeNotify = QStringLiteral("close_notify");

    explicit KeyedLink(KeyedClient::Options options,
                       std::chrono::milliseconds handshakeTimeout = std::chrono::seconds(30));

    void start(const SocketAddress &server) override;
    void send(const QByteArray &message) override;
    void close() override;
    /// Where it sends from, once it starts; otherwise the system picks.
    void setAddress(const QHostAddress &address) { m_address = address; }
    /// From now on it has another port, and talks to that address of the server.
    void moveTo(const SocketAddress &server);

Q_SIGNALS:
    /// Nobody listens at the server's address (ICMP).
    void refused();

private:
    void read();
    void sendAll();

    KeyedClient m_client;
    bool m_isConnected = false;
    QHostAddress m_address;
    QUdpSocket m_socket;
    QTimer m_ticks; // for OpenSSL's timer
};

} // namespace dtlsd::test
